using System.Globalization;
using System.Text.RegularExpressions;

namespace Ashlar.Bench;

/// <summary>Reads from /proc what a process has cost.</summary>
internal static partial class Measure
{
    private const double TicksPerSecond = 100;

    /// <summary>CPU seconds of a process and its live children (nginx's workers).</summary>
    public static double CpuSeconds(int pid)
    {
        var total = 0.0;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), out var id) && Fields(id) is { } stat && (id == pid || int.Parse(stat[1], CultureInfo.InvariantCulture) == pid))
            {
                total += (double.Parse(stat[11], CultureInfo.InvariantCulture) + double.Parse(stat[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
            }
        }
        return total;
    }

    /// <summary>The same with what its children have cost that have ended (PostgreSQL's connections).</summary>
    public static double CpuSecondsWithEnded(int pid) =>
        CpuSeconds(pid) + (Fields(pid) is { } stat ? (double.Parse(stat[13], CultureInfo.InvariantCulture) + double.Parse(stat[14], CultureInfo.InvariantCulture)) / TicksPerSecond : 0);

    /// <summary>Proportional set size in bytes.</summary>
    public static long Pss(int pid) =>
        long.Parse(File.ReadLines($"/proc/{pid}/smaps_rollup").First(l => l.StartsWith("Pss:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;

    /// <summary>Shares of a core that processes use for a time, in their order.</summary>
    public static async Task<double[]> CpuSharesAsync(TimeSpan time, params int[] pids)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var before = pids.Select(Threads).ToArray();
        await Task.Delay(time);
        return [.. pids.Select((pid, i) => Threads(pid).Sum(t => t.Value - before[i].GetValueOrDefault(t.Key)) / 1e9 / clock.Elapsed.TotalSeconds)];
    }

    // Nanoseconds on the CPU, by thread: /proc/PID/stat counts whole ticks, too coarse for a process that sleeps.
    private static Dictionary<string, double> Threads(int pid)
    {
        var threads = new Dictionary<string, double>();
        foreach (var thread in Directory.EnumerateDirectories($"/proc/{pid}/task"))
        {
            try
            {
                threads[thread] = double.Parse(File.ReadAllText(Path.Combine(thread, "schedstat")).Split(' ')[0], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // it has ended
            }
        }
        return threads;
    }

    /// <summary>Median and range for people.</summary>
    public static string Range(IReadOnlyCollection<double> values, string format) =>
        $"{Median(values).ToString(format, CultureInfo.InvariantCulture)} ({values.Min().ToString(format, CultureInfo.InvariantCulture)}–{values.Max().ToString(format, CultureInfo.InvariantCulture)})";

    private static string[]? Fields(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>wrk with one thread: requests, seconds, p99 in ms, and what went wrong.</summary>
    public static async Task<(double Requests, double Seconds, double P99, int Errors)> WrkAsync(string url, int connections, int seconds, params string[] headers)
    {
        return ReadWrk(await BenchContext.RunAsync("wrk", ["-t1", $"-c{connections}", $"-d{seconds}s", "--latency", .. headers.SelectMany(h => new[] { "-H", h }), url]));
    }

    /// <summary>The same from what wrk has printed, with <c>--latency</c>.</summary>
    public static (double Requests, double Seconds, double P99, int Errors) ReadWrk(string text)
    {
        var total = RequestsLine().Match(text);
        var p99 = P99Line().Match(text);
        var errors = ErrorLines().Matches(text).Sum(m => m.Groups.Cast<Group>().Skip(1).Where(g => g.Success).Sum(g => int.Parse(g.Value)));
        return (double.Parse(total.Groups[1].Value), Seconds(total.Groups[2].Value, total.Groups[3].Value), Seconds(p99.Groups[1].Value, p99.Groups[2].Value) * 1000, errors);
    }

    private static double Seconds(string number, string unit) => double.Parse(number) * unit switch { "us" => 1e-6, "ms" => 1e-3, "m" => 60, _ => 1 };

    [GeneratedRegex(@"(\d+) requests in ([\d.]+)(us|ms|s|m)")]
    private static partial Regex RequestsLine();

    [GeneratedRegex(@"99%\s+([\d.]+)(us|ms|s|m)")]
    private static partial Regex P99Line();

    [GeneratedRegex(@"connect (\d+), read (\d+), write (\d+), timeout (\d+)|Non-2xx or 3xx responses: (\d+)")]
    private static partial Regex ErrorLines();
}
