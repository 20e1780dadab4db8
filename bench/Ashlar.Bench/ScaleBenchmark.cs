namespace Ashlar.Bench;

/// <summary>
/// 1, 2 and 4 instances of a CPU-bound service, each held to a quarter of a core: throughput over N times that of one. What is missing to
/// linear has two causes, which are told apart: instances that did not use up their quarter (balancing), and requests that cost
/// more CPU time when more cores are busy (the machine).
/// </summary>
internal static class ScaleBenchmark
{
    private const double Quarter = 0.25;

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
        var used = counts.ToDictionary(n => n, _ => new List<double>());
        var cost = counts.ToDictionary(n => n, _ => new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var count in counts)
            {
                await stack.ScaleAsync("web", count);
                await Measure.WrkAsync($"http://127.0.0.1:{port}/spin?us=1000", 4 * count, 2);
                var pids = new List<int>();
                for (var i = 1; i <= count; i++)
                {
                    pids.Add(await stack.PidAsync($"web.{i}"));
                }
                var before = pids.Sum(Measure.CpuSeconds);
                var (requests, elapsed, _, errors) = await Measure.WrkAsync($"http://127.0.0.1:{port}/spin?us=1000", 4 * count, seconds);
                rates[count].Add(errors == 0 ? requests / elapsed : throw new InvalidOperationException($"{errors} requests failed"));
                var cpu = pids.Sum(Measure.CpuSeconds) - before;
                used[count].Add(cpu / (count * Quarter * elapsed));
                cost[count].Add(cpu / requests * 1e3);
            }
        }
        Console.WriteLine($"A CPU-bound service, a quarter of a core an instance, {rounds} rounds of {seconds} s; median (range)");
        Console.WriteLine($"{"instances",-12}{"requests/s",26}{"of linear",12}{"of its quota",14}{"CPU ms/request",16}");
        foreach (var count in counts)
        {
            Console.WriteLine($"{count,-12}{$"{Measure.Median(rates[count]):N1} ({rates[count].Min():N1}–{rates[count].Max():N1})",26}{Linear(count),12:P1}{Measure.Median(used[count]),14:P1}{Measure.Median(cost[count]),16:N3}");
        }
        return new Outcome(
            new Dictionary<string, double> { ["instances-2-linear"] = Linear(2), ["instances-4-linear"] = Linear(4) },
            counts.SelectMany(n => new[] { ($"rps.{n}", rates[n]), ($"quota.{n}", used[n]), ($"cost.{n}", cost[n]) }).ToDictionary(s => s.Item1, s => s.Item2.ToArray()),
            new Dictionary<string, string>());

        double Linear(int count) => Measure.Median(Enumerable.Range(0, rounds).Select(r => rates[count][r] / (count * rates[1][r])));
    }
}
