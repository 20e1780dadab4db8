using System.Collections.Immutable;
using Ashlar.Catalog;

namespace Ashlar.Agent.Reconciling;

/// <summary>Plays the reconciler forward in a world where everything goes well: the steps that a change would take.</summary>
internal static class DryRun
{
    // Each pass moves at least one instance on, and an instance has a handful of states: a bound that no real plan meets.
    private const int MostPasses = 10_000;

    /// <summary>The steps in the order in which they would be taken.</summary>
    public static ImmutableArray<Step> Steps(
        IReadOnlyCollection<DesiredInstance> desired, IReadOnlyCollection<ObservedInstance> observed, ImmutableArray<string> tiers) =>
        Play(desired, observed, tiers).Steps;

    /// <summary>The steps, and the world after them.</summary>
    public static (ImmutableArray<Step> Steps, IReadOnlyCollection<ObservedInstance> World) Play(
        IReadOnlyCollection<DesiredInstance> desired, IReadOnlyCollection<ObservedInstance> observed, ImmutableArray<string> tiers)
    {
        var world = observed.ToList();
        var steps = ImmutableArray.CreateBuilder<Step>();
        for (var pass = 0; pass < MostPasses; pass++)
        {
            var found = Reconciler.Reconcile(desired, world, DateTimeOffset.MaxValue, tiers).Steps;
            if (found.IsEmpty)
            {
                break;
            }

            steps.AddRange(found.Where(s => s is not (Step.Forget or Step.Recycle)));
            foreach (var step in found)
            {
                Apply(world, step);
            }
        }

        return (steps.ToImmutable(), world);
    }

    private static void Apply(List<ObservedInstance> world, Step step)
    {
        void Change(string id, Func<ObservedInstance, ObservedInstance> change)
        {
            var at = world.FindIndex(o => o.Id == id);
            world[at] = change(world[at]);
        }

        switch (step)
        {
            case Step.Start start:
                world.Add(New(start.Instance, 1 + world.Select(o => o.Generation).DefaultIfEmpty(0).Max()));
                break;
            case Step.Restart restart:
                Change(restart.Id, o => o with { State = InstanceState.Healthy });
                break;
            case Step.Recycle recycle:
                Change(recycle.Id, o => o with { State = InstanceState.Healthy });
                break;
            case Step.MarkDraining drain:
                Change(drain.Id, o => o with { State = InstanceState.Draining, Drained = true });
                break;
            case Step.Stop stop:
                Change(stop.Id, o => o with { State = InstanceState.Stopped });
                break;
            case Step.Kill kill:
                Change(kill.Id, o => o with { State = InstanceState.Stopped });
                break;
            case Step.Forget forget:
                world.RemoveAll(o => o.Id == forget.Id);
                break;
        }
    }

    private static ObservedInstance New(DesiredInstance desired, long generation) => new()
    {
        Tier = desired.Tier,
        Service = desired.Service,
        Index = desired.Index,
        Generation = generation,
        Fingerprint = desired.Fingerprint,
        State = InstanceState.Healthy,
        HasEndpoint = desired.HasEndpoint,
        Readiness = desired.Readiness,
    };
}
