using Ashlar.Bench;

var root = args is ["--root", var given, ..] ? given : Environment.CurrentDirectory;
var rest = args.Where(a => a != "--root" && a != root).ToArray();
var quick = rest.Contains("--quick");
var name = rest.FirstOrDefault(a => !a.StartsWith('-'));
Func<BenchContext, Task<Outcome>>? benchmark = name switch
{
    "edge" => EdgeBenchmark.RunAsync,
    "connect" => EdgeBenchmark.ConnectAsync,
    "static" => StaticBenchmark.RunAsync,
    "hop" => HopBenchmark.RunAsync,
    "tls" => TlsBenchmark.RunAsync,
    "jobs" => JobsBenchmark.RunAsync,
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
    Console.Error.WriteLine("bench/run lists the names");
    return 2;
}
using var context = new BenchContext(root, name!, quick);
var outcome = await benchmark(context);
context.Save(outcome);
Console.WriteLine();
Console.WriteLine(string.Join(' ', outcome.Pairs.Select(p => FormattableString.Invariant($"{p.Key}={p.Value:0.###}"))));
return 0;
