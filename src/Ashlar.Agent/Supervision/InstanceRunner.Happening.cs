using System.Collections.Immutable;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Reconciling;
using Ashlar.Catalog;
using Ashlar.Errors;
using Ashlar.Monitoring;
using Ashlar.Processes;

namespace Ashlar.Agent.Supervision;

/// <summary>What happens to an instance of itself: it becomes healthy or fails, hangs, ends.</summary>
internal sealed partial class InstanceRunner
{
    private void Changed(string id, int starts, bool healthy, string why)
    {
        if (healthy)
        {
            SetHealthy(id, starts);
        }
        else if (table.Find(id) is { State: InstanceState.Healthy } o && o.Starts == starts)
        {
            log.Warning(LogEvent.State, $"{id} unhealthy: {why}");
            PolicyOf(o).Unhealthy();
            table.Change(id, x => x with
            {
                State = InstanceState.Unhealthy,
                Detail = $"fails its health check: {why}",
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
                time, Random.Shared, endsByItself: o is { HasEndpoint: false, Readiness: Readiness.Alive }, Tiers.IsEverywhere(o.Tier) || Tiers.IsBacking(o.Tier) ? RestartPace.Urgent : RestartPace.Patient);
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
}
