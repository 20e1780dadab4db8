namespace Ashlar.Bench;

/// <summary>1, 2 and 4 instances of a CPU-bound service, each held to a quarter of a core: throughput over N times that of one.</summary>
internal static class ScaleBenchmark
{
    public static async Task<Outcome> RunAsync(BenchContext context)
    {
        var (rounds, seconds) = context.Quick ? (2, 4) : (5, 8);
        var port = BenchContext.FreePort();
        context.Write("stack/ashlar.yaml", $"""
            name: bench-scale
            services:
              web:
                run: "'{context.TestApp}'"
                route: /
                limits: {"{"}cpu: 0.25{"}"}
            edge:
              listen: {"{"}http: "127.0.0.1:{port}"{"}"}
            """);
        await using var stack = await BenchStack.UpAsync(context, "stack");
        int[] counts = [1, 2, 4];
        var rates = counts.ToDictionary(n => n, _ => new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var count in counts)
            {
                await stack.ScaleAsync("web", count);
                await Measure.WrkAsync($"http://127.0.0.1:{port}/spin?us=1000", 4 * count, 2);
                var (requests, elapsed, _, errors) = await Measure.WrkAsync($"http://127.0.0.1:{port}/spin?us=1000", 4 * count, seconds);
                rates[count].Add(errors == 0 ? requests / elapsed : throw new InvalidOperationException($"{errors} requests failed"));
            }
        }
        Console.WriteLine($"A CPU-bound service, a quarter of a core an instance, {rounds} rounds of {seconds} s; median (range)");
        Console.WriteLine($"{"instances",-12}{"requests/s",26}{"of linear",12}");
        foreach (var count in counts)
        {
            Console.WriteLine($"{count,-12}{$"{Measure.Median(rates[count]):N1} ({rates[count].Min():N1}–{rates[count].Max():N1})",26}{Linear(count),12:P1}");
        }
        return new Outcome(
            new Dictionary<string, double> { ["instances-2-linear"] = Linear(2), ["instances-4-linear"] = Linear(4) },
            counts.ToDictionary(n => $"rps.{n}", n => rates[n].ToArray()),
            new Dictionary<string, string>());

        double Linear(int count) => Measure.Median(Enumerable.Range(0, rounds).Select(r => rates[count][r] / (count * rates[1][r])));
    }
}
