using System.Net;
using Ashlar.Http.Transport;

namespace Ashlar.Http.Upstream;

/// <summary>How upstream connections are made and kept.</summary>
public sealed record UpstreamOptions
{
    /// <summary>Time a connection may take to come about. Default 2 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Time an idle connection is kept. Default 4 s: below the 5 s that common app servers keep theirs, so that they do
    /// not close one just as we use it. Shorter per endpoint where it is seen to close sooner.
    /// </summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Idle connections kept per loop and endpoint. Default 256.</summary>
    public int MaxIdle { get; init; } = 256;
}

/// <summary>
/// Kept-alive connections of one loop, by endpoint, last used first out: the few that are needed stay warm, the others age
/// and are closed. Not thread-safe: all on its loop.
/// </summary>
public sealed class UpstreamPool(EventLoop loop, UpstreamOptions options)
{
    // What was learned of an endpoint outlives its connections, up to so many endpoints.
    private const int EndpointsRemembered = 1024;

    private readonly Dictionary<EndPoint, EndpointPool> _endpoints = [];
    private readonly Dictionary<SecurePeer, EndpointPool> _peers = [];

    /// <summary>The loop it belongs to.</summary>
    public EventLoop Loop { get; } = loop;

    internal UpstreamOptions Options { get; } = options;

    /// <summary>Idle connections it keeps now.</summary>
    public int IdleCount => _endpoints.Values.Concat(_peers.Values).Sum(static endpoint => endpoint.Idle.Count);

    /// <summary>Takes a kept connection to <paramref name="endPoint"/>; null if there is none.</summary>
    /// <param name="endPoint">The endpoint: an IP address and port, or the path of a Unix socket.</param>
    /// <param name="user">Who uses it from now on.</param>
    /// <param name="mustBeQuiet">
    /// True: ask the kernel first whether the endpoint has closed it, at the cost of a call. For a request that must not be
    /// sent twice.
    /// </param>
    public UpstreamConnection? Take(EndPoint endPoint, IUpstreamUser user, bool mustBeQuiet) =>
        _endpoints.TryGetValue(endPoint, out var endpoint) ? Take(endpoint, user, mustBeQuiet) : null;

    /// <summary>Takes a kept connection to <paramref name="peer"/>; see the other form.</summary>
    public UpstreamConnection? Take(SecurePeer peer, IUpstreamUser user, bool mustBeQuiet) =>
        _peers.TryGetValue(peer, out var endpoint) ? Take(endpoint, user, mustBeQuiet) : null;

    private static UpstreamConnection? Take(EndpointPool endpoint, IUpstreamUser user, bool mustBeQuiet)
    {
        while (endpoint.Idle.Count > 0)
        {
            var connection = endpoint.Idle[^1];
            endpoint.Idle.RemoveAt(endpoint.Idle.Count - 1);
            if (mustBeQuiet && !connection.IsQuiet())
            {
                connection.Close();
                continue;
            }

            connection.BeUsedBy(user);
            return connection;
        }

        return null;
    }

    /// <summary>Makes a new connection to <paramref name="endPoint"/>.</summary>
    /// <param name="endPoint">The endpoint: an IP address and port, or the path of a Unix socket.</param>
    /// <param name="user">Who uses it, and is told when it is connected.</param>
    /// <param name="connection">The connection, when it is connected or connecting.</param>
    public ConnectStatus Connect(EndPoint endPoint, IUpstreamUser user, out UpstreamConnection? connection)
    {
        if (!_endpoints.TryGetValue(endPoint, out var endpoint))
        {
            _endpoints[endPoint] = endpoint = new EndpointPool(endPoint, null, Options.IdleTimeout);
        }

        return UpstreamConnection.Connect(this, endpoint, user, out connection);
    }

    /// <summary>Makes a new connection to <paramref name="peer"/>; it is connected once the handshake is over.</summary>
    public ConnectStatus Connect(SecurePeer peer, IUpstreamUser user, out UpstreamConnection? connection)
    {
        if (!_peers.TryGetValue(peer, out var endpoint))
        {
            _peers[peer] = endpoint = new EndpointPool(peer.EndPoint, peer, peer.IdleTimeout);
        }

        return UpstreamConnection.Connect(this, endpoint, user, out connection);
    }

    /// <summary>Closes the idle connections to <paramref name="endPoint"/>, because it takes nothing new.</summary>
    public void CloseIdle(EndPoint endPoint)
    {
        if (_endpoints.TryGetValue(endPoint, out var endpoint))
        {
            CloseIdle(endpoint);
        }
    }

    /// <summary>Forgets <paramref name="peer"/>: closes the idle connections to it, and keeps none that comes back.</summary>
    public void Forget(SecurePeer peer)
    {
        if (_peers.Remove(peer, out var endpoint))
        {
            CloseIdle(endpoint);
            endpoint.Retire();
        }
    }

    /// <summary>Closes every idle connection.</summary>
    public void CloseAllIdle()
    {
        foreach (var endPoint in _endpoints.Keys.ToArray())
        {
            CloseIdle(endPoint);
        }

        foreach (var endpoint in _peers.Values)
        {
            CloseIdle(endpoint);
        }
    }

    private static void CloseIdle(EndpointPool endpoint)
    {
        while (endpoint.Idle.Count > 0)
        {
            endpoint.Idle[^1].Close();
        }
    }

    internal void Keep(UpstreamConnection connection)
    {
        var home = connection.Home!;
        if (home.IsRetired || home.Idle.Count >= Options.MaxIdle)
        {
            connection.Close();
            return;
        }

        connection.BeKept(Loop.Now + home.IdleMs);
        home.Idle.Add(connection);
    }

    /// <summary>The endpoint has closed an idle connection, or sent what nobody asked for.</summary>
    internal void Lost(UpstreamConnection connection)
    {
        if (connection.PeerHungUp)
        {
            connection.Home!.ClosedAfter(Loop.Now - connection.IdleSince);
        }

        connection.Close();
    }

    internal void Forget(UpstreamConnection connection)
    {
        var home = connection.Home!;
        home.Idle.Remove(connection);
        if (--home.Open > 0)
        {
            return;
        }

        if (home.IsRetired)
        {
            home.Resumption!.Dispose();
        }
        else if (home.Peer is null && _endpoints.Count > EndpointsRemembered)
        {
            _endpoints.Remove(home.EndPoint);
        }
    }
}
