using System.Collections.Immutable;

namespace Ashlar.Fleet.Placement;

/// <summary>
/// Says which instance runs on which machine. Pure, and stable: what may stay where it is stays, and nothing moves to make a
/// distribution nicer. The order of its inputs is of no account.
/// </summary>
public static class Placer
{
    /// <summary>Finds a place for every instance.</summary>
    /// <param name="machines">All machines, names unique.</param>
    /// <param name="demands">All instances, names unique.</param>
    /// <param name="present">Where instances are now; one that is no more wanted, or on a machine that is no more there, is of no account.</param>
    public static PlacementResult Place(
        IEnumerable<PlacementMachine> machines, IEnumerable<PlacementDemand> demands, IReadOnlyDictionary<string, string> present)
    {
        var loads = machines.OrderBy(m => m.Name, StringComparer.Ordinal).Select(m => new MachineLoad(m)).ToArray();
        var byName = loads.ToDictionary(load => load.Machine.Name, StringComparer.Ordinal);

        // What can go to few machines first, then the large: the small fill the gaps (first fit, decreasing).
        var ordered = demands.OrderBy(d => d.PinnedTo is null).ThenBy(d => !d.Dedicated).ThenBy(d => d.On is null)
            .ThenByDescending(d => d.Memory).ThenByDescending(d => d.Cpu)
            .ThenBy(d => d.Service, StringComparer.Ordinal).ThenBy(d => d.Index).ToArray();
        var homeless = ordered.Where(demand => !Stays(demand, byName, present)).ToList();
        var pending = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        for (var next = 0; next < homeless.Count; next++)
        {
            var demand = homeless[next];
            if (Choose(demand, loads) is { } chosen)
            {
                chosen.Take(demand);
            }
            else if (Clear(demand, loads) is { } cleared)
            {
                homeless.AddRange(cleared.Empty());
                cleared.Take(demand);
            }
            else
            {
                pending[demand.Name] = WhyNot.Explain(demand, loads);
            }
        }

        // What has no other place goes on where it runs, if that bears it: better there than nowhere.
        foreach (var demand in ordered.Where(demand => pending.ContainsKey(demand.Name)))
        {
            if (present.TryGetValue(demand.Name, out var name) && byName.TryGetValue(name, out var load)
                && load.Machine.Admission != Admission.Lost && (demand.PinnedTo is null || demand.PinnedTo == name) && load.Holds(demand))
            {
                load.Take(demand);
                pending[demand.Name] += $"; it stays on {name}";
            }
        }

        return new PlacementResult(
            loads.SelectMany(load => load.Taken.Select(d => KeyValuePair.Create(d.Name, load.Machine.Name)))
                .ToImmutableSortedDictionary(StringComparer.Ordinal),
            pending.ToImmutable());
    }

    private static bool Stays(PlacementDemand demand, Dictionary<string, MachineLoad> loads, IReadOnlyDictionary<string, string> present)
    {
        if (!present.TryGetValue(demand.Name, out var name) || !loads.TryGetValue(name, out var load)
            || (demand.PinnedTo is { } pin && pin != name) || !load.Keeps(demand) || !load.Holds(demand))
        {
            return false;
        }

        load.Take(demand);
        return true;
    }

    /// <summary>Of the steady machines the one with the fewest instances of the service, and of these the one that it fills best.</summary>
    private static MachineLoad? Choose(PlacementDemand demand, MachineLoad[] loads) => loads
        .Where(load => load.Admits(demand) && load.Holds(demand))
        .MinBy(load => (load.Machine.Unsteady, load.Of(demand.Service), load.FreeAfter(demand)));

    /// <summary>
    /// A machine of its own for a service that has none it could go to: the one that the fewest have to leave. None leaves for want of
    /// size alone, and none whose data is there.
    /// </summary>
    private static MachineLoad? Clear(PlacementDemand demand, MachineLoad[] loads) => !demand.Dedicated ? null : loads
        .Where(load => load.Admits(demand) && load.HoldsAlone(demand) && load.Taken.All(d => d is { PinnedTo: null, Dedicated: false }))
        .MinBy(load => (load.Machine.Unsteady, load.Taken.Count));
}
