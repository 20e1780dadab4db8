using System.Collections.Immutable;
using Ashlar.Agent.Api;
using Ashlar.Agent.Certificates;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Machines.Fencing;
using Ashlar.Agent.Machines.Rolling;
using Ashlar.Agent.Machines.Sessions;
using Ashlar.Agent.Operations;
using Ashlar.Agent.Publishing;
using Ashlar.Agent.Reconciling;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog.Channel;
using Ashlar.Catalog.Etcd;
using Ashlar.Catalog.Store;
using Ashlar.Delivery.Releases;
using Ashlar.Edge;
using Ashlar.Errors;
using Ashlar.Fleet;
using Ashlar.Fleet.Identity;
using Ashlar.Monitoring;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Agent.Hosting;

/// <summary>The agent's process: puts the parts together, resumes what was, serves, and ends when all is down.</summary>
public static class AgentHost
{
    /// <summary>Exit code when another agent has the stack.</summary>
    public const int AlreadyRunningExitCode = 75;

    private const int FailedExitCode = 1;
    private const int UsageExitCode = 2;

    /// <summary>What <c>ashlar agent --stack PATH</c> runs.</summary>
    /// <param name="arguments">The arguments after <c>agent</c>.</param>
    /// <param name="program">Absolute path of the program that serves the tiers; null: the one that runs.</param>
    /// <returns>The exit code of the process.</returns>
    public static async Task<int> MainAsync(string[] arguments, string? program = null)
    {
        if (arguments is not ["--stack", var folder])
        {
            await Console.Error.WriteLineAsync("usage: ashlar agent --stack FOLDER");
            return UsageExitCode;
        }

        return await RunAsync(new AgentOptions { StackFolder = Path.GetFullPath(folder), Program = program ?? Environment.ProcessPath! });
    }

    /// <summary>Runs an agent until its stack is taken down.</summary>
    /// <returns>0: taken down; <see cref="AlreadyRunningExitCode"/>; 1: it could not start.</returns>
    public static async Task<int> RunAsync(AgentOptions options)
    {
        var log = new AgentLog(options.Log, options.Time);
        try
        {
            options.State.CreateForStore();
            var inherited = Inherited.Take();
            using var taken = inherited.TryGetValue(Inherited.Lock, out var descriptor)
                ? AgentLock.Inherit(descriptor)
                : await AgentLock.TakeAsync(options.State.LockFile, options.StackFolder);
            await RunAsync(options, log, taken, inherited.Remove(Inherited.Lock));
            return 0;
        }
        catch (AshlarException e)
        {
            log.Error(LogEvent.Ended, e.Error);
            return e.Error.Code == AgentErrors.AlreadyRunning("", 0).Error.Code ? AlreadyRunningExitCode : FailedExitCode;
        }
    }

