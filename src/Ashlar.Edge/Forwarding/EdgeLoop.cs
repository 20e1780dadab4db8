using System.Net;
using Ashlar.Edge.Caching;
using Ashlar.Edge.Logging;
using Ashlar.Edge.Web;
using Ashlar.Http.Transport;
using Ashlar.Http.Upstream;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>What one loop of the edge owns: its upstream connections, its exchanges at rest, its client connections.</summary>
internal sealed class EdgeLoop(EdgeServer server, EventLoop loop)
{
    // Beyond this an exchange at rest goes to the garbage collector.
    private const int KeptExchanges = 512;
    private const int KnownPeers = 1024;

    private readonly Stack<Exchange> _exchanges = new();
    private readonly Dictionary<(IPAddress, EdgeListener), ForwardedPeer> _peers = [];
    private readonly IdleList _idle = new();
    private readonly HashSet<ClientConnection> _connections = [];
    private readonly long _unixOffset = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - Environment.TickCount64;
    private DateLine _dateLine;
    private bool _toldDrained;
    private AddressList _trusted = AddressList.None;

    public EdgeServer Server { get; } = server;

    public ForwardingOptions Options { get; } = server.Options;

    public EventLoop Loop { get; } = loop;

    public UpstreamPool Upstreams { get; } = new(loop, server.Options.Upstream);

    /// <summary>Room for what the cache composes.</summary>
    public CacheScratch Scratch { get; } = new();

    public RequestIds RequestIds { get; } = new();

    public LoopMetrics Metrics { get; } = server.Metrics.Loop(loop.Index);

    /// <summary>Proxies whose word on the client counts.</summary>
    public AddressList Trusted => Server.Routes.Web?.Trusted ?? AddressList.None;

    /// <summary>This loop's door to the access log; null if there is none.</summary>
    public AccessLogBuffer? Log { get; } = server.Log?.CreateBuffer();

    /// <summary>Client connections now.</summary>
    public int Connections => _connections.Count;

    /// <summary>True: no connection lives on after its answer.</summary>
    public bool IsDraining { get; private set; }

    /// <summary>Wall-clock time of this turn, milliseconds since 1970.</summary>
    public long UnixMilliseconds => _unixOffset + Loop.Now;

    /// <summary>The Date line of this turn.</summary>
    public ReadOnlySpan<byte> DateLine => _dateLine.At(UnixMilliseconds);

    public Exchange RentExchange() => _exchanges.TryPop(out var exchange) ? exchange : new Exchange(this);

    public void Return(Exchange exchange)
    {
        if (_exchanges.Count < KeptExchanges)
        {
            _exchanges.Push(exchange);
        }
    }

    /// <summary>What requests of this client are told; made once per client and listener.</summary>
    public ForwardedPeer PeerOf(IPAddress client, EdgeListener listener)
    {
        if (_trusted != Trusted)
        {
            // Another snapshot, and perhaps other proxies: nobody's peer is what it was.
            _trusted = Trusted;
            _peers.Clear();
        }

        if (!_peers.TryGetValue((client, listener), out var peer))
        {
            if (_peers.Count >= KnownPeers)
            {
                _peers.Clear();
            }

            _peers[(client, listener)] = peer = new ForwardedPeer(client, secure: listener.Tls is not null, listener.Port, _trusted.Contains(client));
        }

        return peer;
    }

    /// <summary>A new connection; false if there is no room and none that would give way.</summary>
    public bool Admit(ClientConnection connection)
    {
        if (_connections.Count >= Math.Max(1, Options.MaxConnections / Server.LoopCount))
        {
            if (_idle.Oldest is not { } oldest)
            {
                return false;
            }

            oldest.Close();
        }

        _connections.Add(connection);
        if (!connection.IsCarried)
        {
            Metrics.ConnectionOpened();
        }

        return true;
    }

    public void Forget(ClientConnection connection)
    {
        _idle.Remove(connection);
        if (_connections.Remove(connection))
        {
            if (!connection.IsCarried)
            {
                Metrics.ConnectionClosed();
            }

            TellDrained();
        }
    }

    public void BecameIdle(ClientConnection connection) => _idle.Add(connection);

    public void BecameBusy(ClientConnection connection) => _idle.Remove(connection);

    /// <summary>Lets every connection end: after its next answer, or after the idle window.</summary>
    public void Drain()
    {
        IsDraining = true;
        _idle.ForEach(static connection => connection.ShortenIdle());
        foreach (var connection in _connections)
        {
            connection.Drain();
        }

        TellDrained();
    }

    /// <summary>Breaks off what is left.</summary>
    public void AbortAll()
    {
        foreach (var connection in _connections.ToArray())
        {
            connection.Abort();
        }

        Upstreams.CloseAllIdle();
    }

    private void TellDrained()
    {
        if (IsDraining && !_toldDrained && _connections.Count == 0)
        {
            _toldDrained = true;
            Server.LoopDrained();
        }
    }
}
