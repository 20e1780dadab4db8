using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Ashlar.Catalog;
using Ashlar.Edge.Balancing;
using Ashlar.Edge.Forwarding;
using Ashlar.Edge.Logging;
using Ashlar.Monitoring;
using Ashlar.Testing;

namespace Ashlar.Edge.Tests.Forwarding;

/// <summary>A real edge on loopback in front of real sockets; fails the test if a connection ended by a defect.</summary>
internal sealed class EdgeRig : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Socket _listener;
    private readonly ServiceTargets _services;
    private readonly EdgeMetrics _metrics;
    private readonly AccessLog _log;
    private readonly ConcurrentQueue<Exception> _faults = [];
    private long _revision;

    private EdgeRig(ForwardingOptions options)
    {
        Options = options;
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(1024);
        _metrics = new EdgeMetrics(MetricsFile.InMemory(options.Loops + 1));
        _services = new ServiceTargets(_metrics, Told);
        _log = new AccessLog(Path.Combine(_folder.Path, "access.log"), static _ => { });
        Server = NewServer();
    }

    public Told Told { get; } = new();

    /// <summary>What snapshots say beside the service.</summary>
    public Func<CatalogSnapshot, CatalogSnapshot> Change { get; set; } = static snapshot => snapshot;

    /// <summary>What the edge says of scripts.</summary>
    public ConcurrentQueue<string> Said { get; } = [];

    public ForwardingOptions Options { get; }

    public EdgeServer Server { get; private set; }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Starts an edge whose one service <c>web</c> takes all requests.</summary>
    public static Task<EdgeRig> StartAsync(ForwardingOptions options, params ScriptedApp[] apps) => StartAsync(1, options, apps);

    /// <summary>The same on several loops, each with upstream connections of its own.</summary>
    public static async Task<EdgeRig> StartAsync(int loops, ForwardingOptions options, params ScriptedApp[] apps)
    {
        var rig = new EdgeRig(options with { Loops = loops });
        rig.Serve(service => service, [.. apps.Select(app => app.Port)]);
        await rig.ListenAsync(rig.Server);
        return rig;
    }

    public static Task<EdgeRig> StartAsync(params ScriptedApp[] apps) => StartAsync(1, new ForwardingOptions(), apps);

    /// <summary>Takes a snapshot with these instances into force.</summary>
    public void Serve(Func<CatalogService, CatalogService> change, params int[] ports)
    {
        var service = Rig.Service("web", [.. ports.Select((port, at) => Rig.Instance($"web.{at + 1}/{port}", port: port))]).Routed("/");
        _services.Apply(Change(Rig.Snapshot(++_revision, change(service))));
    }

    /// <summary>Another edge on the same listening socket.</summary>
    public EdgeServer NewServer() => new(_services, Options, _metrics, _log, _faults.Enqueue) { Say = Said.Enqueue };

    public Task ListenAsync(EdgeServer server) => server.ListenAsync(new EdgeListener("http", (int)_listener.Handle, Port, null));

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

    public Task<RawConnection> ConnectAsync() => RawConnection.OpenAsync(Port);

    /// <summary>Sends on a connection of its own, and reads one response.</summary>
    public Task<(string Head, string Body)> AskAsync(string request) => RawConnection.AskAsync(Port, request);

    public Task<(string Head, string Body)> GetAsync(string path = "/") => RawConnection.GetAsync(Port, path);

    /// <summary>The lines of the access log so far; ends the edge.</summary>
    public async Task<string[]> EndAndReadLogAsync()
    {
        await DisposeAsync();
        return Lines;
    }

    private string[] Lines { get; set; } = [];

    private bool _disposed;

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await Server.DisposeAsync();
        _log.Dispose();
        _listener.Dispose();
        var path = Path.Combine(_folder.Path, "access.log");
        Lines = File.Exists(path) ? await File.ReadAllLinesAsync(path) : [];
        _folder.Dispose();
        Assert.Empty(_faults);
    }
}
