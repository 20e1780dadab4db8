using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Agent.Api;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Publishing;
using Ashlar.Agent.Reconciling;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Delivery.Releases;
using Ashlar.Dns;
using Ashlar.Errors;
using Ashlar.Monitoring;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Agent.Operations;

/// <summary>The verbs of the API. Each order becomes a change of the desired state; the rest follows from that.</summary>
internal sealed class Orders(
    AgentLoop loop, Supervisor supervisor, Listeners listeners, Rollout rollout, ReleaseStore releases, StatusReporter status, Upgrade upgrade,
    StackEvents events, MachineOrders machines, StateOrders state, Certificates.CertificateShelf shelf, CacheOrders cache, SystemUser? user, AgentOptions options, AgentLog log)
{
    // What is asked of this machine's own agent; all else is the leader's to carry out.
    private static readonly FrozenSet<string> Own = new[]
    {
        AgentVerbs.Status, AgentVerbs.Watch, AgentVerbs.Plan, AgentVerbs.Environment, AgentVerbs.Releases, AgentVerbs.Access, AgentVerbs.Dashboard, AgentVerbs.Upgrade, AgentVerbs.Cache,
        AgentVerbs.Machines, AgentVerbs.Certificates, AgentVerbs.Token, AgentVerbs.Down, AgentVerbs.State, AgentVerbs.StateBackup, AgentVerbs.StateRestore, AgentVerbs.StateTold, AgentVerbs.Dns,
    }.ToFrozenSet();

    private readonly OrderQueue _queue = new();

    /// <summary>What is being carried out, for people.</summary>
    public string Activity => _queue.Activity.Length > 0 ? _queue.Activity : rollout.Machines?.Activity ?? "";

    /// <summary>Carries out one request.</summary>
    public async Task HandleAsync(AgentRequest request, Action<AgentReply> reply, CancellationToken clientGone)
    {
        void Tell(string line) => reply(new AgentReply(AgentReplyKinds.Progress, line));
        void Give<T>(T data) => reply(new AgentReply(AgentReplyKinds.Data, Data: JsonSerializer.SerializeToElement(data, TypeOf<T>())));
        T Arguments<T>() => request.Arguments.Deserialize(TypeOf<T>()) ?? throw AgentErrors.BadRequest(request.Verb, "it has no arguments");
        Task Queue(Func<Task> order)
        {
            log.Info(LogEvent.Order, request.Verb);
            return _queue.RunAsync(request.Verb, Tell, async () =>
            {
                await (rollout.Machines?.ReadyAsync(Tell) ?? Task.CompletedTask);
                rollout.OrderId = request.Id;
                try
                {
                    await order();
                }
                finally
                {
                    await (rollout.Machines?.AbandonAsync() ?? Task.CompletedTask);
                }
            });
        }

        if (!Own.Contains(request.Verb) && await machines.ForwardAsync(request, reply, ResultAsync, clientGone))
        {
            return;
        }

        switch (request.Verb)
        {
            case AgentVerbs.Machines:
                Give(await machines.ListAsync());
                break;
            case AgentVerbs.Token:
                await Queue(async () => Give(await machines.TokenAsync(Arguments<FoundArguments>(), Tell)));
                break;
            case AgentVerbs.State:
                Give(await state.ReportAsync(clientGone));
                break;
            case AgentVerbs.StateBackup:
                Give(await state.BackupAsync(Arguments<StateFileArguments>(), clientGone));
                break;
            case AgentVerbs.StateRestore:
                await Queue(() => state.RestoreAsync(Arguments<StateFileArguments>(), Tell, clientGone));
                break;
            case AgentVerbs.StateTold:
                await state.HearAsync(Arguments<StateTold>(), clientGone);
                break;
            case AgentVerbs.Cordon or AgentVerbs.Uncordon or AgentVerbs.Label or AgentVerbs.Remove:
                await Queue(() => machines.ChangeAsync(request.Verb, Arguments<MachineArguments>(), Tell, clientGone));
                break;
            case AgentVerbs.Drain:
                // Others need not wait until all has moved.
                await Queue(() => machines.ChangeAsync(request.Verb, Arguments<MachineArguments>(), Tell, clientGone));
                await machines.DrainedAsync(Arguments<MachineArguments>().Name, Tell, clientGone);
                break;
            case AgentVerbs.Rebalance:
                var spread = Arguments<RebalanceArguments>();
                RebalanceResult? moving = null;
                await Queue(async () => moving = await machines.RebalanceAsync(spread));
                await (spread.DryRun ? Task.CompletedTask : machines.MovedAsync(moving!, Tell, clientGone));
                Give(moving!);
                break;
            case AgentVerbs.Up:
                await Queue(async () => Give(await UpAsync(Arguments<UpArguments>(), request.Id, Tell)));
                break;
            case AgentVerbs.Plan:
                await Queue(async () => Give(await PlanAsync(Arguments<UpArguments>())));
                break;
            case AgentVerbs.Down:
                await DownAsync(Arguments<DownArguments>(), Tell);
                break;
            case AgentVerbs.Status:
                Give(await status.ReportAsync(Activity));
                break;
            case AgentVerbs.Watch:
                await status.WatchAsync(() => Activity, Give, clientGone);
                break;
            case AgentVerbs.Scale:
                await Queue(() => ScaleAsync(Arguments<ScaleArguments>(), Tell));
                break;
            case AgentVerbs.Restart:
                await Queue(() => RestartAsync(Arguments<TargetArguments>(), Tell));
                break;
            case AgentVerbs.Stop:
                await Queue(() => ChangeAsync(request.Verb, (d, s) => TargetChanges.Stop(d, s, Arguments<TargetArguments>().Targets), Tell));
                break;
            case AgentVerbs.Start:
                await Queue(() => StartAsync(Arguments<TargetArguments>(), Tell));
                break;
            case AgentVerbs.Environment:
                Give(await EnvironmentAsync(Arguments<EnvironmentArguments>()));
                break;
            case AgentVerbs.Config:
                await ConfigAsync(Arguments<ConfigArguments>(), Queue, Give, Tell);
                break;
            case AgentVerbs.Releases:
                Give(new ReleasesResult([.. (await releases.ListAsync(clientGone)).Select(ReleaseReports.Of)]));
                break;
            case AgentVerbs.Rollback:
                await Queue(async () => Give(await RollbackAsync(Arguments<RollbackArguments>(), Tell)));
                break;
            case AgentVerbs.Maintenance:
                await Queue(() => MaintenanceAsync(Arguments<MaintenanceArguments>(), Tell));
                break;
            case AgentVerbs.Cache:
                Current(AgentVerbs.Cache);
                Give(await cache.RunAsync(Arguments<CacheArguments>(), clientGone));
                break;
            case AgentVerbs.Dns:
                Give(await loop.AskAsync(DnsResult));
                break;
            case AgentVerbs.DnsChange:
                await Queue(async () => Give(await ChangeDnsAsync(Arguments<DnsArguments>(), Tell)));
                break;
            case AgentVerbs.Access:
                Give(await AccessAsync(Arguments<AccessArguments>().Tier));
                break;
            case AgentVerbs.Certificates:
                Give(await loop.AskAsync(() => shelf.Report(supervisor.View.Target.Stack)));
                break;
            case AgentVerbs.Dashboard:
                Give(await loop.AskAsync(() => DashboardAddress.Of(supervisor.View.Target)));
                break;
            case AgentVerbs.Upgrade:
                await Queue(() => upgrade.RunAsync(Arguments<UpgradeArguments>().Executable));
                break;
            default:
                throw AgentErrors.BadRequest(request.Verb, "there is no such verb");
        }
    }

    /// <summary>Answers the questions that change nothing; refuses all else.</summary>
    public Task HandleQuestionAsync(AgentRequest request, Action<AgentReply> reply, CancellationToken clientGone) =>
        request.Verb is AgentVerbs.Status or AgentVerbs.Watch || IsOfFigures(request)
            ? HandleAsync(request, reply, clientGone)
            : throw AgentErrors.BadRequest(request.Verb, "only questions are answered here");

    // The cache's other actions are orders.
    private static bool IsOfFigures(AgentRequest request) =>
        request.Verb == AgentVerbs.Cache && request.Arguments.Deserialize(TypeOf<CacheArguments>()) is { Action: "stats" };

    private Task<UpResult> UpAsync(UpArguments arguments, string? order, Action<string> tell) => machines.WithSourcesAsync(arguments, order, tell, async (stack, sources) =>
    {
        RequireSameUser(stack);
        await Tiers.RequireAsync(stack, supervisor.TakenDown);
        await loop.InvokeAsync(() => listeners.RequireFree(stack));
        var variables = await releases.GetConfigVarsAsync();
        rollout.Told = tell;
        Warn(Tiers.Hidden(stack, variables, await GivenAsync()), tell);
        var prepared = await releases.PrepareAsync(await RecordedAsync(stack), variables, AgentVerbs.Up, user, tell, sources, supervisor.TakenDown);
        return await RollAsync(AgentVerbs.Up, prepared, tell);
    });

    // Each machine may have its folder elsewhere: where the stack lay first is no reason to build it again.
    private async Task<StackDefinition> RecordedAsync(StackDefinition stack) =>
        rollout.Fleet is not null && await releases.CurrentAsync() is { } current ? stack with { Directory = current.Stack.Directory } : stack;

    private async Task<UpResult> RollbackAsync(RollbackArguments arguments, Action<string> tell)
    {
        Current(AgentVerbs.Rollback);
        var release = await releases.RollbackAsync(arguments.Release);
        return await RollAsync(AgentVerbs.Rollback, new PreparedRelease(release, Changed: true), tell);
    }

    private async Task ConfigAsync(ConfigArguments arguments, Func<Func<Task>, Task> queue, Action<ConfigResult> give, Action<string> tell)
    {
        if (arguments.Changes.IsEmpty)
        {
            give(new ConfigResult(await releases.GetConfigVarsAsync(), null));
            return;
        }

        await queue(async () =>
        {
            rollout.Told = tell;
            var before = await releases.GetConfigVarsAsync();
            var stack = (await releases.CurrentAsync())?.Stack ?? StackLoader.Load(options.StackFolder).Stack;
            var hidden = Hidden(stack, arguments, await GivenAsync());
            PreparedRelease? prepared;
            try
            {
                prepared = await releases.ConfigureAsync(arguments.Changes, user, tell, supervisor.TakenDown);
                if (prepared is { Changed: true } && !rollout.State.Down)
                {
                    await RollAsync(AgentVerbs.Config, prepared, tell);
                }
                else if (prepared is { Changed: true })
                {
                    // A stack that is down stays down; the next up runs with them.
                    await releases.MarkCurrentAsync(prepared.Release.Name);
                }
            }
            catch (AshlarException)
            {
                Warn(hidden, tell); // It may be why.
                throw;
            }

            var now = await releases.GetConfigVarsAsync();
            give(new ConfigResult(now, prepared is { Changed: true } ? prepared.Release.Name : null, prepared is null && !now.SequenceEqual(before)) { Warnings = hidden });
        });
    }

    /// <summary>Of what is set, what hides a tier of the stack.</summary>
    /// <param name="stack">The stack; null: it is not known.</param>
    /// <param name="arguments">What is set.</param>
    /// <param name="given">What the tiers give to services now.</param>
    internal static ImmutableArray<AshlarError> Hidden(StackDefinition? stack, ConfigArguments arguments, ImmutableSortedDictionary<string, string> given) =>
        stack is null ? [] : Tiers.Hidden(stack, arguments.Changes.Where(change => change.Value is not null).Select(change => KeyValuePair.Create(change.Key, change.Value!)), given);

    // What the data tiers give to services now; none: nothing runs yet.
    private Task<ImmutableSortedDictionary<string, string>> GivenAsync() => loop.AskAsync(() =>
        supervisor.View.Target.Context is { } context ? Tiers.Complete(context).Variables : ImmutableSortedDictionary<string, string>.Empty);

    private static void Warn(ImmutableArray<AshlarError> warnings, Action<string> tell)
    {
        foreach (var warning in warnings)
        {
            tell($"warning {warning.Code}: {warning.Message} {warning.NextStep}");
        }
    }

    private async Task<UpResult> RollAsync(string verb, PreparedRelease prepared, Action<string> tell)
    {
        var release = prepared.Release;
        if (user is not null && SystemUsers.IsRoot)
        {
            Ownership.GiveAll(release.Folder, user); // one of another time may belong to the user of then
        }

        var next = TargetChanges.ForRelease(rollout.State, release.Stack) with { Release = release.Name, Down = false };
        try
        {
            await rollout.GoAsync(verb, next, release, tell);
        }
        catch (Exception e) when (prepared.Changed)
        {
            events.Add(StackEventKinds.Release, release.Name, $"{verb} failed: {e.Message.Split('\n')[0]}");
            if (rollout.Writes)
            {
                await releases.MarkFailedAsync(release.Name, e.Message.Split('\n')[0]);
            }

            throw;
        }

        events.Add(StackEventKinds.Release, release.Name, $"{release.Name} runs ({verb})");
        if (rollout.Writes)
        {
            await releases.MarkCurrentAsync(release.Name);
            await releases.PruneAsync(await status.ReleasesInUseAsync());
        }

        await rollout.RequireHealthyAsync();
        return new UpResult(release.Name, prepared.Changed, await status.UrlsAsync());
    }

    /// <summary>What an order gives that was carried out while another machine took over.</summary>
    private async Task<JsonElement?> ResultAsync(string verb, string release) => verb switch
    {
        AgentVerbs.Up or AgentVerbs.Rollback => JsonSerializer.SerializeToElement(new UpResult(release, true, await status.UrlsAsync()), TypeOf<UpResult>()),
        AgentVerbs.Config => JsonSerializer.SerializeToElement(new ConfigResult(await releases.GetConfigVarsAsync(), release), TypeOf<ConfigResult>()),
        _ => null,
    };

    private async Task<PlanResult> PlanAsync(UpArguments arguments)
    {
        var stack = StackLoader.Load(arguments.Path).Require();
        RequireSameUser(stack);
        await loop.InvokeAsync(() => listeners.RequireFree(stack));
        var preview = await releases.PreviewAsync(await RecordedAsync(stack), await releases.GetConfigVarsAsync(), stack.Directory);
        var next = UpPreview.Next(rollout.State, preview.Release);
        var (target, other) = rollout.Preview(next, preview.Release, arguments.Program);
        var steps = await loop.InvokeAsync(() => UpPreview.Steps(preview, target.Instances, supervisor.View.Observed));
        return new PlanResult(other ? steps.Insert(0, "the agent becomes this build in place") : steps);
    }

    private async Task DownAsync(DownArguments arguments, Action<string> tell)
    {
        log.Info(LogEvent.Order, arguments.Now ? "down now" : "down");
        var told = new Progress(tell);
        await (rollout.Machines?.DownAsync(tell) ?? Task.CompletedTask); // First the others: the state they go by may lie here.
        var gone = await loop.InvokeAsync(async () =>
        {
            told.Look(supervisor.View.Observed);
            supervisor.TakeDown(arguments.Now ? Shutdown.Now : Shutdown.InOrder);
            try
            {
                await (rollout.Machines is null ? rollout.SetDownAsync() : ValueTask.CompletedTask);
            }
            catch (AshlarException e)
            {
                // That it is to stay down cannot be written; that it goes down can be done all the same.
                log.Error(LogEvent.Store, e.Error);
            }

            return supervisor.WaitAsync(view =>
            {
                told.Look(view.Observed);
                return view.Observed.IsEmpty ? view : null;
            });
        });
        await gone;
    }

    private async Task ScaleAsync(ScaleArguments arguments, Action<string> tell)
    {
        await ChangeAsync(AgentVerbs.Scale, (d, s) => TargetChanges.Scale(d, s, arguments.Counts), tell, sayRolled: true);
        foreach (var (name, count) in arguments.Counts)
        {
            events.Add(StackEventKinds.Scale, name, $"{name} scaled to {count}");
        }

        rollout.Fleet?.View.RequirePlaced();
    }

    private async Task RestartAsync(TargetArguments arguments, Action<string> tell)
    {
        await ChangeAsync(AgentVerbs.Restart, (d, s) => TargetChanges.Restart(d, s, arguments.Targets), tell);
        events.Add(StackEventKinds.Restart, arguments.Targets.IsEmpty ? "services" : string.Join(", ", arguments.Targets), "restarted by order");
    }

    private async Task StartAsync(TargetArguments arguments, Action<string> tell)
    {
        var crashed = await loop.InvokeAsync(() => supervisor.View.Observed
            .Where(o => o.State is InstanceState.Crashed or InstanceState.Backoff).Select(o => o.Name).ToImmutableHashSet());
        await ChangeAsync(AgentVerbs.Start, (d, s) => TargetChanges.Start(d, s, arguments.Targets, crashed), tell);
    }

    private async Task MaintenanceAsync(MaintenanceArguments arguments, Action<string> tell) =>
        await ChangeAsync(AgentVerbs.Maintenance, (d, s) => TargetChanges.Maintain(d, s, arguments), tell, healthyToo: false);

    private DnsResult DnsResult()
    {
        Current(AgentVerbs.Dns);
        var listen = supervisor.View.Target.Stack.Dns?.Listen ?? throw DnsErrors.NotAsked();
        return new DnsResult(rollout.Published ?? throw AgentErrors.NothingUp(AgentVerbs.Dns), listen.Address, listen.Port);
    }

    private async Task<DnsChange> ChangeDnsAsync(DnsArguments arguments, Action<string> tell)
    {
        DnsChange? change = null;
        var folder = (await rollout.LoadAsync(Current(AgentVerbs.DnsChange))).Folder;
        await ChangeAsync(AgentVerbs.DnsChange, (desired, stack) =>
        {
            (var next, change) = RecordChanges.Of(desired, stack, arguments, folder, options.Time.GetUtcNow());
            return next;
        }, tell, healthyToo: false);
        return change!;
    }

    private async Task ChangeAsync(
        string verb, Func<DesiredState, StackDefinition, DesiredState> change, Action<string> tell, bool healthyToo = true, bool sayRolled = false)
    {
        var release = await rollout.LoadAsync(Current(verb));
        var next = change(rollout.State, release.Stack);
        if (sayRolled && await loop.InvokeAsync(() => rollout.ToldBeforehand(next, release)) is { } rolled)
        {
            tell(rolled);
        }

        if (healthyToo)
        {
            await rollout.GoAsync(verb, next, release, tell);
        }
        else
        {
            await rollout.ApplyAsync(verb, next, release);
        }
    }

    private async Task<EnvironmentResult> EnvironmentAsync(EnvironmentArguments arguments)
    {
        Current(AgentVerbs.Environment);
        return await loop.InvokeAsync(() => OneOff.Environment(supervisor.View, arguments));
    }

    // Sockets, logs, metrics and release folders belong to the user: they cannot change hands while the old one's processes use them.
    private void RequireSameUser(StackDefinition stack)
    {
        if (stack.User != supervisor.View.Target.Stack.User && ServiceUser.Choose(stack, options.StackFolder, options.Program) is var now
            && now?.Uid != user?.Uid)
        {
            throw AgentErrors.UserChanged(user?.Name ?? SystemUsers.Current.Name, now?.Name ?? SystemUsers.Current.Name);
        }
    }

    private async Task<TierAccess> AccessAsync(string name)
    {
        Current(AgentVerbs.Access);
        var context = await loop.InvokeAsync(() => supervisor.View.Target.Context);
        var known = Tiers.All.Where(tier => context is not null && tier.Access(context) is not null).ToArray();
        return known.FirstOrDefault(tier => tier.Name == name)?.Access(context!)
            ?? throw AgentErrors.UnknownTarget(name, [.. known.Select(tier => tier.Name)], "engine");
    }

    private string Current(string verb) =>
        rollout.State is { Release: { Length: > 0 } release, Down: false } ? release : throw AgentErrors.NothingUp(verb);

    private static JsonTypeInfo<T> TypeOf<T>() => (JsonTypeInfo<T>)AgentJson.Default.GetTypeInfo(typeof(T))!;
}
