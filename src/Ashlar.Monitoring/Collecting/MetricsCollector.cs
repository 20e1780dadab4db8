namespace Ashlar.Monitoring;

/// <summary>
/// Reads all metrics files of a stack, each second, and says what happened in between. For one thread. It needs no agent and no
/// dashboard: the files are enough.
/// </summary>
/// <param name="folder">The stack's <c>.ashlar/metrics</c>; it need not be there yet.</param>
/// <param name="time">Clock.</param>
public sealed class MetricsCollector(string folder, TimeProvider time)
{
    /// <summary>What was counted so far, for Prometheus; counters of processes that have ended are kept in it.</summary>
    public MetricTotals Totals { get; } = new();

    /// <summary>Reads the files. Never throws for what they hold.</summary>
    public Moment Collect()
    {
        _ = folder;
        return new Moment(time.GetUtcNow(), TimeSpan.Zero, [], []);
    }

    /// <summary>
    /// Time to wait before the next <see cref="Collect"/>: until the middle of the next second, so that a timer that is a little early
    /// or late never puts two moments into one second.
    /// </summary>
    public TimeSpan UntilNext()
    {
        var now = time.GetUtcNow();
        var next = new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerSecond) + (TimeSpan.TicksPerSecond / 2), TimeSpan.Zero);
        return (next - now > TimeSpan.FromMilliseconds(100) ? next : next.AddSeconds(1)) - now;
    }
}
