using System.Collections.Immutable;
using System.Net;
using Ashlar.Edge.Caching;
using Ashlar.Catalog;
using Ashlar.Edge.Balancing;
using Ashlar.Edge.Gateways;
using Ashlar.Edge.Http2;
using Ashlar.Edge.Logging;
using Ashlar.Edge.Routing;
using Ashlar.Edge.Web;
using Ashlar.Http.Transport;

namespace Ashlar.Edge.Forwarding;

/// <summary>
/// The data plane of an edge: accepts on the sockets it is given, and forwards requests by its routes. Runs in any process;
/// several may share the same sockets, so that one takes over from another without a refused connection.
/// </summary>
public sealed class EdgeServer : IConnectionAcceptor, IAsyncDisposable
{
    private readonly EventLoopGroup _group;
    private readonly ImmutableArray<EdgeLoop> _loops;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ServiceTargets _services;
    private HttpCache? _cache;
    private int _loopsDraining;

    /// <summary>Starts the loops; nothing is accepted before <see cref="ListenAsync"/>.</summary>
    /// <param name="services">Where requests go: its table is read for each request.</param>
    /// <param name="options">Limits and times.</param>
    /// <param name="metrics">What is counted; one slot per loop.</param>
    /// <param name="log">The access log; null for none.</param>
    /// <param name="onFault">Told of a defect that ended one connection; called on any loop, must not throw.</param>
    public EdgeServer(ServiceTargets services, ForwardingOptions options, EdgeMetrics metrics, AccessLog? log, Action<Exception> onFault)
    {
        Metrics = metrics;
        Log = log;
        _services = services;
        Options = options;
        Http2 = new Http2Server(options.KeepAliveTimeout, options.SendTimeout, onFault);
        Workers = new SlowWorkers(onFault);
        Spools = new SpoolRoom(options.MaxSpoolMemory, options.MaxSpoolFiles);
        Passwords = new Passwords(options.PasswordMatches);
        PasswordChecks = new PasswordChecks(Passwords, onFault);
        _group = new EventLoopGroup(options.Loops, onFault);
        _loops = [.. _group.Loops.Select(loop => new EdgeLoop(this, loop))];
    }

    /// <summary>Client connections now, about.</summary>
    public int Connections => _loops.Sum(static loop => loop.Connections);

    /// <summary>Told that no connection can be accepted now, and the errno; called on any loop, at every attempt, must not throw.</summary>
    public Action<EdgeListener, int> CannotAccept { get; init; } = static (_, _) => { };

    internal Http2Server Http2 { get; }

    /// <summary>The HTTP cache; null: none.</summary>
    internal HttpCache? Cache
    {
        get => Volatile.Read(ref _cache);
        set => Volatile.Write(ref _cache, value);
    }

    /// <summary>Told what a PURGE has taken out here; called on any loop, must not throw.</summary>
    public Action<PurgeOrder> Purged { get; init; } = static _ => { };

    /// <summary>Told what scripts say on their standard error; called on any loop, must not throw.</summary>
    public Action<string> Say { get; init; } = static _ => { };

    internal bool IsDraining => _loops.All(static loop => loop.IsDraining);

    internal EdgeMetrics Metrics { get; }

    internal AccessLog? Log { get; }

    internal SlowWorkers Workers { get; }

    internal SpoolRoom Spools { get; }

    internal Passwords Passwords { get; }

    internal PasswordChecks PasswordChecks { get; }

    internal RoutingTable Routes => _services.Table;

    internal ForwardingOptions Options { get; }

    internal int LoopCount => _loops.Length;

    /// <summary>Sets the HTTP cache; what is stored stays as far as there is room.</summary>
    /// <param name="settings">What it is set to; null: none, and what was stored is given back.</param>
    public void UseCache(CatalogCache? settings)
    {
        switch ((Cache, settings))
        {
            case (null, { } wanted):
                Cache = new HttpCache(CacheSettings.Of(wanted));
                break;
            case ({ } cache, { } wanted):
                cache.Settings = CacheSettings.Of(wanted);
                break;
            case ({ } cache, null):
                Cache = null;
                cache.PurgeAll(soft: false);
                break;
        }
    }

