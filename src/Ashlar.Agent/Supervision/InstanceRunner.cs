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
using Ashlar.Processes;

namespace Ashlar.Agent.Supervision;

/// <summary>
/// Carries out the reconciler's steps with real processes, and turns what happens to these into what is observed. Lives on the
/// agent's loop.
/// </summary>
internal sealed partial class InstanceRunner(
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
        var o = table.Change(id, x => x with
        {
            Starts = x.Starts + 1,
            Folder = desired.Launch.WorkingDirectory,
            Socket = desired.OnSocket ? state.SocketOf(x.Name, x.Generation) : "",
        });
        try
        {
            if (o.Socket.Length > 0)
            {
                // What a process of before has left there would keep this one from binding it.
                File.Delete(o.Socket);
                SocketPaths.Check(o.Socket);
            }

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
        environment = o.Socket.Length > 0 ? environment.SetItem("SOCKET", o.Socket)
            : o.Port != 0 ? environment.SetItem("PORT", o.Port.ToString(CultureInfo.InvariantCulture)) : environment;
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
                (healthy, why) => loop.Post(() => Changed(id, starts, healthy, why)),
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
            if (o.Socket.Length > 0)
            {
                File.Delete(o.Socket);
            }
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
