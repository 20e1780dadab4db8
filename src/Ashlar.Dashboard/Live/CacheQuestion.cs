using System.Text.Json;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;

namespace Ashlar.Dashboard.Live;

/// <summary>What the page gets when it asks for the edge's cache.</summary>
/// <param name="State"><c>on</c>, <c>off</c>: the stack has none, or <c>unknown</c>: the agent does not answer.</param>
/// <param name="Edges">What each edge says, as the agent gave it; null: nothing.</param>
internal sealed record CachePage(string State, JsonElement? Edges = null);

/// <summary>Asks the agent, on the socket where only questions are answered, for the figures of every edge's cache.</summary>
internal static class CacheQuestion
{
    private const string NoCache = "ASH3080";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);
    private static readonly JsonElement Stats = JsonElement.Parse("""{"action":"stats"}""");

    /// <summary>Asks.</summary>
    /// <param name="socket">The stack's <c>watch.sock</c>.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task<CachePage> AskAsync(string socket, CancellationToken cancellation)
    {
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(Patience);
            using var stream = FrameStream.Connect(socket);
            // Reading of a stream is ended by closing it.
            await using var closing = patience.Token.Register(stream.Dispose);
            await stream.SendAsync(new AgentRequest("cache", Stats), WatchJson.Default.AgentRequest, cancellation);
            var reply = await stream.ReadAsync(WatchJson.Default.AgentReply, cancellation);
            return reply switch
            {
                { Kind: AgentReplyKinds.Data, Data: { ValueKind: JsonValueKind.Object } data } when data.TryGetProperty("edges", out var edges) => new CachePage("on", edges),
                { Kind: AgentReplyKinds.Error, Error.Code: NoCache } => new CachePage("off"),
                _ => new CachePage("unknown"),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or UntrustedPeerException or JsonException
            or OperationCanceledException or ObjectDisposedException or Errors.AshlarException)
        {
            return new CachePage("unknown");
        }
    }
}
