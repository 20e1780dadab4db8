using System.Collections.Immutable;

namespace Ashlar.Fleet.Liveness;

/// <summary>
/// Judges from silence whether machines are there. Where more than half would be lost, the watcher is taken to be wrong: nothing is
/// declared lost until most are heard of again. Pure; silence is measured by one clock that only runs forward.
/// </summary>
public static class LivenessJudge
{
    /// <summary>Silence after which a machine is suspected.</summary>
    public static TimeSpan SuspectAfter { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Silence after which it is lost.</summary>
    public static TimeSpan LostAfter { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Judges all machines.</summary>
    /// <param name="sightings">What is known of each, by name.</param>
    public static LivenessVerdict Judge(ImmutableSortedDictionary<string, MachineSighting> sightings)
    {
        var health = sightings.ToImmutableSortedDictionary(s => s.Key, s => Of(s.Value), StringComparer.Ordinal);
        var lost = health.Where(h => h.Value == MachineHealth.Lost).Select(h => h.Key).ToArray();

        // Those already known to be lost were lost one at a time, and are no sign of a blind watcher.
        var newly = lost.Where(name => !sightings[name].WasLost).ToArray();
        var known = lost.Length - newly.Length;
        if (newly.Length > 0 && newly.Length * 2 > sightings.Count - known)
        {
            return new LivenessVerdict(health.SetItems(newly.Select(name => KeyValuePair.Create(name, MachineHealth.Suspect))), Frozen: true);
        }

        return new LivenessVerdict(health, Frozen: false);
    }

    private static MachineHealth Of(MachineSighting sighting) =>
        sighting.Silence >= LostAfter ? MachineHealth.Lost
        : sighting.Silence >= SuspectAfter ? MachineHealth.Suspect
        : MachineHealth.Alive;
}

/// <summary>What is known of one machine.</summary>
/// <param name="Silence">Time since it was last heard of.</param>
/// <param name="WasLost">True: it was judged to be lost before, and what could move has moved.</param>
public sealed record MachineSighting(TimeSpan Silence, bool WasLost = false);

/// <summary>The judgement on all machines.</summary>
/// <param name="Health">Of each machine, by name.</param>
/// <param name="Frozen">True: more than half would be lost at once. Nothing may be moved.</param>
public sealed record LivenessVerdict(ImmutableSortedDictionary<string, MachineHealth> Health, bool Frozen);
