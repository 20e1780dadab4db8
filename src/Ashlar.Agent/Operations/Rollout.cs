using System.Collections.Immutable;
using Ashlar.Agent.Api;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Machines.Rolling;
using Ashlar.Agent.Publishing;
using Ashlar.Agent.Reconciling;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Delivery.Releases;
using Ashlar.Errors;

namespace Ashlar.Agent.Operations;

/// <summary>Brings the stack from one desired state to the next, and back again if the next does not get healthy.</summary>
internal sealed class Rollout(
    AgentLoop loop, Supervisor supervisor, DesiredStore desired, Listeners listeners, KeptNeeds kept, TierLinks links, Planner planner,
    ReleaseStore releases, AgentLog log)
{
    /// <summary>Orders of people as they stand.</summary>
    public DesiredState State => desired.State;

    /// <summary>The other machines; null: there are none.</summary>
    public FleetLink? Fleet { get; set; }

    /// <summary>Takes orders over the machines; null: there is only this one.</summary>
    public RollOrders? Machines { get; set; }

    /// <summary>What the order under way is known by on the machine where it was given; null: it was given here.</summary>
    public string? OrderId { get; set; }

    /// <summary>True: this machine writes what is shared.</summary>
    public bool Writes => Fleet is null or { Leads: true };

    /// <summary>A release with its files on this machine.</summary>
    public async Task<Release> LoadHereAsync(string name)
    {
        var release = await LoadAsync(name);
        await (Fleet?.FetchAsync(release.Folder) ?? Task.CompletedTask);
        return release;
    }

    /// <summary>Has what is ordered run with a member of etcd beside it.</summary>
    /// <exception cref="AshlarException">It does not start.</exception>
    public async Task RaiseStateAsync()
    {
        var release = await LoadAsync(State.Release);
        var failing = await loop.AskAsync(() => supervisor.View.Observed.Where(o => o.Failure is not null).Select(o => o.Id).ToHashSet());
        await ReachedAsync(AgentVerbs.Token, await PursueAsync(State, release, save: false), failing, new Progress(_ => { }));
    }

    /// <summary>Pursues what was pursued before this agent began.</summary>
    public async Task ResumeAsync() => await PursueAsync(State, await LoadHereAsync(State.Release), save: false);

    /// <summary>
    /// Pursues the next state and completes when it is reached. What failed before the order and is not touched by it does not
    /// keep the order from being carried out. Services never look for an engine that is not there: what they are newly told of is up before they
    /// are rolled, and what they are told of no more goes after.
    /// </summary>
    /// <param name="verb">The order, for errors.</param>
    /// <param name="next">What is to be.</param>
    /// <param name="release">The release of <paramref name="next"/>.</param>
    /// <param name="progress">Told what happens.</param>
    /// <exception cref="AshlarException">An instance failed: what was before is pursued again. Or the stack was taken down.</exception>
    public async Task GoAsync(string verb, DesiredState next, Release release, Action<string> progress)
    {
        if (Machines is not null)
        {
            await Machines.GoAsync(OrderId ?? Guid.NewGuid().ToString("N"), verb, next, release, progress);
            return;
        }

        var before = State;
        var told = new Progress(progress);
        var (view, failing) = await loop.InvokeAsync(() =>
        {
            told.Look(supervisor.View.Observed);
            return (supervisor.View, supervisor.View.Observed.Where(o => o.Failure is not null).Select(o => o.Id).ToHashSet());
        });
        var runs = before is { Release.Length: > 0, Down: false };
        try
        {
            var planned = await PlanAsync(next, release);
            var leaving = runs ? Handover.Leaving(view, planned) : [];
            if (runs && Handover.Changed(view.Target, planned).Length > 0)
            {
                await RaiseAsync(verb, view.Target, planned, leaving, failing, told);
            }

            await ReachedAsync(verb, await PursueAsync(next, release, save: true, leaving), failing, told);
            if (!leaving.IsEmpty)
            {
                await ReachedAsync(verb, await PursueAsync(next, release, save: false), failing, told);
            }
        }
        catch (AshlarException e) when (e.Error.Code != TakenDownCode && runs)
        {
            progress(before.Release == next.Release
                ? $"'{verb}' failed; what was ordered before holds again."
                : $"{next.Release} failed; {before.Release} goes on.");
            log.Warning(LogEvent.OrderFailed, $"{verb}: back to {before.Release}");
            await PursueAsync(before, await LoadAsync(before.Release), save: true);
            throw;
        }

        await loop.InvokeAsync(() => listeners.Close(release.Stack));
    }

    /// <summary>A release by its name.</summary>
    /// <exception cref="AshlarException">ASH4014: it is not there.</exception>
    public async Task<Release> LoadAsync(string name) => await releases.GetAsync(name) ?? throw AgentErrors.ReleaseLost(name);

    /// <summary>Pursues the next state and completes when the tiers have been told: for settings that need no process.</summary>
    public async Task ApplyAsync(string verb, DesiredState next, Release release)
    {
        if (Machines is not null)
        {
            await Machines.ApplyAsync(next);
            return;
        }

        await PursueAsync(next, release, save: true);
        var applied = await loop.InvokeAsync(() => supervisor.WaitAsync(view =>
            view.Shutdown != Shutdown.No ? throw AgentErrors.TakenDown(verb) : links.AllApplied ? view : null));
        await applied;
    }

    /// <summary>What the tiers were told last; null: nothing yet. Called on the loop.</summary>
    public CatalogSnapshot? Published => links.Told;

    /// <summary>Writes down that the stack is to stay down. Called on the loop.</summary>
    public ValueTask SetDownAsync() => desired.SaveAsync(State with { Down = true });

    /// <summary>The target that a state would have, with the listening sockets of now; opens nothing.</summary>
    /// <param name="state">The state.</param>
    /// <param name="release">Its release.</param>
    /// <param name="program">The program that would serve the tiers; null: the agent's own.</param>
    /// <returns>The target, and whether that program is another build than the agent's.</returns>
    public (Target Target, bool OtherBuild) Preview(DesiredState state, Release release, string? program)
    {
        var its = program is null ? planner : planner.With(program);
        return (its.Plan(release, state, listeners.Preview(release.Stack), kept), its.ProgramVersion != planner.ProgramVersion);
    }

    /// <summary>Called on the loop: what a state would have services replaced for; null: nothing.</summary>
    public string? ToldBeforehand(DesiredState state, Release release) => Handover.Tell(supervisor.View.Target, Preview(state, release, null).Target);

    /// <summary>The target of a state, with its listening sockets open; nothing is pursued yet.</summary>
    public async Task<Target> PlanAsync(DesiredState state, Release release)
    {
        await MakeNeedsAsync(state, release);
        return await loop.InvokeAsync(async () => planner.Plan(release, state, await listeners.OpenAsync(release.Stack), kept));
    }

    /// <summary>
    /// Brings the data tiers of a release up, beside all that runs, for its release command. They stay up if that fails: what they hold
    /// is of use to the next try.
    /// </summary>
    /// <returns>What the data tiers add to the environment of the release command.</returns>
    /// <exception cref="AshlarException">One of them failed: what was before is pursued again.</exception>
    public async Task<ImmutableSortedDictionary<string, string>> RaiseBackingAsync(Release release)
    {
        var state = TargetChanges.ForRelease(State, release.Stack);
        await MakeNeedsAsync(state, release);
        var (before, planned) = await loop.InvokeAsync(() => (supervisor.View.Target, planner.Plan(release, state, listeners.Preview(release.Stack), kept)));
        if (!planned.Instances.Concat(planned.Elsewhere).Any(i => Tiers.IsBacking(i.Tier)))
        {
            return ImmutableSortedDictionary<string, string>.Empty;
        }

        var context = Tiers.Complete(planned.Context!);
        if (Machines is not null)
        {
            OrderId ??= Guid.NewGuid().ToString("N");
            await Machines.RaiseAsync(OrderId, AgentVerbs.Up, state with { Release = release.Name, Down = false }, release, Told);
            await Tiers.PrepareAsync(context, CancellationToken.None);
            return context.Variables;
        }

        var told = new Progress(line => Told(line));
        var (leaving, failing) = await loop.InvokeAsync(() =>
        {
            told.Look(supervisor.View.Observed);
            return (Handover.Leaving(supervisor.View, planned),
                supervisor.View.Observed.Where(o => o.Failure is not null && !Tiers.IsBacking(o.Tier)).Select(o => o.Id).ToHashSet());
        });
        try
        {
            await RaiseAsync(AgentVerbs.Up, before, planned, leaving, failing, told);
            await Tiers.PrepareAsync(context, CancellationToken.None);
        }
        catch (AshlarException e) when (e.Error.Code != TakenDownCode)
        {
            await loop.InvokeAsync(() => supervisor.Pursue(before));
            throw;
        }

        return context.Variables;
    }

    /// <summary>Hears what happens while the data tiers come up.</summary>
    public Action<string> Told { get; set; } = _ => { };

    /// <summary>Has the data tiers be as planned, and all else as it is.</summary>
    private async Task RaiseAsync(
        string verb, Target before, Target planned, ImmutableArray<DesiredInstance> leaving, HashSet<string> failing, Progress told)
    {
        var raised = before with
        {
            Instances = [.. before.Instances.Where(i => !Tiers.IsBacking(i.Tier)), .. planned.Instances.Where(i => Tiers.IsBacking(i.Tier)), .. leaving],
            Context = planned.Context,
        };
        await loop.InvokeAsync(() => supervisor.Pursue(raised));
        await ReachedAsync(verb, raised, failing, told);
    }

    // Whoever leads makes what all keep; what runs elsewhere needs no port of this machine.
    private async Task MakeNeedsAsync(DesiredState state, Release release)
    {
        if (!Writes)
        {
            return;
        }

        await loop.InvokeAsync(async () =>
        {
            var elsewhere = supervisor.View.Target.Elsewhere.Select(instance => instance.Name).ToHashSet(StringComparer.Ordinal);
            kept.Make(planner.Needs(release, state), name => elsewhere.Contains(name) || listeners.Forwards(name) || supervisor.View.Observed.Any(o => o.Name == name && o.Alive));
            await kept.SaveAsync();
            return true;
        });
        await kept.ShareAsync(loop);
    }

    private static string TakenDownCode { get; } = AgentErrors.TakenDown("").Error.Code;

    private async Task<Target> PursueAsync(DesiredState state, Release release, bool save, ImmutableArray<DesiredInstance> leaving = default)
    {
        var target = await PlanAsync(state, release);
        target = leaving.IsDefaultOrEmpty ? target : target with { Instances = target.Instances.AddRange(leaving) };
        await loop.InvokeAsync(async () =>
        {
            if (save)
            {
                await desired.SaveAsync(state);
            }

            supervisor.Pursue(target);
            links.HandDownAgain();
            return true;
        });
        return target;
    }

    /// <summary>Throws what is wrong with an instance that is wanted, if one fails now.</summary>
    public async Task RequireHealthyAsync()
    {
        var view = await loop.InvokeAsync(() => supervisor.View);
        if (view.Observed.FirstOrDefault(Judgement.HasFailed) is { } failed)
        {
            throw Judgement.Failed(failed);
        }

        Fleet?.View.RequirePlaced();
    }

    private async Task ReachedAsync(string verb, Target target, HashSet<string> failing, Progress progress)
    {
        var reached = await loop.InvokeAsync(() => supervisor.WaitAsync(view =>
        {
            progress.Look(view.Observed);
            return Judgement.IsReached(verb, target, failing, view) && links.AllApplied ? view : null;
        }));
        await reached;
    }
}
