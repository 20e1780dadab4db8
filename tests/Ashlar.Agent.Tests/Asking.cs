using System.Collections.Concurrent;
using System.Net;

namespace Ashlar.Agent.Tests;

/// <summary>Clients that ask without a pause, each request on a new connection every other time, and keep what went wrong.</summary>
internal sealed class Asking : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task[] _clients;
    private readonly ConcurrentBag<string> _failures = [];
    private int _answered;

    public Asking(Uri url, int clients = 4) => _clients = [.. Enumerable.Range(0, clients).Select(i => Task.Run(() => AskAsync(url, keep: i % 2 == 0)))];

    public int Answered => Volatile.Read(ref _answered);

    /// <summary>Waits until so many more have been answered: what happens goes on under load.</summary>
    public async Task MoreAsync(int count)
    {
        var until = Answered + count;
        var deadline = DateTime.UtcNow + AgentRig.Patience;
        while (Answered < until && _failures.IsEmpty)
        {
            Assert.True(DateTime.UtcNow < deadline, "nothing is answered any more");
            await Task.Delay(10);
        }
    }

    public async Task<IReadOnlyCollection<string>> StopAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_clients);
        return _failures;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
    }

    private async Task AskAsync(Uri url, bool keep)
    {
        using var handler = new SocketsHttpHandler { PooledConnectionLifetime = keep ? Timeout.InfiniteTimeSpan : TimeSpan.Zero };
        using var http = new HttpClient(handler) { Timeout = AgentRig.Patience };
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                using var answer = await http.GetAsync(url);
                await answer.Content.ReadAsStringAsync();
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    Interlocked.Increment(ref _answered);
                }
                else
                {
                    _failures.Add($"{DateTime.UtcNow:HH:mm:ss.fff} {(int)answer.StatusCode}");
                }
            }
            catch (HttpRequestException e)
            {
                _failures.Add($"{DateTime.UtcNow:HH:mm:ss.fff} {e.Message} {e.InnerException?.Message}");
            }
        }
    }
}
