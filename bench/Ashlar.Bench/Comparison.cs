using System.Diagnostics;

namespace Ashlar.Bench;

/// <summary>One kind of load on several servers in turn: how many they do a second, and what one costs them in CPU.</summary>
internal static class Comparison
{
    private const string Ours = "ashlar";
    private const int MostWarmUps = 6;

    /// <summary>Measures, prints a table, keeps the samples, and the ratio of CPU: ours over the better of the round.</summary>
    /// <param name="pair">Name of the ratio, without <c>-cpu</c>.</param>
    /// <param name="scenario">What is measured, for people.</param>
    /// <param name="measure">Loads the server at a port; how many it did.</param>
    /// <param name="servers">Ours is called <c>ashlar</c>.</param>
    /// <param name="rounds">How often each has its turn.</param>
    /// <param name="samples">Where samples go.</param>
    /// <param name="pairs">Where the ratio goes.</param>
    public static async Task RunAsync(
        string pair, string scenario, Func<int, Task<double>> measure, (string Name, int Port, int Pid)[] servers, int rounds,
        Dictionary<string, double[]> samples, Dictionary<string, double> pairs)
    {
        var cpu = servers.ToDictionary(p => p.Name, _ => new List<double>());
        var rate = servers.ToDictionary(p => p.Name, _ => new List<double>());
        foreach (var (_, port, pid) in servers)
        {
            await WarmAsync(measure, port, pid);
        }

        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < servers.Length; i++)
            {
                var (name, port, pid) = servers[(i + round) % servers.Length];
                var (before, clock) = (Measure.CpuSeconds(pid), Stopwatch.StartNew());
                var done = await measure(port);
                cpu[name].Add((Measure.CpuSeconds(pid) - before) / done * 1e6);
                rate[name].Add(done / clock.Elapsed.TotalSeconds);
            }
        }

        Console.WriteLine($"{scenario}, {rounds} interleaved rounds; median (range)");
        Console.WriteLine($"{"",-10}{"a second",26}{"CPU µs each",26}");
        foreach (var (name, _, _) in servers)
        {
            Console.WriteLine($"{name,-10}{Measure.Range(rate[name], "N0"),26}{Measure.Range(cpu[name], "N1"),26}");
            samples[$"{pair}.{name}.cpu"] = [.. cpu[name]];
            samples[$"{pair}.{name}.rps"] = [.. rate[name]];
        }

        pairs[$"{pair}-cpu"] = Measure.Median(Enumerable.Range(0, rounds).Select(r => cpu[Ours][r] / cpu.Where(c => c.Key != Ours).Min(c => c.Value[r])));
    }

    // Until another turn makes it no cheaper: a program that is compiled while it runs is to be measured when it has been.
    private static async Task WarmAsync(Func<int, Task<double>> measure, int port, int pid)
    {
        var last = double.MaxValue;
        for (var turn = 0; turn < MostWarmUps; turn++)
        {
            var before = Measure.CpuSeconds(pid);
            var done = await measure(port);
            var cost = (Measure.CpuSeconds(pid) - before) / done;
            if (cost > last * 0.9)
            {
                return;
            }

            last = cost;
        }
    }
}
