using System.Collections.Immutable;
using Ashlar.Catalog;
using Ashlar.Engines.Etcd;
using Ashlar.Errors;

namespace Ashlar.Agent.Machines;

/// <summary>How far a machine has been left by what it ran. Pure.</summary>
internal static class Draining
{
    /// <summary>What belongs on a machine and cannot leave it, with the reason.</summary>
    public static ImmutableSortedDictionary<string, string> Stays(FleetView view, string machine) => view.Placement is not { } placement
        ? ImmutableSortedDictionary<string, string>.Empty
        : placement.Machines.Where(placed => placed.Value == machine && (placement.Pending.ContainsKey(placed.Key) || placement.Homes.GetValueOrDefault(placed.Key) == machine))
            .ToImmutableSortedDictionary(placed => placed.Key, placed => placement.Pending.GetValueOrDefault(placed.Key) ?? WhyData(view, machine, placed.Key));

    /// <summary>What belongs there or runs there and is to leave.</summary>
    public static ImmutableSortedSet<string> Leaving(FleetView view, string machine, ImmutableSortedDictionary<string, string> stays) =>
    [
        .. (view.Placement?.Machines ?? ImmutableSortedDictionary<string, string>.Empty).Where(placed => placed.Value == machine && !stays.ContainsKey(placed.Key)).Select(placed => placed.Key),
        .. Instances(view, machine).Select(instance => instance.Report.Name).Where(name => !stays.ContainsKey(name)),
    ];

    /// <summary>True: an instance is healthy on the machine where it belongs now, and no more where it was; or it is wanted nowhere.</summary>
    public static bool HasMoved(FleetView view, string instance, string from)
    {
        if (Instances(view, from).Any(i => i.Report.Name == instance))
        {
            return false;
        }

        return view.Placement?.Machines.TryGetValue(instance, out var to) != true
            || (to != from && Instances(view, to!).Any(i => i.Report.Name == instance && i.Report.State == InstanceState.Healthy));
    }

    /// <summary>Refuses to wait for what has failed where it was to move.</summary>
    public static void RequireNoFailure(FleetView view, ImmutableSortedSet<string> moving)
    {
        foreach (var name in moving)
        {
            if (view.Placement?.Machines.GetValueOrDefault(name) is { } to && view.Reports.GetValueOrDefault(to) is { Failure: { } failure } report
                && report.Instances.Any(i => i.Report.Name == name && i.Report.State is InstanceState.Backoff or InstanceState.Crashed))
            {
                throw new AshlarException(failure with { Message = $"On machine {to}: {failure.Message}" });
            }
        }
    }

    private static string WhyData(FleetView view, string machine, string instance) =>
        Instances(view, machine).FirstOrDefault(i => i.Report.Name == instance) is not { Report.Role: "primary" } primary ? "its data is there"
        : Copy(view, primary) is { } copy ? $"it is the primary, whose data is there; {copy.Name} on {copy.Machine} follows it, and cannot take its place by order yet"
        : "it is the primary, whose data is there, and no replica on another machine follows it";

    private static (string Name, string Machine)? Copy(FleetView view, MachineInstance primary) => view.Reports.Values
        .SelectMany(report => report.Instances.Select(i => (i.Report.Name, Machine: report.Name, Instance: i)))
        .Where(i => i.Instance.Tier == primary.Tier && i.Instance.Service == primary.Service && i.Name != primary.Report.Name && i.Instance.Report.State == InstanceState.Healthy)
        .Select(i => ((string, string)?)(i.Name, i.Machine)).FirstOrDefault();

    private static IEnumerable<MachineInstance> Instances(FleetView view, string machine) =>
        view.Reports.GetValueOrDefault(machine)?.Instances.Where(instance => !Tiers.IsEverywhere(instance.Tier) && instance.Tier != EtcdTier.Tier) ?? [];
}