    private static async Task RunAsync(
        AgentOptions options, AgentLog log, AgentLock taken, ImmutableSortedDictionary<string, int> inherited)
    {
        var (state, time) = (options.State, options.Time);
        var programVersion = ProgramIdentity.Of(options.Program);
        log.Info(LogEvent.Started, $"agent of {options.StackFolder}, pid {Environment.ProcessId}, program {programVersion}");

        var machine = MachineFile.Load(state.MachineFile);
        using var identity = machine is null ? null : MachineIdentity.Load(state.Identity) ?? throw FleetErrors.IdentityUnusable(state.Identity, "it is not there");
        await using var own = OpenStore(machine is null ? state.Store : state.MachineStore, time);
        var etcd = machine is null ? null : new EtcdStore(SharedStore.Options(machine, identity!, time));
        await using var shared = machine is null ? null : await SharedStore.OpenAsync(etcd!, machine, state, own, log, time);
        IStore store = shared is null ? own : shared;
        var loop = new AgentLoop(log);
        await using var fleet = machine is null ? null : new FleetLink(loop, machine, identity!, shared!, log, time);
        MachinePart? founding = null;
        var table = new InstanceTable(own);
        var desired = new DesiredStore(store);
        var ports = new PortAllocator();
        var kept = new KeptNeeds(store, ports) { IsShared = machine is not null };
        using var listeners = new Listeners(kept, log);
        await using var watches = new TierWatches(loop, log);
        var nothing = new Target { Stack = new StackDefinition { Name = Path.GetFileName(options.StackFolder), Directory = options.StackFolder } };
        using var launcher = new ProcessLauncher(nothing.Stack.Name, time);
        await using var links = new TierLinks(loop, listeners, table, log, time);
        using var eventFile = new EventFile(state.Events);
        var events = new StackEvents(eventFile, time);
        using var runner = new InstanceRunner(loop, table, launcher, ports, links, state, kept, events, log, time) { Target = nothing };
        using var supervisor = new Supervisor(loop, table, runner, links, listeners, watches, kept, nothing, log, time);
        using var notifier = new SystemdNotifier(Environment.GetEnvironmentVariable, time, alive => loop.Post(alive));

        supervisor.Fence = fleet is null ? null : new Fence(() => fleet.Own.HoldsStateAlone, time);
        watches.StartAgain = runner.StartAgain;
        await LoadAsync(state, table, desired, kept);
        var user = ChooseUser(options, table, log);
        if (fleet is not null)
        {
            await fleet.RememberAsync();
            fleet.User = user;
            if (user is not null && Directory.Exists(state.HopIdentity))
            {
                Ownership.GiveAll(state.HopIdentity, user);
            }

            listeners.OfMachine = () => MachineListeners.Of(fleet.Own, fleet.View.Placement, kept.Ports);
        }

        state.Create(user);
        listeners.TakeBack([.. inherited.Keys], [.. inherited.Values.Select(number => new Descriptor(number))]);
        using var releases = new ReleaseStore(state.Path, fleet?.LeadersStore ?? store, launcher, time);
        if (fleet is null)
        {
            await releases.RecoverAsync();
        }

        var planner = new Planner(options, programVersion, user?.Name, ServiceUser.OfEngines(options))
        {
            IdentityFolder = fleet is null ? "" : state.HopIdentity,
            Part = () => fleet is null ? founding : new MachinePart(fleet.Own.Name, fleet.View.Placement ?? (fleet.Own.HoldsStateAlone ? null : PlacementRecord.Nothing), fleet.Own.Member),
        };
        var rollout = new Rollout(loop, supervisor, desired, listeners, kept, links, planner, releases, log) { Fleet = fleet };
        var conductor = fleet is null ? null : new RollConductor(fleet, fleet.LeadersStore, shared!, releases, log, time);
        rollout.Machines = fleet is null ? null : new RollOrders(fleet, conductor!, loop, supervisor, desired, rollout, log, time);
        var follower = fleet is null ? null : new RollFollower(fleet, loop, supervisor, desired, kept, listeners, links, planner, rollout);
        releases.Backing = rollout.RaiseBackingAsync;
        var usage = new UsageMonitor(time);
        using var metrics = new AgentMetrics(state, usage, time, log);
        using var housekeeping = new Housekeeping(usage, metrics, new LogRotator(state, time, log));
        supervisor.Settled.Add(() =>
        {
            usage.Watch(table.All.Where(o => o.Process is not null).Select(o => o.Process!.Pid));
            metrics.Know(table.All, supervisor.View.Target.Stack);
        });
        var status = new StatusReporter(loop, supervisor, desired, listeners, usage, watches, options, programVersion, fleet, time);
        var upgrade = new Upgrade(loop, table, listeners, taken, notifier, options, log);
        var admittance = fleet is null ? null : new Admittance(fleet, store, log, time);
        var changes = fleet is null ? null : new MachineChanges(fleet, store, log);
        await using var renewal = fleet is null ? null : new Renewal(fleet.Identity, (request, stop) => Renewal.SignAsync(fleet, admittance!, request, stop), options, user, log);
        SourceOffers.TryRemove(state.Sources); // Of an up in whose middle an agent of before was killed.
        var sources = new SourceOffers(state, time);
        var machines = new MachineOrders(loop, supervisor, fleet, admittance, changes, rollout, chosen => founding = chosen, upgrade, sources, store, user, options);
        var held = fleet is null ? null : new StateHere(fleet, loop, supervisor, etcd!, state, StateHere.UserOf(options, user), () => upgrade.RunAsync(options.Program), log, time);
        var members = fleet is null ? null : new StateKeeper(fleet, shared!, SharedStore.Options(machine!, identity!, time), log);
        var stateOrders = new StateOrders(fleet, shared, held, own, state, time);
        var shelf = new CertificateShelf(loop, store, state, user, log, time);
        supervisor.Tls = shelf.For;
        status.CertificateNotes = () => shelf.Notes(supervisor.View.Target.Stack);
        using var challenges = new ChallengeBoard(fleet?.LeadersStore ?? store, fleet, time);
        var acme = new AcmeOrders(fleet?.LeadersStore ?? store, challenges, log, time);
        using var keeper = new CertificateKeeper(loop, supervisor, fleet?.LeadersStore ?? store, acme, () => fleet?.Leads ?? true, log, time);
        var cache = new CacheOrders(loop, supervisor, links, fleet);
        links.Purged = (edge, fact) => cache.SpreadAsync(edge, fact);
        var orders = new Orders(loop, supervisor, listeners, rollout, releases, status, upgrade, events, machines, stateOrders, shelf, cache, user, options, log);

        var turning = loop.RunAsync(supervisor.SettleAsync);
        using var signals = new AgentSignals(shutdown => loop.Post(() =>
        {
            log.Info(LogEvent.Signal, $"signal: down {shutdown}");
            supervisor.TakeDown(shutdown);
        }));
        links.Listen(state.ChannelSocket, user?.Uid);
        await ResumeAsync(loop, supervisor, runner, rollout, follower, listeners, table, state, log, planner.Bare(nothing.Stack));

        using var server = new AgentServer(state.ApiSocket, orders.HandleAsync, log);
        using var questions = new AgentServer(state.WatchSocket, orders.HandleQuestionAsync, log, user?.Uid);
        using var peers = fleet is null ? null : new PeerServer(fleet, state, admittance!, new SessionServer(options.Program, options.StackFolder, log), new LeaseAgreements(() => fleet.View), sources, log);
        fleet?.Join(supervisor, follower!, status);
        if (fleet is not null)
        {
            fleet.Run("conduct", conductor!.ConductAsync);
            fleet.Run("state", held!.FollowAsync);
            fleet.Run("members", members!.KeepAsync);
            fleet.Run("silent", members.TellAsync);
            fleet.Run("care", members.CareAsync);
            fleet.Run("old releases", stop => OldReleases.PruneAsync(fleet, releases, status, log, time, stop));
            var leaseKeeper = new LeaseKeeper(supervisor.Fence!, shared!.Shared, fleet.Own.Name, fleet.LeavesAsync, log, time);
            fleet.Run("leases", cancellation => leaseKeeper.RunAsync(loop, () => Fence.Needed(supervisor.View.Target, fleet.View), cancellation));
        }
        renewal?.Start();
        await using var tending = new Background([shelf.FollowAsync, keeper.RunAsync]);
        notifier.Ready(Environment.ProcessId);

        await await loop.InvokeAsync(() => supervisor.WaitAsync(view => view.Shutdown != Shutdown.No && view.Observed.IsEmpty ? view : null));
        notifier.Stopping();
        await server.FinishAsync();
        server.Dispose();
        questions.Dispose();
        loop.End();
        await turning;
        if (fleet is { IsRemoved: true })
        {
            Joining.Undo(state);
        }

        log.Info(LogEvent.Ended, "all is down");
    }

