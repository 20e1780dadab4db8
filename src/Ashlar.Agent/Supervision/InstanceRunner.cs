using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Publishing;
using Ashlar.Agent.Reconciling;
using Ashlar.Catalog;
using Ashlar.Errors;
using Ashlar.Monitoring;
using Ashlar.Processes;

namespace Ashlar.Agent.Supervision;

/// <summary>
/// Carries out the reconciler's steps with real processes, and turns what happens to these into what is observed. Lives on the
/// agent's loop.
/// </summary>
internal sealed class InstanceRunner(
    AgentLoop loop, InstanceTable table, ProcessLauncher launcher, PortAllocator ports, TierLinks links, StateFolder state,
    KeptNeeds kept, StackEvents events, AgentLog log, TimeProvider time) : IDisposable
{
    private const int LastLinesShown = 20;
    private static readonly TimeSpan KillMargin = TimeSpan.FromSeconds(5);

    // Long enough for what it depends on to come back; Kubernetes restarts after 30 s by default, and all at once.
    private static readonly TimeSpan HangsAfter = TimeSpan.FromSeconds(60);
    private readonly Dictionary<string, Running> _running = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RestartPolicy> _policies = new(StringComparer.Ordinal);
    private readonly string _stackKey = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(state.Path)))[..8];

    /// <summary>What is pursued: health settings are taken from it as they are now.</summary>
    public required Target Target { get; set; }

    /// <summary>True: whatever ends is not started again.</summary>
    public bool ShuttingDown { get; set; }

    /// <summary>The process of an instance, or null.</summary>
    public ManagedProcess? ProcessOf(string id) => _running.GetValueOrDefault(id)?.Process;

    /// <summary>Carries out one step.</summary>
    /// <exception cref="AshlarException">It could not be done now; nothing is left behind.</exception>
    public async ValueTask ExecuteAsync(Step step)
    {
        switch (step)
        {
            case Step.Start start:
                await StartAsync(start.Instance);
                break;
            case Step.Restart restart:
                Launch(restart.Id, restart.Instance);
                break;
            case Step.MarkDraining drain:
                Drain(drain.Id);
                break;
            case Step.Stop stop:
                Stop(stop.Id, killed: false);
                break;
            case Step.Kill kill:
                Stop(kill.Id, killed: true);
                break;
            case Step.Recycle recycle:
                Recycle(recycle.Id);
                break;
            case Step.Forget forget:
                Forget(forget.Id);
                break;
        }
    }

    /// <summary>Takes over what an earlier agent started, and ends what it left half done.</summary>
    public async Task AdoptAsync()
    {
        foreach (var o in table.All.ToArray())
        {
            if (o.Port != 0)
            {
                ports.Reserve(o.Port);
            }

            if (!o.Alive)
            {
                // Written down before it was started, and perhaps started: nobody can tell which.
                await SweepAsync(o, o.Starts + 1);
                continue;
            }

            if (o.Process is { } identity && launcher.Adopt(identity, Tag(o, o.Starts)) is { } process)
            {
                log.Info(LogEvent.Adopted, $"{o.Id} pid {identity.Pid}, {o.State}");
                Watch(o, process);
                if (o.State == InstanceState.Stopping || o.Condemned)
                {
                    End(process, o.Killed ? TimeSpan.Zero : Remaining(o) + KillMargin, o.StopRequest);
                }

                continue;
            }

            await SweepAsync(o, o.Starts);
            Ended(o.Id, o.Starts, new ExitReport());
        }
    }

    /// <summary>A tier has connected, reported something or gone: one that starts may be ready now.</summary>
    public void TiersChanged()
    {
        foreach (var o in table.All.Where(o => o is { Readiness: Readiness.Channel, State: InstanceState.Starting }).ToArray())
        {
            if (links.IsReady(o.Id))
            {
                SetHealthy(o.Id, o.Starts);
            }
        }
    }

    /// <summary>Stops watching; everything runs on.</summary>
    public void Dispose()
    {
        foreach (var running in _running.Values)
        {
            running.Watching.Cancel();
            running.Gone.Cancel();
        }
    }

    private async ValueTask StartAsync(DesiredInstance desired)
    {
        var port = desired.HasEndpoint ? ports.Take() : desired.Port;
        try
        {
            var added = await table.AddAsync(new ObservedInstance
            {
                Tier = desired.Tier,
                Service = desired.Service,
                Index = desired.Index,
                Generation = 0,
                Fingerprint = desired.Fingerprint,
                State = InstanceState.Pending,
                Readiness = desired.Readiness,
                HasEndpoint = desired.HasEndpoint,
                StopGrace = desired.StopGrace,
                StopRequest = desired.StopRequest,
                StartTimeout = desired.StartTimeout,
                Release = desired.Release,
                Port = port,
            });
            Launch(added.Id, desired);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Release(desired.HasEndpoint, port);
            throw;
        }
    }

    private void Launch(string id, DesiredInstance desired)
    {
        var o = table.Change(id, x => x with { Starts = x.Starts + 1 });
        try
        {
            if (o.Readiness == Readiness.Channel)
            {
                links.EnsureListening();
            }

            if (Tiers.IsBacking(o.Tier))
            {
                state.CreateData(o.Name, desired.Launch.User is { } user ? SystemUsers.Find(user) : null);
            }

            var logFrom = LogTail.End(state.LogOf(o.Name));
            var process = launcher.Start(Spec(o, desired));
            foreach (var warning in process.Warnings)
            {
                log.Warning(LogEvent.State, $"{id}: {warning}");
            }

            o = table.Change(id, x => x with
            {
                State = InstanceState.Starting,
                Process = process.Identity,
                Started = time.GetUtcNow(),
                DueAt = null,
                Detail = "",
                Condemned = false,
            });
            PolicyOf(o).Started();
            Watch(o, process, logFrom);
        }
        catch (AshlarException e)
        {
            log.Error(LogEvent.StepFailed, e.Error);
            table.Change(id, x => x with
            {
                State = InstanceState.Crashed,
                Process = null,
                Detail = $"{e.Error.Message} {e.Error.NextStep}",
                Failure = e.Error,
            });
        }
    }

    private LaunchSpec Spec(ObservedInstance o, DesiredInstance desired)
    {
        var environment = desired.Launch.Environment.SetItem("ASHLAR_INSTANCE", o.Name);
        environment = o.Port != 0 ? environment.SetItem("PORT", o.Port.ToString(CultureInfo.InvariantCulture)) : environment;
        environment = o.Release.Length > 0 ? environment.SetItem("ASHLAR_RELEASE", o.Release) : environment;
        environment = desired.KeepsData && kept.DataSince.TryGetValue(o.Name, out var since) ? environment.SetItem(HeldData.Variable, HeldData.Write(since)) : environment;
        return desired.Launch with { Environment = environment, Tag = Tag(o, o.Starts), LogPath = state.LogOf(o.Name) };
    }

    private string Tag(ObservedInstance o, int start) => $"{_stackKey}-{o.Name}-{o.Generation}-{start}";

    private void Watch(ObservedInstance o, ManagedProcess process, long logFrom = 0)
    {
        var running = new Running(process, new CancellationTokenSource(), new CancellationTokenSource(), logFrom);
        _running[o.Id] = running;
        var (id, starts) = (o.Id, o.Starts);
        _ = process.Exited.ContinueWith(
            exit => loop.Post(() => Ended(id, starts, exit.IsCompletedSuccessfully ? exit.Result : new ExitReport())),
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        if (o.Serves)
        {
            var watch = new ReadinessWatch(o, () => HealthQuestions.For(Target, o), time);
            _ = watch.RunAsync(
                healthy => loop.Post(() => Changed(id, starts, healthy)),
                failure => loop.Post(() => NotReady(id, starts, failure)),
                running.Watching.Token);
        }

        if (o.Readiness == Readiness.Channel)
        {
            _ = TakePulseAsync(id, starts, running.Gone.Token);
        }
    }

    private void Drain(string id)
    {
        var o = table.Change(id, x => x with { State = InstanceState.Draining, DueAt = time.GetUtcNow() + x.StopGrace });
        StopWatching(id);
        log.Info(LogEvent.State, $"{id} draining, {o.StopGrace.TotalSeconds:0} s at most");
        if (o.Readiness == Readiness.Channel && !links.Drain(id, o.StopGrace))
        {
            table.Change(id, x => x with { Drained = true });
        }
    }

    private void Stop(string id, bool killed)
    {
        var now = time.GetUtcNow();
        var o = table.Change(id, x => x with
        {
            State = InstanceState.Stopping,
            Killed = killed,
            DueAt = now + x.StopGrace,
            Detail = killed && x.State == InstanceState.Stopping && x.DueAt <= now
                ? $"has not ended within {x.StopGrace.TotalSeconds:0.#} s of SIGTERM and is killed"
                : "",
        });
        if (o.Detail.Length > 0)
        {
            log.Warning(LogEvent.State, $"{id} {o.Detail}");
        }

        StopWatching(id);
        if (ProcessOf(id) is { } process)
        {
            // When its time is over the reconciler has it killed, which says so; should that not come, it is killed all the same.
            End(process, killed ? TimeSpan.Zero : o.StopGrace + KillMargin, o.StopRequest);
        }
        else
        {
            table.Change(id, x => x with { State = InstanceState.Stopped, Process = null });
        }
    }

    private void Recycle(string id)
    {
        var o = table.Change(id, x => x with
        {
            Condemned = true,
            DueAt = time.GetUtcNow() + x.StopGrace,
            Detail = $"has failed its health check for {HangsAfter.TotalSeconds:0} s and is restarted",
        });
        log.Warning(LogEvent.State, $"{id} {o.Detail}");
        StopWatching(id);
        if (ProcessOf(id) is { } process)
        {
            End(process, o.StopGrace, o.StopRequest);
        }
    }

    private void Forget(string id)
    {
        if (table.Find(id) is { } o)
        {
            Release(o.HasEndpoint, o.Port);
        }

        table.Remove(id);
        _policies.Remove(id);
    }

    // A port that an instance keeps for ever is not given back.
    private void Release(bool chosen, int port)
    {
        if (chosen && port != 0)
        {
            ports.Release(port);
        }
    }

    private void Changed(string id, int starts, bool healthy)
    {
        if (healthy)
        {
            SetHealthy(id, starts);
        }
        else if (table.Find(id) is { State: InstanceState.Healthy } o && o.Starts == starts)
        {
            log.Warning(LogEvent.State, $"{id} unhealthy");
            PolicyOf(o).Unhealthy();
            table.Change(id, x => x with
            {
                State = InstanceState.Unhealthy,
                Detail = "fails its health check",
                DueAt = x.Readiness == Readiness.Http ? time.GetUtcNow() + HangsAfter : null, // tiers that hold data judge their own
            });
        }
    }

    private void SetHealthy(string id, int starts)
    {
        if (table.Find(id) is { State: InstanceState.Starting or InstanceState.Unhealthy, Condemned: false } o && o.Starts == starts)
        {
            log.Info(LogEvent.State, $"{id} healthy");
            table.Change(id, x => x with { State = InstanceState.Healthy, Detail = "", DueAt = null, Failure = null, LastLines = [] });
            PolicyOf(o).Healthy();
        }
    }

    /// <summary>Has an instance end in order and start again: what looks after its tier found a reason.</summary>
    public void StartAgain(string name, string reason)
    {
        if (table.All.FirstOrDefault(o => o.Name == name && o.Serves) is { } o && ProcessOf(o.Id) is { } process)
        {
            log.Warning(LogEvent.State, $"{o.Id} is stopped and started again: {reason}");
            events.Add(StackEventKinds.Restart, o.Name, reason);
            End(process, o.StopGrace, o.StopRequest);
        }
    }

    /// <summary>It had its time and is not ready: it is ended, which then counts as a crash.</summary>
    private void NotReady(string id, int starts, AshlarError failure)
    {
        if (table.Find(id) is { State: InstanceState.Starting } o && o.Starts == starts && ProcessOf(id) is { } process)
        {
            log.Error(LogEvent.State, failure);
            table.Change(id, x => x with { Failure = failure });
            End(process, TimeSpan.Zero);
        }
    }

    private async Task TakePulseAsync(string id, int starts, CancellationToken cancellation)
    {
        // One that starts or stops has a bound of its own, and one that alone holds the listening sockets is better hanging than gone.
        var pulse = new TierPulse(
            async patience => await await loop.InvokeAsync(() => table.Find(id) is not { State: InstanceState.Healthy or InstanceState.Draining } || !links.HoldsListeners
                ? Task.FromResult(true)
                : links.AnswersAsync(id, patience)),
            time);
        if (await pulse.LostAsync(cancellation))
        {
            loop.Post(() => Hangs(id, starts));
        }
    }

    /// <summary>A tier lives and does not answer: it is ended, which counts as a crash. Its listening sockets are ours too, so clients wait meanwhile.</summary>
    private void Hangs(string id, int starts)
    {
        if (table.Find(id) is { State: InstanceState.Healthy or InstanceState.Draining } o && o.Starts == starts && ProcessOf(id) is { } process)
        {
            log.Error(LogEvent.State, AgentErrors.TierHangs(o.Name, process.Identity.Pid, 2 * TierPulse.Interval).Error);
            End(process, TimeSpan.Zero);
        }
    }

    private void Ended(string id, int starts, ExitReport exit)
    {
        if (table.Find(id) is not { } o || o.Starts != starts)
        {
            return;
        }

        StopWatching(id);
        _running.Remove(id, out var running);
        running?.Gone.Cancel();
        log.Info(LogEvent.Exit, $"{id} {exit}");
        if (o.Leaves || ShuttingDown)
        {
            table.Change(id, x => x with { State = InstanceState.Stopped, Process = null, DueAt = null, Detail = exit.ToString() });
            return;
        }

        var lastLines = LastLines(o, running?.LogFrom ?? 0);
        var ended = table.Change(id, x => AfterExit(x, exit, lastLines) with { Process = null, LastLines = lastLines });
        events.Add(exit.Success ? StackEventKinds.Restart : StackEventKinds.Crash, o.Name, ended.Detail);
    }

    private ObservedInstance AfterExit(ObservedInstance o, ExitReport exit, ImmutableArray<string> lastLines)
    {
        var policy = PolicyOf(o);
        policy.Ended(exit);
        var crashed = !exit.Success || o.Condemned;
        return o with
        {
            State = policy.CrashLoop ? InstanceState.Crashed : InstanceState.Backoff,
            DueAt = time.GetUtcNow() + (policy.Wait ?? TimeSpan.Zero),
            Restarts = o.Restarts + (crashed ? 1 : 0),
            Detail = policy.CrashLoop ? $"{exit}, crashed {policy.Crashes} times" : o.Condemned ? $"hung ({exit})" : exit.ToString(),
            Failure = o.Failure ?? Explained(o, exit, lastLines) ?? FailureOf(o, exit, policy)?.Error,
        };
    }

    /// <summary>What an end says that trying again will not change.</summary>
    private AshlarException? FailureOf(ObservedInstance o, ExitReport exit, RestartPolicy policy) => exit switch
    {
        _ when policy.CrashLoop => ProcessErrors.CrashLoop(o.Name, RestartPolicy.LoopCrashes, RestartPolicy.LoopWindow, exit),
        // What data tiers run comes back within a second: there the loop itself is soon.
        _ when o.Tier == Tiers.Services && policy.HopelessFor is { } within => ProcessErrors.CrashLoop(o.Name, RestartPolicy.HopelessCrashes, within, exit),
        { Code: 126 or 127 } when o.State == InstanceState.Starting => AgentErrors.CommandNotFound(o.Name, CommandOf(o), exit.Code.Value),
        { Success: true, LeftBehind: > 0 } when o.State == InstanceState.Starting => ProcessErrors.WentToBackground(o.Name, exit.LeftBehind),
        _ => null,
    };

    private static AshlarError? Explained(ObservedInstance o, ExitReport exit, ImmutableArray<string> lastLines) =>
        o.State == InstanceState.Starting && !exit.Success ? Tiers.Explain(o.Tier, o.Name, lastLines) : null;

    private string CommandOf(ObservedInstance o) => Target.Service(o.Service)?.Run ?? o.Service;

    private RestartPolicy PolicyOf(ObservedInstance o)
    {
        if (!_policies.TryGetValue(o.Id, out var policy))
        {
            _policies[o.Id] = policy = new RestartPolicy(
                time, Random.Shared, endsByItself: o is { HasEndpoint: false, Readiness: Readiness.Alive }, o.Tier == Tiers.Edge || Tiers.IsBacking(o.Tier) ? RestartPace.Urgent : RestartPace.Patient);
        }

        return policy;
    }

    // Of this start alone: what an earlier one said would mislead.
    private ImmutableArray<string> LastLines(ObservedInstance o, long from)
    {
        try
        {
            var path = state.LogOf(o.Name);
            var rotatedSince = LogTail.End(path) < from;
            return [.. LogTail.Last(path, LastLinesShown).Where(line => rotatedSince || line.End > from).Select(line => line.Text)];
        }
        catch (IOException)
        {
            return [];
        }
    }

    // Nobody waits for the end here: it comes to the loop like any other.
    private static void End(ManagedProcess process, TimeSpan grace, StopRequest request = StopRequest.TerminateGroup) =>
        _ = process.StopAsync(grace, request).AsTask();

    private void StopWatching(string id)
    {
        if (_running.TryGetValue(id, out var running))
        {
            running.Watching.Cancel();
        }
    }

    private async Task SweepAsync(ObservedInstance o, int start)
    {
        if (await launcher.SweepAsync(Tag(o, start)) is var killed and > 0)
        {
            log.Warning(LogEvent.Strays, $"{o.Id}: {killed} processes that nobody watched over were killed");
        }
    }

    private TimeSpan Remaining(ObservedInstance o) =>
        o.DueAt is { } due && due > time.GetUtcNow() ? due - time.GetUtcNow() : TimeSpan.Zero;

    /// <param name="Process">The process.</param>
    /// <param name="Watching">Cancelled when it no longer matters whether it is ready.</param>
    /// <param name="Gone">Cancelled when it has ended.</param>
    /// <param name="LogFrom">Where its part of the log begins.</param>
    private sealed record Running(ManagedProcess Process, CancellationTokenSource Watching, CancellationTokenSource Gone, long LogFrom);
}
