using System.Net;

namespace Ashlar.Http.Upstream;

/// <summary>The connections of one loop to one endpoint: those kept idle, last used first.</summary>
internal sealed class EndpointPool(IPEndPoint endPoint, TimeSpan idleTimeout)
{
    // Shorter waits tell of an endpoint that stops or counts requests, not of its idle timeout.
    private const long LeastObservedMs = 500;

    public IPEndPoint EndPoint { get; } = endPoint;

    /// <summary>Idle connections; the last is the one used last.</summary>
    public List<UpstreamConnection> Idle { get; } = [];

    /// <summary>All connections, idle or not.</summary>
    public int Open { get; set; }

    /// <summary>How long a connection is kept, in milliseconds: the default, or shorter where the endpoint was seen to close first.</summary>
    public long IdleMs { get; private set; } = (long)idleTimeout.TotalMilliseconds;

    /// <summary>The endpoint closed a connection that had been idle for so long.</summary>
    public void ClosedAfter(long idleMs)
    {
        if (idleMs >= LeastObservedMs)
        {
            IdleMs = Math.Min(IdleMs, idleMs * 3 / 4);
        }
    }
}