    /// <summary>What the cache did, summed over the loops.</summary>
    internal long[] CacheCounts()
    {
        var sums = new long[16];
        foreach (var loop in _loops)
        {
            for (var i = 0; i < sums.Length; i++)
            {
                sums[i] += Volatile.Read(ref loop.Scratch.Counts[i]);
            }
        }

        return sums;
    }

    /// <summary>Accepts on a socket from now on.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The descriptor cannot be watched.</exception>
    public Task ListenAsync(EdgeListener listener)
    {
        if (listener.IsHop)
        {
            // Inherited by what is accepted: a machine that is gone must not hold what it has asked for.
            SocketPatience.Set(listener.Descriptor, TimeSpan.FromSeconds(10));
        }

        return _group.ListenAsync(listener.Descriptor, this, listener);
    }

    /// <summary>
    /// Ceases to accept on a socket; what is queued on it is still taken. Completes when nothing will be accepted on it any
    /// more, so that its descriptor may be closed. Connections go on.
    /// </summary>
    public Task CeaseAsync(EdgeListener listener) => _group.CeaseAsync(listener.Descriptor);

    /// <summary>Completes when every loop has had a turn: shows that none hangs.</summary>
    public Task TurnAsync() => _group.TurnAsync();

    /// <summary>Closes idle connections to an endpoint that takes nothing new.</summary>
    public void CloseIdle(EndPoint endPoint)
    {
        foreach (var loop in _loops)
        {
            loop.Loop.Post(() => loop.Upstreams.CloseIdle(endPoint));
        }
    }

    /// <summary>Closes idle connections to a machine that is none of the stack any more, and keeps none from now on.</summary>
    public void Forget(MachineTarget machine)
    {
        foreach (var loop in _loops)
        {
            loop.Loop.Post(() => loop.Upstreams.Forget(machine.Peer));
        }
    }

    /// <summary>
    /// Ends in order: accepts nothing more (what is queued is still taken), serves what has been accepted, tells each client
    /// with its next answer that the connection closes, closes idle connections after a window, and completes when none is left.
    /// </summary>
    /// <param name="bound">Time after which what is left is broken off.</param>
    /// <returns>True if everything ended by itself.</returns>
    public async Task<bool> DrainAsync(TimeSpan bound)
    {
        await _group.StopAcceptingAsync().ConfigureAwait(false);
        foreach (var loop in _loops)
        {
            loop.Loop.Post(loop.Drain);
        }

        var ended = await Task.WhenAny(_drained.Task, Task.Delay(bound)).ConfigureAwait(false) == _drained.Task;
        if (!ended)
        {
            foreach (var loop in _loops)
            {
                loop.Loop.Post(loop.AbortAll);
            }

            await Task.WhenAny(_drained.Task, Task.Delay(TimeSpan.FromSeconds(1))).ConfigureAwait(false);
        }

        return ended;
    }

    /// <summary>Ends at once: breaks off what is open, and ends the threads.</summary>
    public async ValueTask DisposeAsync()
    {
        await _group.StopAcceptingAsync().ConfigureAwait(false);
        foreach (var loop in _loops)
        {
            loop.Loop.Post(loop.AbortAll);
        }

        await Http2.DisposeAsync().ConfigureAwait(false);
        await _group.DisposeAsync().ConfigureAwait(false);
        Workers.Dispose();
        PasswordChecks.Dispose();
        UseCache(null);
    }

    void IConnectionAcceptor.Accept(EventLoop loop, int fd, IPAddress peer, object tag) =>
        new ClientConnection(_loops[loop.Index], fd, peer, (EdgeListener)tag).Begin();

    void IConnectionAcceptor.CannotAccept(object tag, int error) => CannotAccept((EdgeListener)tag, error);

    /// <summary>No connection to the machine came about.</summary>
    internal void Ejected(MachineTarget machine) => _services.Eject(machine);

    /// <summary>A draining loop has no client connection left.</summary>
    internal void LoopDrained()
    {
        if (Interlocked.Increment(ref _loopsDraining) == _loops.Length)
        {
            _drained.TrySetResult();
        }
    }
}
