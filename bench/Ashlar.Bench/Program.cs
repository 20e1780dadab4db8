using Ashlar.Bench;

var root = args is ["--root", var given, ..] ? given : Environment.CurrentDirectory;
var rest = args.Where(a => a != "--root" && a != root).ToArray();
var quick = rest.Contains("--quick");
var name = rest.FirstOrDefault(a => !a.StartsWith('-'));
Func<BenchContext, Task<Outcome>>? benchmark = name switch
{
    "edge" => EdgeBenchmark.RunAsync,
    "connect" => EdgeBenchmark.ConnectAsync,
    "hop" => HopBenchmark.RunAsync,
    "tls" => TlsBenchmark.RunAsync,
    "dns" => DnsBenchmark.RunAsync,
    "up" => UpBenchmark.RunAsync,
    "scale" => ScaleBenchmark.RunAsync,
    "fleet" => FleetBenchmark.RunAsync,
    "reconcile" => FleetBenchmark.ReconcileAsync,
    "cache" => CacheBenchmark.RunAsync,
    _ => null,
};
if (benchmark is null)
{
    Console.Error.WriteLine("usage: bench/run NAME [--quick]\n  edge    proxying 1 KiB beside nginx and HAProxy\n  connect the same with a new connection for each request\n  tls     TLS: kept connections, HTTP/2, handshakes, beside nginx and Caddy\n  hop     what a hop between machines adds to a request, beside nginx\n  dns     answers over UDP beside Knot and NSD\n  up      start to the first 200, memory, idle CPU\n  scale   1, 2, 4 instances of a CPU-bound service\n  fleet   1, 2, 3 machines beside HAProxy, a machine's loss, a fleet's idle cost (root)\n  reconcile  a round of 100 machines with 5,000 instances");
    return 2;
}
using var context = new BenchContext(root, name!, quick);
var outcome = await benchmark(context);
context.Save(outcome);
Console.WriteLine();
Console.WriteLine(string.Join(' ', outcome.Pairs.Select(p => FormattableString.Invariant($"{p.Key}={p.Value:0.###}"))));
return 0;
