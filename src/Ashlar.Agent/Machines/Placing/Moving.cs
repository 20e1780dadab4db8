using System.Collections.Immutable;
using Ashlar.Agent.Reconciling;
using Ashlar.Catalog;

namespace Ashlar.Agent.Machines;

/// <summary>
/// Make before break: what belongs on another machine now serves on here until that machine tells that its own is healthy. So the edges
/// never have fewer than before. Pure.
/// </summary>
internal static class Moving
{
    /// <summary>What of this machine's instances is kept although it belongs elsewhere, each as it runs: nothing is started or replaced for it.</summary>
    /// <param name="here">What belongs here.</param>
    /// <param name="elsewhere">What belongs on other machines, or fits nowhere.</param>
    /// <param name="observed">What is here.</param>
    /// <param name="view">What is known of the others.</param>
    /// <param name="own">Name of this machine.</param>
    public static ImmutableArray<DesiredInstance> Kept(
        ImmutableArray<DesiredInstance> here, ImmutableArray<DesiredInstance> elsewhere, IReadOnlyCollection<ObservedInstance> observed, FleetView view, string own) =>
        elsewhere.IsEmpty ? [] :
        [
            .. observed.Where(o => o.State is InstanceState.Healthy or InstanceState.Unhealthy && !here.Any(d => d.Tier == o.Tier && d.Name == o.Name))
                .OrderBy(o => o.State != InstanceState.Healthy).ThenBy(o => o.Generation).DistinctBy(o => (o.Tier, o.Name))
                .Select(o => (Observed: o, Desired: elsewhere.FirstOrDefault(d => d.Tier == o.Tier && d.Name == o.Name)))
                .Where(kept => kept.Desired is not null && CanBeTwice(kept.Desired) && !IsHealthyThere(kept.Desired, view, own))
                .Select(kept => kept.Desired! with { Fingerprint = kept.Observed.Fingerprint }),
        ];

    /// <summary>True: it fits on no machine, so it stays until it does.</summary>
    public static bool HasNowhereToGo(DesiredInstance instance, FleetView view) => view.Placement is { } placement && !placement.Machines.ContainsKey(instance.Name);

    /// <summary>False: it shares data or a port with its successor, and ends before that begins.</summary>
    public static bool CanBeTwice(DesiredInstance instance) => instance is { Exclusive: false, KeepsData: false } && !Tiers.IsBacking(instance.Tier);

    // What fits nowhere stays on one machine: of those where it is healthy the first by name.
    private static bool IsHealthyThere(DesiredInstance instance, FleetView view, string own) =>
        view.Placement?.Machines.GetValueOrDefault(instance.Name) is { } machine
            ? view.Reports.TryGetValue(machine, out var report) && IsHealthy(instance, report)
            : view.Reports.Any(other => string.CompareOrdinal(other.Key, own) < 0 && IsHealthy(instance, other.Value));

    private static bool IsHealthy(DesiredInstance instance, MachineReport report) =>
        report.Instances.Any(i => i.Tier == instance.Tier && i.Service == instance.Service && i.Index == instance.Index && i.Report.State == InstanceState.Healthy);
}
