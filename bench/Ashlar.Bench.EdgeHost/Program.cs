// The data plane alone, for measuring and profiling: edge-host PORT UPSTREAM-PORT [LOOPS [ACCESS-LOG]]
// Listens on 127.0.0.1:PORT and forwards everything to 127.0.0.1:UPSTREAM-PORT.
using System.Net;
using System.Net.Sockets;
using Ashlar.Catalog;
using Ashlar.Edge;
using Ashlar.Edge.Balancing;
using Ashlar.Edge.Forwarding;
using Ashlar.Edge.Logging;
using Ashlar.Monitoring;

var port = int.Parse(args[0]);
var options = new ForwardingOptions();
if (args.Length > 2)
{
    options = options with { Loops = int.Parse(args[2]) };
}

var metrics = new EdgeMetrics(MetricsFile.InMemory(options.Loops));
using var log = new AccessLog(args.Length > 3 ? args[3] : "/dev/null", static error => Console.Error.WriteLine(error));
var services = new ServiceTargets(metrics, new Silent());
services.Apply(new CatalogSnapshot
{
    Revision = 1,
    Stack = "bench",
    Services =
    [
        new CatalogService
        {
            Name = "web",
            Routes = [new CatalogRoute(null, "/")],
            Instances = [new CatalogInstance { Id = "web.1/1", Name = "web.1", Address = "127.0.0.1", Port = int.Parse(args[1]), State = InstanceState.Healthy }],
        },
    ],
});

using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
listener.Blocking = false;
listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
listener.Listen(4096);

await using var server = new EdgeServer(services, options, metrics, log, static fault => Console.Error.WriteLine(fault));
await server.ListenAsync(new EdgeListener("http", (int)listener.Handle, port, null));
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
