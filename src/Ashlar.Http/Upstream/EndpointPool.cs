using System.Net;
using Ashlar.Http.Transport.Tls;

namespace Ashlar.Http.Upstream;

/// <summary>The connections of one loop to one endpoint: those kept idle, last used first.</summary>
internal sealed class EndpointPool(EndPoint endPoint, SecurePeer? peer, TimeSpan idleTimeout)
{
    // Shorter waits tell of an endpoint that stops or counts requests, not of its idle timeout.
    private const long LeastObservedMs = 500;

    public EndPoint EndPoint { get; } = endPoint;

    /// <summary>Who must answer there, over TLS; null: anybody, in plain text.</summary>
    public SecurePeer? Peer { get; } = peer;

    /// <summary>The last TLS session there.</summary>
    public TlsResumption? Resumption { get; } = peer is null ? null : new TlsResumption();

    /// <summary>Idle connections; the last is the one used last.</summary>
    public List<UpstreamConnection> Idle { get; } = [];

    /// <summary>All connections, idle or not.</summary>
    public int Open { get; set; }

    /// <summary>True: nothing is kept any more.</summary>
    public bool IsRetired { get; private set; }

    /// <summary>How long a connection is kept, in milliseconds: the default, or shorter where the endpoint was seen to close first.</summary>
    public long IdleMs { get; private set; } = (long)idleTimeout.TotalMilliseconds;

    /// <summary>Keeps nothing from now on.</summary>
    public void Retire()
    {
        IsRetired = true;
        if (Open == 0)
        {
            Resumption?.Dispose();
        }
    }

    /// <summary>The endpoint closed a connection that had been idle for so long.</summary>
    public void ClosedAfter(long idleMs)
    {
        if (idleMs >= LeastObservedMs)
        {
            IdleMs = Math.Min(IdleMs, idleMs * 3 / 4);
        }
    }
}
