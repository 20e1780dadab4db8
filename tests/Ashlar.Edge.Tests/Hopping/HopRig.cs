using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Ashlar.Catalog;
using Ashlar.Edge.Balancing;
using Ashlar.Edge.Forwarding;
using Ashlar.Edge.Logging;
using Ashlar.Edge.Tests.Forwarding;
using Ashlar.Http.Transport.Tls;
using Ashlar.Monitoring;
using Ashlar.Testing;

namespace Ashlar.Edge.Tests.Hopping;

/// <summary>The edges of several machines of one stack, on loopback; all are told the same catalog.</summary>
internal sealed class HopRig : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, HopMachine> _machines = [];
    private long _revision;

    private HopRig()
    {
    }

    public TestAuthority Authority { get; } = new();

    public ConcurrentQueue<Exception> Faults { get; } = [];

    public HopMachine this[string name] => _machines[name];

    /// <summary>What the snapshots say of the machines; tests change it.</summary>
    public Func<CatalogMachine, CatalogMachine> Say { get; set; } = static machine => machine;

    public static Task<HopRig> StartAsync(params string[] names) => StartAsync(new ForwardingOptions { Loops = 1 }, names);

    public static async Task<HopRig> StartAsync(ForwardingOptions options, params string[] names)
    {
        var rig = new HopRig();
        foreach (var name in names)
        {
            rig._machines[name] = new HopMachine(name, rig.Authority.Issue(rig.Folder(name), name), options, rig.Faults);
            await rig._machines[name].ListenAsync();
        }

        return rig;
    }

    public string Folder(string name) => Path.Combine(_folder.Path, name);

    /// <summary>An instance <c>web.1</c> of an app on a machine.</summary>
    public static CatalogInstance On(string machine, string name, int port, InstanceState state = InstanceState.Healthy) =>
        Rig.Instance($"{name}/{port}", state, port) with { Machine = machine };

    /// <summary>The service <c>web</c>, which gets all requests.</summary>
    public static CatalogService Web(params CatalogInstance[] instances) => Rig.Service("web", instances).Routed("/");

    /// <summary>Tells every machine.</summary>
    public void Publish(params CatalogService[] services) => Publish(Rig.Snapshot(0, services));

    public void Publish(CatalogSnapshot snapshot)
    {
        foreach (var machine in _machines.Values)
        {
            Publish(machine.Name, snapshot);
        }
    }

    /// <summary>Tells one machine only: what it knows is another thing than what the others do.</summary>
    public void Publish(string machine, params CatalogService[] services) => Publish(machine, Rig.Snapshot(0, services));

    public void Publish(string machine, CatalogSnapshot snapshot) => _machines[machine].Services.Apply(snapshot with
    {
        Revision = ++_revision,
        Machine = machine,
        Machines = [.. _machines.Values.Select(other => Say(new CatalogMachine(other.Name, "127.0.0.1", other.HopPort, Reachable: true)))],
    });

    public async ValueTask DisposeAsync()
    {
        foreach (var machine in _machines.Values)
        {
            await machine.DisposeAsync();
        }

        Authority.Dispose();
        _folder.Dispose();
        Assert.Empty(Faults);
    }
}

/// <summary>One machine's edge.</summary>
internal sealed class HopMachine : IAsyncDisposable, ITargetEvents
{
    private readonly EdgeMetrics _metrics;
    private readonly TlsContext _accept;
    private readonly TlsContext _connect;
    private readonly Socket _http = Listen();
    private readonly ForwardingOptions _options;
    private readonly ConcurrentQueue<Exception> _faults;
    private readonly List<Socket> _forwards = [];
    private readonly AccessLog _log;
    private Socket _hop = Listen();

    public HopMachine(string name, string identity, ForwardingOptions options, ConcurrentQueue<Exception> faults)
    {
        Name = name;
        _options = options;
        _faults = faults;
        _accept = TlsContext.ForServer(TlsFiles.OfMachine(identity));
        _connect = TlsContext.ForClient(TlsFiles.OfMachine(identity));
        _metrics = new EdgeMetrics(MetricsFile.InMemory(options.Loops + 1));
        LogPath = Path.Combine(identity, "access.log");
        _log = new AccessLog(LogPath, static _ => { });
        HopPort = PortOf(_hop);
        Services = new ServiceTargets(_metrics, this, _connect);
        Server = NewServer();
    }

    public string Name { get; }

    public string LogPath { get; }

    public ServiceTargets Services { get; }

    public EdgeServer Server { get; private set; }

    public int HopPort { get; }

    public int Port => PortOf(_http);

    public BlockingCollection<string> Ejected { get; } = [];

    public BlockingCollection<string> NotSecured { get; } = [];

    public async Task ListenAsync(EdgeServer? server = null)
    {
        server ??= Server;
        await server.ListenAsync(new EdgeListener("http", (int)_http.Handle, Port, null));
        await server.ListenAsync(new EdgeListener("hop", (int)_hop.Handle, HopPort, null) { Tls = _accept, IsHop = true });
    }

    /// <summary>Uses what its files say now for who may call it.</summary>
    public bool Reload() => _accept.ReloadIfChanged();

    /// <summary>A listener whose bytes go to an engine's instance on another machine.</summary>
    public async Task<int> ForwardAsync(string instance)
    {
        var socket = Listen();
        _forwards.Add(socket);
        await Server.ListenAsync(new EdgeListener($"forward:{instance}", (int)socket.Handle, PortOf(socket), null) { Forward = instance });
        return PortOf(socket);
    }

    /// <summary>Puts another edge in the place of the present one.</summary>
    public async Task<bool> ReplaceAsync(TimeSpan bound)
    {
        var next = NewServer();
        await ListenAsync(next);
        var old = Server;
        Server = next;
        var ended = await old.DrainAsync(bound);
        await old.DisposeAsync();
        return ended;
    }

    /// <summary>Loses its power: connections break, and nothing listens any more.</summary>
    public async Task DieAsync()
    {
        await Server.DisposeAsync();
        _hop.Dispose();
    }

    /// <summary>Comes back on the same port.</summary>
    public async Task ReviveAsync()
    {
        _hop = Listen(HopPort);
        Server = NewServer();
        await ListenAsync();
    }

    public Task<RawConnection> ConnectAsync(int? port = null) => RawConnection.OpenAsync(port ?? Port);

    public Task<(string Head, string Body)> AskAsync(string request) => RawConnection.AskAsync(Port, request);

    public Task<(string Head, string Body)> GetAsync(string path = "/") => RawConnection.GetAsync(Port, path);

    void ITargetEvents.Idle(InstanceTarget instance)
    {
    }

    void ITargetEvents.Ejected(InstanceTarget instance, Outcome reason, TimeSpan span) => Ejected.Add(instance.Name);

    void ITargetEvents.MachineEjected(MachineTarget machine, TimeSpan span) => Ejected.Add(machine.Name);

    void ITargetEvents.MachineNotSecured(string machine, string reason) => NotSecured.Add($"{machine}: {reason}");

    void ITargetEvents.MachineGone(MachineTarget machine) => Server.Forget(machine);

    void ITargetEvents.Closed(InstanceTarget instance) => Server.CloseIdle(instance.EndPoint);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _log.Dispose();
        _accept.Dispose();
        _connect.Dispose();
        _http.Dispose();
        _hop.Dispose();
        _forwards.ForEach(socket => socket.Dispose());
    }

    private EdgeServer NewServer() => new(Services, _options, _metrics, _log, _faults.Enqueue);

    private static int PortOf(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    private static Socket Listen(int port = 0)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(1024);
        return listener;
    }
}
