using Ashlar.Agent.Desired;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Operations;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Delivery.Releases;
using Ashlar.Engines.Etcd;
using Ashlar.Errors;

namespace Ashlar.Agent.Machines.Rolling;

/// <summary>Orders of a stack on many machines, as the one who gives or carries them out sees it: begin, wait for the end, tell what happens.</summary>
internal sealed class RollOrders(FleetLink fleet, RollConductor conductor, AgentLoop loop, Supervisor supervisor, DesiredStore desired, Rollout rollout, AgentLog log, TimeProvider time)
{
    // A silent machine is lost after a minute; then what it had is placed anew and has to start.
    private static readonly TimeSpan Replaced = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    /// <summary>What goes over the machines now, for people; empty: nothing.</summary>
    public string Activity => fleet.View.Rolls.Present is { } roll
        ? $"{roll.Verb}{(roll.GoesBack ? ", going back" : roll.AtOnce ? "" : $", machine {roll.LetOn.Count} of {roll.Order.Length}")}"
        : "";

    /// <summary>Waits until no order goes over the machines.</summary>
    public async Task ReadyAsync(Action<string> progress)
    {
        var told = "";
        for (var changed = fleet.Changed; fleet.View.Rolls.Present is { } roll; changed = fleet.Changed)
        {
            if (told != roll.Id)
            {
                progress($"Waits for '{roll.Verb}', which is under way over the machines.");
                told = roll.Id;
            }

            await changed.WaitAsync(supervisor.TakenDown);
        }

        if (fleet.View.Orders is { } orders)
        {
            desired.Take(orders, fleet.View.Rolls);
        }
    }

    /// <summary>Carries an order out over the machines; completes when all that live have got there.</summary>
    /// <exception cref="AshlarException">A machine failed: all have gone back, and those that were not let on were never touched.</exception>
    public async Task GoAsync(string id, string verb, DesiredState next, Release release, Action<string> progress)
    {
        var raised = fleet.View.Rolls.Present is { Waits: true };
        await BeginAsync(id, verb, next, release, raises: raised, waits: false);
        await AttendAsync(id, verb, progress, supervisor.TakenDown);
        await PlacedAsync(progress);
    }

    /// <summary>Brings the data tiers of a release up on their machines, beside all that runs, for its release command; <see cref="GoAsync"/> goes on from there.</summary>
    /// <exception cref="AshlarException">One of them failed: what was before holds.</exception>
    public async Task RaiseAsync(string id, string verb, DesiredState next, Release release, Action<string> progress)
    {
        await BeginAsync(id, verb, next, release, raises: true, waits: true);
        var told = new RollProgress(progress, id);
        for (var changed = fleet.Changed; ; changed = fleet.Changed)
        {
            var view = fleet.View;
            told.Look(view, fleet.IsDeaf);
            if (view.Rolls.Ended.FirstOrDefault(ended => ended.Id == id) is { } ended)
            {
                throw new AshlarException(ended.Error!);
            }

            if (view.Rolls.Present?.Id == id && RollRules.AreRaised(view))
            {
                return;
            }

            await NextAsync(changed, supervisor.TakenDown);
        }
    }

    /// <summary>Ends what was begun for a release command and is not gone on with. Who leads after us does the same.</summary>
    public async Task AbandonAsync()
    {
        while (fleet is { Leads: true, View.Rolls.Present: { Waits: true } })
        {
            try
            {
                await conductor.AbandonAsync(supervisor.TakenDown);
            }
            catch (AshlarException e)
            {
                log.Warning(LogEvent.Store, e.Error.ToString());
                await NextAsync(fleet.Changed, supervisor.TakenDown);
            }
        }
    }

    private async Task BeginAsync(string id, string verb, DesiredState next, Release release, bool raises, bool waits)
    {
        var holds = desired.State;
        var runs = RollRules.Runs(holds);
        var before = await loop.AskAsync(() => supervisor.View.Target);
        var planned = await rollout.PlanAsync(next, release);
        var (was, will) = (runs ? before.Instances.AddRange(before.Elsewhere) : [], planned.Instances.AddRange(planned.Elsewhere));
        await FleetPlacement.PlaceAsync(fleet, Both(planned, was));
        await conductor.BeginAsync(
            new Roll
            {
                Id = id,
                Verb = verb,
                Next = next,
                Order = RollRules.Order(fleet.View.Records.Keys, fleet.Own.Name),
                AtOnce = !runs || !RollRules.TakesTurns(was, will),
                Raises = raises || (runs ? Handover.Changed(before, planned).Length > 0 : will.Any(instance => Tiers.IsBacking(instance.Tier))),
                Waits = waits,
                FailedBefore = [.. Failing(fleet.View)],
                By = fleet.Own.Name,
                Began = time.GetUtcNow(),
            },
            supervisor.TakenDown);
    }

