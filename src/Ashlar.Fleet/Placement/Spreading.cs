using System.Collections.Immutable;

namespace Ashlar.Fleet.Placement;

/// <summary>An instance that is to go to another machine.</summary>
/// <param name="Instance"><c>web.2</c>.</param>
/// <param name="From">Where it is.</param>
/// <param name="To">Where it is to be.</param>
public sealed record PlacementMove(string Instance, string From, string To);

/// <summary>
/// Which instances would have to move so that each service, and then all that runs, is spread over the machines. Pure. Each move makes it more
/// even, so there are no more of them than that takes; the order of the inputs is of no account.
/// </summary>
public static class Spreading
{
    /// <summary>Finds the moves.</summary>
    /// <param name="machines">All machines, names unique.</param>
    /// <param name="demands">All instances, names unique.</param>
    /// <param name="placed">Where instances belong, within the rules; what has no place there is of no account.</param>
    /// <param name="mayMove">Whether an instance may; one that is pinned never does.</param>
    public static ImmutableArray<PlacementMove> Moves(
        IEnumerable<PlacementMachine> machines, IEnumerable<PlacementDemand> demands, IReadOnlyDictionary<string, string> placed, Func<PlacementDemand, bool> mayMove)
    {
        var loads = machines.OrderBy(m => m.Name, StringComparer.Ordinal).Select(m => new MachineLoad(m)).ToArray();
        var byName = loads.ToDictionary(load => load.Machine.Name, StringComparer.Ordinal);
        foreach (var demand in demands.OrderBy(d => d.Service, StringComparer.Ordinal).ThenBy(d => d.Index))
        {
            if (placed.TryGetValue(demand.Name, out var name) && byName.TryGetValue(name, out var load))
            {
                load.Take(demand);
            }
        }

        var to = new Dictionary<string, string>(StringComparer.Ordinal);
        while (Best(loads, mayMove) is { } step)
        {
            step.From.Remove(step.Demand);
            step.To.Take(step.Demand);
            to[step.Demand.Name] = step.To.Machine.Name;
        }

        return [.. to.Where(m => placed[m.Key] != m.Value).OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => new PlacementMove(m.Key, placed[m.Key], m.Value))];
    }

    // A machine that is closed keeps what it has. One that was lost lately is as good as any: people have ordered it.
    private static Step? Best(MachineLoad[] loads, Func<PlacementDemand, bool> mayMove)
    {
        Step? best = null;
        foreach (var from in loads.Where(load => load.Machine.Admission == Admission.Open))
        {
            // The last of a service first: with the first, people know where it is.
            foreach (var demand in from.Taken.Where(d => d.PinnedTo is null && mayMove(d)).OrderByDescending(d => d.Index).DistinctBy(d => (d.Service, d.Memory, d.Cpu)))
            {
                foreach (var to in loads.Where(load => load != from))
                {
                    var step = new Step(demand, from, to, from.Of(demand.Service) - to.Of(demand.Service), from.Taken.Count - to.Taken.Count);
                    if (step.Helps && (best is null || step.IsBetterThan(best.Value)) && to.Admits(demand) && to.Holds(demand))
                    {
                        best = step;
                    }
                }
            }
        }

        return best;
    }

    /// <param name="Demand">What would go.</param>
    /// <param name="From">Where it is.</param>
    /// <param name="To">Where it would be.</param>
    /// <param name="OfService">How many more of its service are where it is than where it would be.</param>
    /// <param name="InAll">The same of all instances.</param>
    private readonly record struct Step(PlacementDemand Demand, MachineLoad From, MachineLoad To, int OfService, int InAll)
    {
        // By two at least, or it would only change places; and nothing that all share is spread at a service's cost.
        public bool Helps => OfService > 1 || (OfService == 1 && InAll > 1);

        public bool IsBetterThan(Step other) => (Math.Max(OfService, 1), InAll).CompareTo((Math.Max(other.OfService, 1), other.InAll)) is not 0 and var more ? more > 0
            : string.CompareOrdinal(Demand.Name, other.Demand.Name) is not 0 and var name ? name < 0
            : string.CompareOrdinal(To.Machine.Name, other.To.Machine.Name) < 0;
    }
}
