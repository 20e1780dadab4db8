using System.Collections.Immutable;

namespace Ashlar.Fleet.Liveness;

/// <summary>
/// Judges from silence whether machines are there. Where more than half would be lost, the watcher is taken to be wrong: nothing is
/// declared lost until most are heard of again. Who is lost again and again is trusted later each time. Pure; silence is measured by one
/// clock that only runs forward.
/// </summary>
public static class LivenessJudge
{
    private const int MostDoublings = 5;
    private static readonly TimeSpan FirstProbation = TimeSpan.FromMinutes(1);

    /// <summary>Silence after which a machine is suspected.</summary>
    public static TimeSpan SuspectAfter { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Silence after which it is lost.</summary>
    public static TimeSpan LostAfter { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Presence after which its losses are forgotten.</summary>
    public static TimeSpan ForgivenAfter { get; } = TimeSpan.FromHours(1);

    /// <summary>Presence after which a machine that was lost so many times is steady again: a minute, and twice that with each further loss, up to 32.</summary>
    /// <param name="losses">Times it was lost and not forgiven.</param>
    public static TimeSpan Probation(int losses) => losses == 0 ? TimeSpan.Zero : FirstProbation * (1 << Math.Min(losses - 1, MostDoublings));

    /// <summary>Judges all machines.</summary>
    /// <param name="sightings">What is known of each, by name.</param>
    public static LivenessVerdict Judge(ImmutableSortedDictionary<string, MachineSighting> sightings)
    {
        var health = sightings.ToImmutableSortedDictionary(s => s.Key, s => Of(s.Value), StringComparer.Ordinal);
        var newly = health.Where(h => h.Value == MachineHealth.Lost && !sightings[h.Key].WasLost).Select(h => h.Key).ToArray();

        // Those already known to be lost were lost one at a time, and are no sign of a blind watcher. Those that are merely suspected are one:
        // leases of machines that go together end over some seconds, and the first of them must not be judged as if it went alone.
        var known = health.Count(h => h.Value == MachineHealth.Lost) - newly.Length;
        var silent = health.Count(h => h.Value != MachineHealth.Alive) - known;
        var frozen = newly.Length > 0 && silent * 2 > sightings.Count - known;
        if (frozen)
        {
            health = health.SetItems(newly.Select(name => KeyValuePair.Create(name, MachineHealth.Suspect)));
        }

        var losses = sightings.Where(s => s.Value.HeardFor < ForgivenAfter)
            .Select(s => KeyValuePair.Create(s.Key, s.Value.Losses + (!frozen && newly.Contains(s.Key) ? 1 : 0)))
            .Where(l => l.Value > 0).ToImmutableSortedDictionary(StringComparer.Ordinal);
        return new LivenessVerdict(health, frozen)
        {
            Losses = losses,
            Unsteady = [.. losses.Where(l => sightings[l.Key].HeardFor < Probation(l.Value)).Select(l => l.Key)],
        };
    }

    private static MachineHealth Of(MachineSighting sighting) =>
        sighting.Silence >= LostAfter ? MachineHealth.Lost
        : sighting.Silence >= SuspectAfter ? MachineHealth.Suspect
        : MachineHealth.Alive;
}

/// <summary>What is known of one machine.</summary>
/// <param name="Silence">Time since it was last heard of.</param>
/// <param name="WasLost">True: it was judged to be lost before, and what could move has moved.</param>
/// <param name="Losses">Times that it was lost, as the last verdict counted them.</param>
/// <param name="HeardFor">Time since it is heard of without a break; zero: it is silent.</param>
public sealed record MachineSighting(TimeSpan Silence, bool WasLost = false, int Losses = 0, TimeSpan HeardFor = default);

/// <summary>The judgement on all machines.</summary>
/// <param name="Health">Of each machine, by name.</param>
/// <param name="Frozen">True: more than half would be lost at once. Nothing may be moved.</param>
public sealed record LivenessVerdict(ImmutableSortedDictionary<string, MachineHealth> Health, bool Frozen)
{
    /// <summary>How many times machines were lost and not forgiven; who is not named never was.</summary>
    public ImmutableSortedDictionary<string, int> Losses { get; init; } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>Machines whose last loss is too recent to move anything there.</summary>
    public ImmutableSortedSet<string> Unsteady { get; init; } = [];
}
