using System.Collections.Immutable;

namespace Ashlar.Agent.Machines;

/// <summary>
/// How far the clocks of other machines are from ours, by the time that they tell with what they report. A report may be late; so of the last two
/// measures the smaller counts. From any thread.
/// </summary>
internal sealed class ClockWatch
{
    /// <summary>Difference that is worth a warning.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(5);

    private ImmutableDictionary<string, Measure> _measures = ImmutableDictionary<string, Measure>.Empty;

    /// <summary>A machine has told its time.</summary>
    /// <param name="machine">Its name.</param>
    /// <param name="clock">What it told.</param>
    /// <param name="now">Our own time, when it was heard.</param>
    public void Hear(string machine, DateTimeOffset clock, DateTimeOffset now)
    {
        if (clock != default && _measures.GetValueOrDefault(machine)?.Clock != clock)
        {
            ImmutableInterlocked.AddOrUpdate(ref _measures, machine, new Measure(clock, clock - now, null), (_, before) => new Measure(clock, clock - now, before.Last));
        }
    }

    /// <summary>How far a machine's clock is ahead of ours; zero: too little to tell, or not known yet.</summary>
    public TimeSpan Off(string machine) => _measures.GetValueOrDefault(machine) is { Before: { } before } measure
        && (measure.Last.Duration() < before.Duration() ? measure.Last : before) is var off && off.Duration() > Tolerance
            ? off
            : TimeSpan.Zero;

    private sealed record Measure(DateTimeOffset Clock, TimeSpan Last, TimeSpan? Before);
}