    /// <summary>Orders what needs no process; completes when all machines that live pursue it.</summary>
    public async Task ApplyAsync(DesiredState next)
    {
        await conductor.OrderAsync(_ => next, supervisor.TakenDown);
        for (var changed = fleet.Changed; fleet.View.Reports.Values.Any(report => report.Pursues < fleet.View.OrdersRevision); changed = fleet.Changed)
        {
            await changed.WaitAsync(supervisor.TakenDown);
        }
    }

    /// <summary>True: the order of that id has gone as far as the machines.</summary>
    public bool Knows(string id) => fleet.View.Rolls.Present?.Id == id || fleet.View.Rolls.Ended.Any(ended => ended.Id == id);

    /// <summary>Waits for the end of an order, on any machine, whoever leads.</summary>
    /// <exception cref="AshlarException">Why it failed.</exception>
    public async Task<EndedRoll> AttendAsync(string id, string verb, Action<string> progress, CancellationToken cancellation)
    {
        var told = new RollProgress(progress, id);
        while (true)
        {
            var changed = fleet.Changed;
            var view = fleet.View;
            told.Look(view, fleet.IsDeaf);
            if (view.Rolls.Ended.FirstOrDefault(ended => ended.Id == id) is { } ended)
            {
                return ended.Error is null ? ended : throw new AshlarException(ended.Error);
            }

            if (view.Orders is { Down: true } && view.Rolls.Present is null)
            {
                throw AgentErrors.TakenDown(verb);
            }

            await NextAsync(changed, cancellation);
        }
    }

    /// <summary>Has the whole stack go down; completes when the other machines that live are down. This one is not, yet.</summary>
    public async Task DownAsync(Action<string> progress)
    {
        try
        {
            await conductor.OrderDownAsync(CancellationToken.None);
        }
        catch (AshlarException e)
        {
            // That it is to stay down cannot be written; that it goes down here can be done all the same.
            log.Error(LogEvent.Store, e.Error);
            progress($"The other machines cannot be told now, and go on: {e.Error.Message}");
            return;
        }

        var (ordered, told) = (fleet.View.OrdersRevision, new HashSet<string>(StringComparer.Ordinal));
        while (true)
        {
            var changed = fleet.Changed;
            var view = fleet.View;
            var others = view.Records.Keys.Where(name => name != fleet.Own.Name).ToArray();
            foreach (var name in others.Where(name => IsDown(view, name, ordered) && told.Add(name)))
            {
                progress(view.Reports.ContainsKey(name) ? $"{name} is down" : $"{name} is silent: what runs there goes down when it hears of this");
            }

            if (told.IsSupersetOf(others) || fleet.IsCutOff)
            {
                return;
            }

            await changed.WaitAsync(Look, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Two plans in one, for placement: what either wants has a place.</summary>
    public static Target Both(Target first, IEnumerable<DesiredInstance> others)
    {
        var names = first.Instances.Concat(first.Elsewhere).Select(instance => instance.Name).ToHashSet(StringComparer.Ordinal);
        return first with { Elsewhere = first.Elsewhere.AddRange(others.Where(instance => !names.Contains(instance.Name))) };
    }

    // What a machine had that fell silent is not there until it has started elsewhere.
    private async Task PlacedAsync(Action<string> progress)
    {
        var (began, told) = (time.GetTimestamp(), "");
        while (time.GetElapsedTime(began) < Replaced)
        {
            var changed = fleet.Changed;
            var view = fleet.View;
            var silent = (view.Placement?.Machines.Values ?? []).Where(name => !view.Reports.ContainsKey(name)).Distinct().ToArray();
            if (silent.Length == 0 && view.Reports.Values.All(report => report.Pursues >= view.Newest && (report.CarriedOut ?? report.Reached)))
            {
                return;
            }

            var line = $"{string.Join(", ", silent)} is silent: what it has starts elsewhere after a minute of silence.";
            if (silent.Length > 0 && line != told)
            {
                progress(told = line);
            }

            await NextAsync(changed, supervisor.TakenDown);
        }

        progress("Not all of it runs yet: ashlar status shows what is missing.");
    }

    // The next change; or some time, in which silence may have grown long.
    private async Task NextAsync(Task changed, CancellationToken cancellation)
    {
        await changed.WaitAsync(Look, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellation.ThrowIfCancellationRequested();
    }

    private static bool IsDown(FleetView view, string machine, long ordered) =>
        !view.Reports.TryGetValue(machine, out var report) || (report.Pursues >= ordered && report.Instances.All(instance => instance.Tier == EtcdTier.Tier));

    private static IEnumerable<string> Failing(FleetView view) => view.Reports.Values.SelectMany(report => report.Instances
        .Where(instance => instance.Report.State is InstanceState.Backoff or InstanceState.Crashed).Select(instance => $"{report.Name}/{instance.Id}"));
}
