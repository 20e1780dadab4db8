using System.Collections.Immutable;
using Ashlar.Agent.Desired;
using Ashlar.Catalog;
using Ashlar.Errors;

namespace Ashlar.Agent.Machines.Rolling;

/// <summary>
/// How an order goes over the machines: one is let on, and when it tells that it has got there, the next. Where one fails all go back, and
/// those that were not let on yet were never touched. Pure and level-triggered: it looks at the record and at what the machines tell, so any
/// leader can take the next step, and taking it twice is the same as once.
/// </summary>
internal static class RollRules
{
    /// <summary>The order in which machines are let on: the leader last. What a release breaks, it breaks first where nothing is conducted from.</summary>
    public static ImmutableArray<string> Order(IEnumerable<string> machines, string leader) =>
        [.. machines.OrderBy(machine => machine == leader).ThenBy(machine => machine, StringComparer.Ordinal)];

    /// <summary>True: something that runs is replaced, so the machines take turns. Where things only come or go, turns would gain nothing.</summary>
    public static bool TakesTurns(IEnumerable<DesiredInstance> before, IEnumerable<DesiredInstance> next)
    {
        var was = before.ToDictionary(instance => (instance.Tier, instance.Name), instance => instance.Fingerprint);
        return next.Any(instance => was.TryGetValue((instance.Tier, instance.Name), out var fingerprint) && fingerprint != instance.Fingerprint);
    }

    /// <summary>The orders after the next step; null: there is nothing to do until something changes.</summary>
    /// <param name="view">What is known now.</param>
    /// <param name="now">The present.</param>
    public static (DesiredState Holds, RollBook Rolls)? Advance(FleetView view, DateTimeOffset now)
    {
        if (view.Rolls.Present is not { } roll || view.Orders is not { } holds || AreMostSilent(view))
        {
            return null;
        }

        // Who is silent is passed over: it pursues what is ordered when it comes back, and takes its turn if there is one left.
        var living = view.Records.Keys.Where(view.Reports.ContainsKey).ToImmutableSortedSet(StringComparer.Ordinal);
        if (roll.GoesBack)
        {
            return living.All(machine => IsThere(view, machine) || Failure(view, machine) is not null) ? (holds, view.Rolls.End(now, roll.Error)) : null;
        }

        var awaited = roll is { Raises: true, LetOn.IsEmpty: true } ? living : roll.LetOn.Intersect(living);
        if (awaited.Select(machine => Failure(view, machine)).FirstOrDefault(failure => failure is not null) is { } failed)
        {
            return Runs(holds)
                ? (holds, view.Rolls with { Present = roll with { GoesBack = true, LetOn = [], Error = failed } })
                : (roll.Waits ? holds : roll.Next, view.Rolls.End(now, failed)); // There is nothing to go back to.
        }

        if (roll.Waits || !awaited.All(machine => IsThere(view, machine)))
        {
            return null;
        }

        var waiting = living.Except(roll.LetOn).OrderBy(machine => roll.Order.IndexOf(machine) is >= 0 and var place ? place : int.MaxValue).ToArray();
        return waiting.Length == 0
            ? (roll.Next, view.Rolls.End(now, null))
            : (holds, view.Rolls with { Present = roll with { LetOn = roll.LetOn.Union(roll.AtOnce ? waiting : waiting.Take(1)) } });
    }

    /// <summary>True: a release is to run.</summary>
    public static bool Runs(DesiredState state) => state is { Release.Length: > 0, Down: false };

    /// <summary>True: as with losses, where most are gone at once, the observer is the more likely cause. Nothing is done then.</summary>
    public static bool AreMostSilent(FleetView view) => view.Records.Keys.Count(view.Reports.ContainsKey) * 2 < view.Records.Count;

    /// <summary>True: the data tiers are up on all machines that live, for an order that waits for its release command.</summary>
    public static bool AreRaised(FleetView view) => !AreMostSilent(view) && view.Records.Keys.Where(view.Reports.ContainsKey).All(machine => IsThere(view, machine));

    private static bool IsThere(FleetView view, string machine) =>
        view.Reports[machine] is var report && report.Pursues >= view.Newest && (report.CarriedOut ?? report.Reached);

    private static AshlarError? Failure(FleetView view, string machine) =>
        view.Reports[machine] is { Failure: { } failure } report && report.Pursues >= view.Newest && !(report.CarriedOut ?? report.Reached)
            ? failure with { Message = $"On machine {machine}: {failure.Message}" }
            : null;
}
