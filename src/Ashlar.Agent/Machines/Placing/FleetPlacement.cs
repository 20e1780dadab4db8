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
    // An order waits with us.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(100);

    /// <summary>Places them and writes it down. True: something has changed.</summary>
    /// <exception cref="Errors.AshlarException">ASH7512: this machine has ceased to lead, or is not told what is written.</exception>
    public static async Task<bool> PlaceAsync(FleetLink fleet, Target target)
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < Patience;)
        {
            var changed = fleet.Changed;
            var view = fleet.View;
            if (Compute(view, target, Stopwatch.GetTimestamp()) is not { } placement || IsSame(placement, view.Placement))
            {
                return false;
            }

            if (await fleet.SavePlacementAsync(placement, view.PlacementRevision))
            {
                return true;
            }

            // What we see is not what is written by now: we are about to be told.
            await Task.WhenAny(changed, Task.Delay(Again));
        }

        throw Fleet.FleetErrors.NoLeader();
    }

    /// <summary>Where they belong; null: more than half of the machines are silent, so nothing may move. Pure.</summary>
    public static PlacementRecord? Compute(FleetView view, Target target, long now)
    {
        var all = All(target);
        var before = view.Placement ?? new PlacementRecord { Machines = Here(target, view) };
        var verdict = Judge(view, now);
        if (verdict.Frozen)
        {
            return null;
        }

        var result = Placer.Place(Machines(view, target, verdict), Demands(all, before), before.Machines);
        return new PlacementRecord
        {
            Machines = result.Machines,
            Pending = result.Pending,
            Lost = [.. verdict.Health.Where(health => health.Value == MachineHealth.Lost).Select(health => health.Key)],
            Losses = verdict.Losses,
            Homes = before.Homes.SetItems(all.Where(instance => instance.KeepsData)
                .Select(instance => KeyValuePair.Create(instance.Name, Home(instance, before) ?? result.Machines.GetValueOrDefault(instance.Name)!))
                .Where(home => home.Value is not null)),
        };
    }

    /// <summary>
    /// Where they would belong if they were spread anew, and what has to move for that: of all that may run twice at a time, so that it is there
    /// before it goes; null: more than half of the machines are silent. Pure.
    /// </summary>
    public static (PlacementRecord Placement, ImmutableArray<PlacementMove> Moves)? Spread(FleetView view, Target target, long now)
    {
        if (Compute(view, target, now) is not { } placement)
        {
            return null;
        }

        var all = All(target);
        var movable = all.Where(instance => Moving.CanBeTwice(instance) && !placement.Pending.ContainsKey(instance.Name)).Select(instance => instance.Name).ToHashSet(StringComparer.Ordinal);
        var moves = Spreading.Moves(Machines(view, target, Judge(view, now)), Demands(all, placement), placement.Machines, demand => movable.Contains(demand.Name));
        return (placement with { Machines = placement.Machines.SetItems(moves.Select(move => KeyValuePair.Create(move.Instance, move.To))) }, moves);
    }

    /// <summary>Which machines are there, as far as this one can tell. Pure.</summary>
    public static LivenessVerdict Judge(FleetView view, long now) =>
        LivenessJudge.Judge(view.Records.Keys.ToImmutableSortedDictionary(name => name, name => Sighting(view, name, now), StringComparer.Ordinal));

    private static DesiredInstance[] All(Target target) => [.. target.Instances, .. target.Elsewhere];

    private static IEnumerable<PlacementMachine> Machines(FleetView view, Target target, LivenessVerdict verdict) => view.Records.Values.Select(record => new PlacementMachine
    {
        Name = record.Name,
        Labels = record.Labels.Union(target.Stack.Machines.GetValueOrDefault(record.Name)?.Labels ?? []),
        Memory = record.Memory,
        Cpu = record.Cores,
        Admission = verdict.Health[record.Name] switch
        {
            MachineHealth.Lost => Admission.Lost,
            MachineHealth.Suspect when record.Admission == Admission.Open => Admission.Closed,
            _ => record.Admission,
        },
        Unsteady = verdict.Unsteady.Contains(record.Name),
    });

    private static IEnumerable<PlacementDemand> Demands(DesiredInstance[] all, PlacementRecord before) => all
        .Where(instance => !MachinePart.IsEverywhere(instance) && instance.Tier != Engines.Etcd.EtcdTier.Tier)
        .Select(instance => Demand(instance, before));

    // Whoever leads is there, whatever has come of its reports.
    private static MachineSighting Sighting(FleetView view, string name, long now) => new(
        name != view.Leader && view.SilentSince.TryGetValue(name, out var since) ? LivenessJudge.SuspectAfter + Stopwatch.GetElapsedTime(since, now) : TimeSpan.Zero,
        WasLost: view.Placement?.Lost.Contains(name) ?? false,
        Losses: view.Placement?.Losses.GetValueOrDefault(name) ?? 0,
        HeardFor: view.HeardSince.TryGetValue(name, out var heard) ? Stopwatch.GetElapsedTime(heard, now) : TimeSpan.Zero);

    private static PlacementDemand Demand(DesiredInstance instance, PlacementRecord before) => new()
    {
        Service = instance.Service,
        Index = instance.Index,
        Memory = instance.Launch.Memory ?? 0,
        Cpu = instance.Launch.Cpu ?? 0,
        On = instance.Machines.On,
        Dedicated = instance.Machines.Dedicated,
        PinnedTo = Home(instance, before),
    };

    // Kept apart from where it runs: what is pending because its machine is lost must not be made anew, and empty, elsewhere.
    private static string? Home(DesiredInstance instance, PlacementRecord before) => instance.KeepsData
        ? before.Homes.GetValueOrDefault(instance.Name) ?? before.Machines.GetValueOrDefault(instance.Name)
        : null;

    // Before the first placement all ran on the machine that is now the first of several.
    private static ImmutableSortedDictionary<string, string> Here(Target target, FleetView view) => view.Leader is not { } first
        ? ImmutableSortedDictionary<string, string>.Empty
        : target.Instances.ToImmutableSortedDictionary(instance => instance.Name, _ => first, StringComparer.Ordinal);

    /// <summary>True: there is nothing to write down.</summary>
    public static bool IsSame(PlacementRecord a, PlacementRecord? b) =>
        b is not null && a.Machines.SequenceEqual(b.Machines) && a.Pending.SequenceEqual(b.Pending) && a.Lost.SetEquals(b.Lost)
        && a.Losses.SequenceEqual(b.Losses) && a.Homes.SequenceEqual(b.Homes);
}
