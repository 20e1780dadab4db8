using System.Diagnostics;

namespace Ashlar.Agent.Supervision;

/// <summary>
/// What the agent does by the clock, on a thread of its own, one wake-up for all of it: reads what every process group uses, each
/// second, writes it into the metrics, and keeps the logs within bounds, each second and more often while one is flooded.
/// </summary>
internal sealed class Housekeeping : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WhileFlooded = TimeSpan.FromMilliseconds(100);
    private readonly UsageMonitor _usage;
    private readonly AgentMetrics _metrics;
    private readonly LogRotator _logs;
    private readonly ManualResetEventSlim _ending = new();
    private readonly Thread _thread;

    public Housekeeping(UsageMonitor usage, AgentMetrics metrics, LogRotator logs)
    {
        (_usage, _metrics, _logs) = (usage, metrics, logs);
        _thread = new Thread(Run) { Name = "housekeeping", IsBackground = true };
        _thread.Start();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _ending.Set();
        _thread.Join();
        _ending.Dispose();
    }

    private void Run()
    {
        var flooded = false;
        var sampled = Stopwatch.GetTimestamp();
        while (!_ending.Wait(flooded ? WhileFlooded : Second))
        {
            flooded = _logs.RotateAll();
            if (!flooded || Stopwatch.GetElapsedTime(sampled) >= Second)
            {
                sampled = Stopwatch.GetTimestamp();
                _usage.Sample();
                _metrics.Write();
            }
        }
    }
}
