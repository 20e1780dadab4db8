using System.Net;
using System.Text;
using Ashlar.Agent.Machines;
using Ashlar.Catalog.Store;
using Ashlar.Stack;

namespace Ashlar.Agent.Certificates;

/// <summary>
/// What an ACME authority is to be answered, on every machine: it may ask any of them, and it asks but once. So each edge is asked first.
/// </summary>
internal sealed class ChallengeBoard(IStore store, FleetLink? fleet, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(50);
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { Timeout = TimeSpan.FromSeconds(2) };

    /// <summary>Has it answered, and returns when it is or some seconds later; a null answer takes it back.</summary>
    public async Task PostAsync(StackDefinition stack, string host, string token, string? answer, CancellationToken cancellation)
    {
        var key = Keys.AcmeChallenge(token);
        await store.CommitAsync(new StoreTransaction([], [new StoreWrite(key, answer is null ? null : Encoding.ASCII.GetBytes(answer))]), cancellation);
        if (answer is not null)
        {
            await Task.WhenAll(Edges(stack).Select(edge => AnsweredAsync(edge, host, token, answer, cancellation)));
        }
    }

    /// <summary>Takes back what an agent that ended in the midst of it has left.</summary>
    public async Task ClearAsync(CancellationToken cancellation)
    {
        foreach (var entry in (await store.ListAsync(Keys.AcmeChallenge(""), cancellation)).Entries)
        {
            await store.DeleteAsync(entry.Key, cancellation);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    private IEnumerable<IPEndPoint> Edges(StackDefinition stack)
    {
        var listen = new IPEndPoint(IPAddress.Parse(stack.Edge.Http.Address), stack.Edge.Http.Port);
        var isAny = listen.Address.Equals(IPAddress.Any) || listen.Address.Equals(IPAddress.IPv6Any);
        var machines = isAny && fleet is not null ? fleet.View.Reports.Keys.Where(name => name != fleet.Own.Name) : [];
        return machines.Select(name => fleet!.View.Records.GetValueOrDefault(name)?.Address).OfType<string>()
            .Select(address => new IPEndPoint(IPAddress.Parse(address), listen.Port))
            .Prepend(isAny ? new IPEndPoint(IPAddress.Loopback, listen.Port) : listen);
    }

    private async Task AnsweredAsync(IPEndPoint edge, string host, string token, string answer, CancellationToken cancellation)
    {
        for (var began = time.GetTimestamp(); time.GetElapsedTime(began) < Patience; await Task.Delay(Between, time, cancellation))
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{edge}/.well-known/acme-challenge/{token}");
                request.Headers.Host = host;
                using var reply = await _http.SendAsync(request, cancellation);
                if (reply.IsSuccessStatusCode && await reply.Content.ReadAsStringAsync(cancellation) == answer)
                {
                    return;
                }
            }
            catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                // Not yet, or it cannot be asked from here; the authority will tell.
            }
        }
    }
}