    private static SystemUser? ChooseUser(AgentOptions options, InstanceTable table, AgentLog log)
    {
        var left = table.All.Any(o => o.Alive);
        var user = ServiceUser.Choose(options, StackLoader.Load(options.StackFolder).Stack, left);
        if (user is null && SystemUsers.IsRoot && !left)
        {
            log.Warning(LogEvent.RunsAsRoot, $"services run as root: no unprivileged user can reach {options.StackFolder} and {options.Program}; "
                + "keep the stack where others may enter, or name one by the key user");
        }

        return user;
    }

    private static SqliteStore OpenStore(string path, TimeProvider time)
    {
        try
        {
            return SqliteStore.Open(path, time);
        }
        catch (Exception e) when (e is not AshlarException and not OutOfMemoryException)
        {
            throw AgentErrors.StoreUnwritable(path, e.Message.TrimEnd('.'), e);
        }
    }

    private static async Task LoadAsync(StateFolder state, InstanceTable table, DesiredStore desired, KeptNeeds kept)
    {
        try
        {
            await table.LoadAsync();
            await desired.LoadAsync();
            await kept.LoadAsync();
        }
        catch (Exception e) when (e is not AshlarException and not OutOfMemoryException)
        {
            throw AgentErrors.StoreUnwritable(state.Store, e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>Adopts what runs, gets the listening sockets back from the edge, and pursues again what was pursued.</summary>
    private static async Task ResumeAsync(
        AgentLoop loop, Supervisor supervisor, InstanceRunner runner, Rollout rollout, RollFollower? follower, Listeners listeners, InstanceTable table,
        StateFolder state, AgentLog log, Target nothing)
    {
        await loop.InvokeAsync(async () =>
        {
            await runner.AdoptAsync();
            return true;
        });
        await listeners.BackAsync(loop, supervisor, table, () => EdgePlan.LastListeners(state.Path));
        if (follower is not null || rollout.State is { Release.Length: > 0, Down: false })
        {
            try
            {
                await (follower?.FollowAsync() ?? rollout.ResumeAsync());
            }
            catch (AshlarException e)
            {
                // What runs goes on and is watched; the next order tries again.
                log.Error(LogEvent.OrderFailed, e.Error);
            }
        }
        else
        {
            await loop.InvokeAsync(() => supervisor.Pursue(nothing));
        }
    }
}
