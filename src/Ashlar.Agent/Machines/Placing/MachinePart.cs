using System.Collections.Immutable;
using Ashlar.Catalog;
using Ashlar.Engines.Etcd;

namespace Ashlar.Agent.Machines;

/// <summary>What of a plan for the whole stack is this machine's. Pure.</summary>
/// <param name="Machine">Name of this machine.</param>
/// <param name="Placement">Which instance belongs where; null: nothing is said yet, so all of it is here.</param>
/// <param name="Member">The member of etcd that runs here, or null.</param>
internal sealed record MachinePart(string Machine, PlacementRecord? Placement, EtcdMember? Member)
{
    /// <summary>True: every machine has one of its own.</summary>
    public static bool IsEverywhere(DesiredInstance instance) => Tiers.IsEverywhere(instance.Tier);

    /// <summary>Splits a plan.</summary>
    public (ImmutableArray<DesiredInstance> Here, ImmutableArray<DesiredInstance> Elsewhere) Split(PlanContext context, ImmutableArray<DesiredInstance> all)
    {
        var own = Placement?.Machines.Where(placed => placed.Value == Machine).Select(placed => placed.Key).ToHashSet(StringComparer.Ordinal);
        var parts = all.ToLookup(instance => IsEverywhere(instance) || own is null || own.Contains(instance.Name));
        return ([.. Member is null ? parts[true] : parts[true].Append(EtcdTier.Plan(context, Member))], [.. parts[false]]);
    }
}
