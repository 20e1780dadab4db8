namespace Ashlar.Monitoring;

/// <summary>
/// Reads all metrics files of a stack, each second, and says what happened in between. For one thread. It needs no agent and no
/// dashboard: the files are enough.
/// </summary>
/// <param name="folder">The stack's <c>.ashlar/metrics</c>; it need not be there yet.</param>
/// <param name="time">Clock.</param>
public sealed class MetricsCollector(string folder, TimeProvider time)
{
    private readonly MetricsFolder _folder = new(folder);
    private readonly Changes _changes = new();
    private long? _passAt;
    private DateTimeOffset? _pass;
    private long _machineBusy;

    /// <summary>What was counted so far, for Prometheus; counters of processes that have ended are kept in it.</summary>
    public MetricTotals Totals { get; } = new();

    /// <summary>Reads the files. Never throws for what they hold.</summary>
    public Moment Collect()
    {
        var (now, at) = (time.GetUtcNow(), time.GetTimestamp());
        var span = _passAt is { } before ? time.GetElapsedTime(before, at) : TimeSpan.Zero;
        List<string> problems = [];
        var readings = _folder.Read(_pass, problems);
        (_pass, _passAt) = (now, at);

        var changes = _changes;
        changes.Begin(span);
        Totals.Begin();
        foreach (var reading in readings)
        {
            Take(reading, changes);
        }

        TakeMachine(changes);
        changes.ForEachTier(Totals.Learn);
        return new Moment(now, span, SampleBuilder.Build(changes, Totals), [.. problems]);
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

    private void Take(Reading reading, Changes changes)
    {
        var (all, earlier) = (reading.Now.Series, reading.Before?.Series ?? []);
        for (var i = 0; i < all.Length; i++)
        {
            // Series of a file keep their order.
            var series = all[i];
            var before = i < earlier.Length ? earlier[i] : null;
            if (series.Kind != SeriesKind.Gauge)
            {
                Totals.Add(series, before);
                changes.Count(series, before, reading.CountsAsNew);
            }
            else if (reading.Alive)
            {
                changes.Gauge(series.Name, series.Subject, series.Value);
                Totals.Set(series.Name, series.Subject, SeriesKind.Gauge, changes.GaugeOf(series.Name, series.Subject));
            }
        }
    }

    private void TakeMachine(Changes changes)
    {
        if (MachineFigures.Read() is not { } machine)
        {
            return;
        }

        changes.Rate(MachineFigures.Cpu, "", _machineBusy == 0 ? 0 : Math.Max(0, machine.BusyMilliseconds - _machineBusy));
        _machineBusy = machine.BusyMilliseconds;
        Totals.Set(MachineFigures.Cpu, "", SeriesKind.Counter, machine.BusyMilliseconds);
        TakeMachine(MachineFigures.CoreCount, machine.Cores);
        TakeMachine(MachineFigures.MemoryTotal, machine.Memory);
        TakeMachine(MachineFigures.MemoryFree, machine.MemoryAvailable);

        void TakeMachine(string name, long value)
        {
            changes.Gauge(name, "", value);
            Totals.Set(name, "", SeriesKind.Gauge, value);
        }
    }
}
