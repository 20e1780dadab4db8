// The data plane alone, for measuring and profiling: edge-host PORT UPSTREAM-PORT [LOOPS [ACCESS-LOG]]
// Listens on 127.0.0.1:PORT and forwards everything to 127.0.0.1:UPSTREAM-PORT.
// Behind these: --cache BYTES for the HTTP cache, --identity FOLDER (its name is the machine's), and --hop-listen PORT, or --hop-to MACHINE:PORT where the upstream is.
using System.Net;
using System.Net.Sockets;
using Ashlar.Catalog;
using Ashlar.Edge;
using Ashlar.Edge.Balancing;
using Ashlar.Edge.Forwarding;
using Ashlar.Edge.Logging;
using Ashlar.Http.Transport.Tls;
using Ashlar.Monitoring;

var hop = args.SkipWhile(static argument => !argument.StartsWith("--", StringComparison.Ordinal)).Chunk(2).ToDictionary(static pair => pair[0], static pair => pair[1]);
args = [.. args.TakeWhile(static argument => !argument.StartsWith("--", StringComparison.Ordinal))];
var identity = hop.GetValueOrDefault("--identity");
var here = identity is null ? "" : Path.GetFileName(identity);
var elsewhere = hop.GetValueOrDefault("--hop-to")?.Split(':');
var port = int.Parse(args[0]);
var options = new ForwardingOptions();
if (args.Length > 2)
{
    options = options with { Loops = int.Parse(args[2]) };
}

var metrics = new EdgeMetrics(MetricsFile.InMemory(options.Loops));
using var log = new AccessLog(args.Length > 3 ? args[3] : "/dev/null", static error => Console.Error.WriteLine(error));
var services = new ServiceTargets(metrics, new Silent(), identity is null ? null : TlsContext.ForClient(TlsFiles.OfMachine(identity)));
services.Apply(new CatalogSnapshot
{
    Revision = 1,
    Stack = "bench",
    Machine = here,
    Machines = identity is null ? [] : [new CatalogMachine("east", "127.0.0.1", 0, true), new CatalogMachine("west", "127.0.0.1", elsewhere is null ? 0 : int.Parse(elsewhere[1]), true)],
    Services =
    [
        new CatalogService
        {
            Name = "web",
            Routes = [new CatalogRoute(null, "/")],
            Instances = [new CatalogInstance { Id = "web.1/1", Name = "web.1", Address = "127.0.0.1", Port = int.Parse(args[1]), State = InstanceState.Healthy, Machine = elsewhere?[0] ?? "" }],
        },
    ],
});

using var listener = Listen(port);
await using var server = new EdgeServer(services, options, metrics, log, static fault => Console.Error.WriteLine(fault));
if (hop.TryGetValue("--cache", out var cache))
{
    server.UseCache(new CatalogCache { Memory = long.Parse(cache), StaleIfErrorMs = 60_000 });
}

await server.ListenAsync(new EdgeListener("http", (int)listener.Handle, port, null));
using var hopListener = hop.TryGetValue("--hop-listen", out var hopPort) ? Listen(int.Parse(hopPort)) : null;
if (hopListener is not null)
{
    await server.ListenAsync(new EdgeListener("hop", (int)hopListener.Handle, int.Parse(hopPort!), null)
    {
        Tls = TlsContext.ForServer(TlsFiles.OfMachine(identity!)),
        IsHop = true,
    });
}

Console.WriteLine($"listening on 127.0.0.1:{port}");
var stop = new TaskCompletionSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.TrySetResult();
};
using var terminate = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, context =>
{
    context.Cancel = true;
    stop.TrySetResult();
});
await stop.Task;
Console.WriteLine($"{GC.GetTotalAllocatedBytes(precise: true)} bytes allocated, {GC.CollectionCount(0)} collections");
await server.DrainAsync(TimeSpan.FromSeconds(10));

static Socket Listen(int port)
{
    var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
    listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
    listener.Listen(4096);
    return listener;
}

internal sealed class Silent : ITargetEvents
{
    public void Idle(InstanceTarget instance)
    {
    }

    public void Ejected(InstanceTarget instance, Outcome reason, TimeSpan span) => Console.Error.WriteLine($"ejected: {reason}");

    public void Closed(InstanceTarget instance)
    {
    }
}
