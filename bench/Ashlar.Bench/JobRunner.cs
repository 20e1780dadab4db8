using System.Diagnostics;
using System.Text.Json;

namespace Ashlar.Bench;

/// <summary>What became of jobs: how many are done, when the first began and the last ended (ns of one clock), and what those waited that say when they were enqueued (ms).</summary>
internal sealed record JobsDone(int Count, double First, double Last, double[] Waits);

/// <summary>Who does the jobs of a queue, and can be let go and stopped.</summary>
internal abstract class JobRunner(string name, string queue, int[] pids)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);

    /// <summary>Its name in the table.</summary>
    public string Name => name;

    /// <summary>The queue it does the jobs of, as the client calls it.</summary>
    public string Queue => queue;

    /// <summary>What its processes have cost.</summary>
    public double CpuSeconds => pids.Sum(Measure.CpuSeconds);

    /// <summary>Forgets what was done, and begins.</summary>
    public abstract Task StartAsync();

    /// <summary>Returns when it does nothing more and all is written down.</summary>
    public abstract Task StopAsync();

    /// <summary>What is done so far.</summary>
    protected abstract Task<JsonElement> LogAsync();

    /// <summary>Waits until so many are done.</summary>
    public async Task<JobsDone> FinishedAsync(int count)
    {
        for (var clock = Stopwatch.StartNew(); ;)
        {
            var log = await LogAsync();
            var done = new JobsDone(
                log.GetProperty("count").GetInt32(), log.GetProperty("first").GetDouble(), log.GetProperty("last").GetDouble(), [.. log.GetProperty("waits").EnumerateArray().Select(wait => wait.GetDouble())]);
            if (done.Count >= count)
            {
                return done.Count == count ? done : throw new InvalidOperationException($"{name}: {done.Count} jobs are done, and {count} were put in");
            }
            if (clock.Elapsed > s_patience)
            {
                throw new InvalidOperationException($"{name}: {done.Count} of {count} jobs are done after {s_patience.TotalMinutes} minutes");
            }
            await Task.Delay(25);
        }
    }
}

/// <summary>The jobs of a stack of ours, whose service notes what comes. Between the parts of the benchmark its queue is paused.</summary>
internal sealed class OurRunner(BenchStack stack, HttpClient service, int[] pids) : JobRunner("ashlar", "ashlar", pids)
{
    public override async Task StartAsync()
    {
        await service.GetStringAsync("/jobs/clear");
        await stack.RunAsync("jobs", "resume", "bench");
    }

    public override async Task StopAsync()
    {
        await stack.RunAsync("jobs", "pause", "bench");
        while (await InFlightAsync() > 0)
        {
            await Task.Delay(25);
        }
    }

    protected override async Task<JsonElement> LogAsync()
    {
        using var log = JsonDocument.Parse(await service.GetStringAsync("/jobs"));
        return log.RootElement.Clone();
    }

    private async Task<int> InFlightAsync()
    {
        using var report = JsonDocument.Parse(await stack.RunAsync("jobs", "--json"));
        return report.RootElement[0].GetProperty("inFlight").GetInt32();
    }
}

/// <summary>A worker of others.</summary>
internal sealed class PeerRunner(string name, string queue, NodeProgram program, int concurrency, string? url, int[] pids) : JobRunner(name, queue, pids)
{
    public override Task StartAsync() => program.DoAsync(new { Do = "start", concurrency, url });

    public override Task StopAsync() => program.DoAsync(new { Do = "stop" });

    protected override Task<JsonElement> LogAsync() => program.DoAsync(new { Do = "log" });
}
