using System.Collections.Immutable;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Operations;
using Ashlar.Agent.Publishing;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Errors;

namespace Ashlar.Agent.Machines.Rolling;

/// <summary>What a machine tells of how far it is with the orders.</summary>
/// <param name="Pursued">Revision of what it pursues.</param>
/// <param name="CarriedOut">True: it has got there, but for what had failed before.</param>
/// <param name="Failure">Why it has not, for good; null: it is on its way.</param>
internal sealed record Standing(long Pursued, bool CarriedOut, AshlarError? Failure);

/// <summary>
/// Pursues on this machine what the orders say for it: what is to be if it has been let on, what was before otherwise. On the machine that leads it
/// says where everything belongs, too.
/// </summary>
internal sealed class RollFollower(
    FleetLink fleet, AgentLoop loop, Supervisor supervisor, DesiredStore desired, KeptNeeds kept, Listeners listeners, TierLinks links, Planner planner, Rollout rollout)
{
    private ImmutableHashSet<string> _failedBefore = [];
    private AshlarError? _hindrance;
    private long _pursued;

    /// <summary>True: what is pursued is not complete here, because something held a port that leads to another machine. From any thread.</summary>
    public bool IsIncomplete => listeners.IsIncomplete;

    /// <summary>Pursues what the orders say now.</summary>
    /// <exception cref="AshlarException">It cannot be pursued: the others are told, and it is tried again.</exception>
    public async Task FollowAsync()
    {
        var view = fleet.View;
        if (view.Orders is { } orders)
        {
            desired.Take(orders, view.Rolls);
        }

        try
        {
            await kept.LoadAsync(loop);
            await PursueAsync(view.Newest);
            _hindrance = null;
        }
        catch (AshlarException e)
        {
            await loop.AskAsync(() => (_hindrance, _pursued) = (e.Error, view.Newest));
            fleet.Tell();
            throw;
        }
    }

    /// <summary>How far this machine is. Called on the loop.</summary>
    public Standing Stand(View view)
    {
        if (_hindrance is not null)
        {
            return new Standing(_pursued, false, _hindrance);
        }

        view = view.WithoutState();
        try
        {
            return new Standing(_pursued, Judgement.IsReached("", view.Target, _failedBefore, view) && links.AllApplied, null);
        }
        catch (AshlarException e)
        {
            return new Standing(_pursued, false, e.Error);
        }
    }

    // The revision is that of the orders that were taken: what has come since is not pursued yet, and must not be told as reached.
    private async Task PursueAsync(long newest)
    {
        var (holds, roll) = (desired.State, desired.Rolls.Present);
        var mine = roll?.For(fleet.Own.Name, holds) ?? holds;
        var other = roll is null or { GoesBack: true } ? null : mine == roll.Next ? holds : roll.Next;
        var target = RollRules.Runs(mine) ? await PlanAsync(mine, other, roll) : roll is { Raises: true, GoesBack: false } ? await OnlyDataAsync(roll.Next) : null;
        var failedBefore = roll?.FailedBefore.Where(id => id.StartsWith(fleet.Own.Name + "/", StringComparison.Ordinal)).Select(id => id[(fleet.Own.Name.Length + 1)..]);
        await loop.InvokeAsync(() =>
        {
            _pursued = newest;
            _failedBefore = failedBefore is null ? _failedBefore : [.. failedBefore];
            if (target is null)
            {
                listeners.Dispose(); // Who connects is refused at once instead of waiting for nobody.
                supervisor.Pursue(planner.Bare(supervisor.View.Target.Stack));
                return;
            }

            supervisor.Pursue(target);
            links.HandDownAgain();
            if (roll is null)
            {
                listeners.Close(target.Stack);
            }
        });
    }

    private async Task<Target> PlanAsync(DesiredState mine, DesiredState? other, Roll? roll)
    {
        var release = await rollout.LoadHereAsync(mine.Release);
        var target = await rollout.PlanAsync(mine, release);
        var beside = other is not null && RollRules.Runs(other) ? await BesideAsync(other) : null;
        if (fleet.Leads)
        {
            // What either state wants has a place, until nobody is on the former any more.
            var all = beside is null || (mine == roll!.Next && roll.LetOn.IsSupersetOf(fleet.View.Records.Keys)) ? target
                : mine == roll.Next ? RollOrders.Both(target, Everything(beside))
                : RollOrders.Both(beside, Everything(target));
            if (await FleetPlacement.PlaceAsync(fleet, all))
            {
                target = await rollout.PlanAsync(mine, release);
                beside = other is not null && beside is not null ? await BesideAsync(other) : null;
            }
        }

        return roll is { Raises: true, GoesBack: false } && beside is not null ? WithData(target, mine == roll.Next ? (target, beside) : (beside, target)) : target;
    }

    // Data tiers that services are newly told of are up before these are rolled, and those that they are told of no more go after.
    internal static Target WithData(Target target, (Target Next, Target Before) data) => target with
    {
        Instances = WithData(target, data, all => all.Instances),
        Elsewhere = WithData(target, data, all => all.Elsewhere),
        Context = data.Next.Context,
    };

    private static ImmutableArray<DesiredInstance> WithData(Target target, (Target Next, Target Before) data, Func<Target, ImmutableArray<DesiredInstance>> part) =>
    [
        .. part(target).Where(instance => !Tiers.IsBacking(instance.Tier)),
        .. part(data.Next).Where(instance => Tiers.IsBacking(instance.Tier)),
        .. part(data.Before).Where(instance => Tiers.IsBacking(instance.Tier) && !Everything(data.Next).Any(next => next.Tier == instance.Tier && next.Name == instance.Name)),
    ];

    private async Task<Target> OnlyDataAsync(DesiredState next)
    {
        var release = await rollout.LoadAsync(next.Release); // Its files may not be whole yet, and no engine needs them.
        var target = await rollout.PlanAsync(next, release);
        if (fleet.Leads && await FleetPlacement.PlaceAsync(fleet, target))
        {
            target = await rollout.PlanAsync(next, release);
        }

        return target with { Instances = [.. target.Instances.Where(instance => instance.Tier != Tiers.Services)] };
    }

    private async Task<Target> BesideAsync(DesiredState other)
    {
        var release = await rollout.LoadAsync(other.Release);
        return await loop.AskAsync(() => planner.Plan(release, other, listeners.Preview(release.Stack), kept));
    }

    private static IEnumerable<DesiredInstance> Everything(Target target) => target.Instances.Concat(target.Elsewhere);
}
