using System.Collections.Immutable;
using System.Diagnostics;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Fleet.Liveness;
using Ashlar.Fleet.Placement;

namespace Ashlar.Agent.Machines;

/// <summary>Says where the instances of a target belong; the leader does, for all.</summary>
internal static class FleetPlacement
{
    /// <summary>Places them and writes it down. True: something has changed.</summary>
    public static async Task<bool> PlaceAsync(FleetLink fleet, Target target)
    {
        if (Compute(fleet.View, target, Stopwatch.GetTimestamp()) is not { } placement || IsSame(placement, fleet.View.Placement))
        {
            return false;
        }

        await fleet.SavePlacementAsync(placement);
        return true;
    }

    /// <summary>Where they belong; null: more than half of the machines are silent, so nothing may move. Pure.</summary>
    public static PlacementRecord? Compute(FleetView view, Target target, long now)
    {
        var all = target.Instances.Concat(target.Elsewhere).ToArray();
        var present = view.Placement?.Machines ?? ImmutableSortedDictionary<string, string>.Empty;
        var sightings = view.Records.Keys.ToImmutableSortedDictionary(
            name => name,
            name => new MachineSighting(
                view.SilentSince.TryGetValue(name, out var since) ? LivenessJudge.SuspectAfter + Stopwatch.GetElapsedTime(since, now) : TimeSpan.Zero,
                WasLost: view.Placement?.Lost.Contains(name) ?? false),
            StringComparer.Ordinal);
        var verdict = LivenessJudge.Judge(sightings);
        if (verdict.Frozen)
        {
            return null;
        }

        var machines = view.Records.Values.Select(record => new PlacementMachine
        {
            Name = record.Name,
            Labels = record.Labels,
            Memory = record.Memory,
            Cpu = record.Cores,
            Admission = verdict.Health[record.Name] switch
            {
                MachineHealth.Lost => Admission.Lost,
                MachineHealth.Suspect when record.Admission == Admission.Open => Admission.Closed,
                _ => record.Admission,
            },
        });
        var demands = all
            .Where(instance => !MachinePart.IsEverywhere(instance) && instance.Tier != Engines.Etcd.EtcdTier.Tier)
            .Select(instance => Demand(instance, present));
        var result = Placer.Place(machines, demands, present.IsEmpty ? Here(target, view) : present);
        return new PlacementRecord
        {
            Machines = result.Machines,
            Pending = result.Pending,
            Lost = [.. verdict.Health.Where(health => health.Value == MachineHealth.Lost).Select(health => health.Key)],
        };
    }

    private static PlacementDemand Demand(DesiredInstance instance, ImmutableSortedDictionary<string, string> present) => new()
    {
        Service = instance.Service,
        Index = instance.Index,
        Memory = instance.Launch.Memory ?? 0,
        Cpu = instance.Launch.Cpu ?? 0,
        PinnedTo = instance.KeepsData ? present.GetValueOrDefault(instance.Name) : null,
    };

    // Before the first placement all ran on the machine that is now the first of several.
    private static ImmutableSortedDictionary<string, string> Here(Target target, FleetView view) => view.Leader is not { } first
        ? ImmutableSortedDictionary<string, string>.Empty
        : target.Instances.ToImmutableSortedDictionary(instance => instance.Name, _ => first, StringComparer.Ordinal);

    private static bool IsSame(PlacementRecord a, PlacementRecord? b) =>
        b is not null && a.Machines.SequenceEqual(b.Machines) && a.Pending.SequenceEqual(b.Pending) && a.Lost.SetEquals(b.Lost);
}
