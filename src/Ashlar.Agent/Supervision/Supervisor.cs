using System.Collections.Immutable;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Machines.Fencing;
using Ashlar.Agent.Publishing;
using Ashlar.Agent.Reconciling;
using Ashlar.Catalog;
using Ashlar.Engines.Etcd;
using Ashlar.Errors;
using Ashlar.Stack;

namespace Ashlar.Agent.Supervision;

/// <summary>What those who wait for something look at after every change.</summary>
/// <param name="Target">What is pursued.</param>
/// <param name="Observed">What is.</param>
/// <param name="Shutdown">Whether all is being taken down.</param>
/// <param name="Trouble">Why the agent cannot do what is to be done, or null.</param>
/// <param name="Staying">What runs here and fits on no machine that it may go to: as good as wanted here.</param>
internal sealed record View(
    Target Target, ImmutableArray<ObservedInstance> Observed, Shutdown Shutdown, AshlarError? Trouble, ImmutableArray<DesiredInstance> Staying)
{
    /// <summary>True when exactly what is wanted runs here, and all of it is healthy.</summary>
    public bool IsReached => Trouble is null && Reconciler.IsReached(Target.Instances.AddRange(Staying), Observed);

    /// <summary>The same without what holds the state: that changes by itself, and no order waits for it.</summary>
    public View WithoutState() => this with
    {
        Target = Target with { Instances = [.. Target.Instances.Where(d => d.Tier != EtcdTier.Tier)] },
        Observed = [.. Observed.Where(o => o.Tier != EtcdTier.Tier)],
    };
}

/// <summary>
/// Makes what is be what is wanted: after every event it asks the reconciler for steps and carries them out, publishes the
/// result to the tiers and wakes who waits for it. Lives on the agent's loop and sleeps when nothing happens.
/// </summary>
internal sealed class Supervisor : IDisposable
{
    // Every pass moves something on; this many in a row without an event in between would be a fault of ours.
    private const int MostPasses = 1000;
    private static readonly TimeSpan RetryAfterTrouble = TimeSpan.FromSeconds(5);
    private readonly AgentLoop _loop;
    private readonly InstanceTable _table;
    private readonly InstanceRunner _runner;
    private readonly TierLinks _links;
    private readonly Listeners _listeners;
    private readonly TierWatches _watches;
    private readonly KeptNeeds _kept;
    private readonly AgentLog _log;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly List<Waiter> _waiters = [];
    private readonly CancellationTokenSource _takenDown = new();
    private Target _target;
    private Task _sharing = Task.CompletedTask;
    private bool _pursues;
    private Shutdown _shutdown;
    private AshlarError? _trouble;

    public Supervisor(
        AgentLoop loop, InstanceTable table, InstanceRunner runner, TierLinks links, Listeners listeners, TierWatches watches, KeptNeeds kept, Target target,
        AgentLog log, TimeProvider time)
    {
        (_loop, _table, _runner, _links, _listeners, _watches, _kept) = (loop, table, runner, links, listeners, watches, kept);
        (_target, _log, _time) = (target, log, time);
        _timer = time.CreateTimer(_ => loop.Post(() => { }), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        links.Changed = runner.TiersChanged;
    }

    /// <summary>The other machines; null: there are none.</summary>
    public FleetLink? Fleet { get; set; }

    /// <summary>What the edge is to know of certificates.</summary>
    public Func<StackDefinition, CatalogTls> Tls { get; set; } = _ => new CatalogTls();

    /// <summary>Keeps what needs a lease from running without it; null: there are no other machines.</summary>
    public Fence? Fence { get; set; }

    /// <summary>What runs on other machines.</summary>
    public IEnumerable<RemoteInstance> Remote() => Fleet?.View.Except(Fleet.Own.Name) ?? [];

    /// <summary>Called on the loop after each settling, whether or not something has changed.</summary>
    public HashSet<Action> Settled { get; } = [];

    /// <summary>What is now.</summary>
    public View View => new(
        _target, [.. _table.All], _shutdown, _trouble, Fleet is null ? [] : [.. Kept().Where(kept => Moving.HasNowhereToGo(kept, Fleet.View))]);

    /// <summary>Pursues another target from now on. Until the first one, what was adopted is watched and nothing is started or stopped.</summary>
    public void Pursue(Target target)
    {
        _target = target;
        _runner.Target = target;
        _pursues = true;
    }

    /// <summary>Takes everything down. A later call may only make it faster.</summary>
    public void TakeDown(Shutdown shutdown)
    {
        _shutdown = shutdown > _shutdown ? shutdown : _shutdown;
        _runner.ShuttingDown = _shutdown != Shutdown.No;
        if (_shutdown != Shutdown.No)
        {
            _takenDown.Cancel();
        }
    }

    /// <summary>Cancelled when all is taken down: ends what only an order still waits for (a build).</summary>
    public CancellationToken TakenDown => _takenDown.Token;

    /// <summary>Called on the loop: completes with the first result that is not null of <paramref name="judge"/>, asked now and after each change.</summary>
    public Task<T> WaitAsync<T>(Func<View, T?> judge) where T : class
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiters.Add(new Waiter(view =>
        {
            try
            {
                return judge(view) is { } result && done.TrySetResult(result);
            }
            catch (AshlarException e)
            {
                return done.TrySetException(e);
            }
        }));
        return done.Task;
    }

    /// <summary>Brings the world one turn on; the loop calls it after each batch of work.</summary>
    public async ValueTask SettleAsync()
    {
        _trouble = null;
        if (_pursues)
        {
            // Before anything is started: they must not tidy away what the next plan wants.
            _watches.Pursue(_target);
        }

        var wakeAt = await ReconcileAsync();
        try
        {
            _kept.HoldData(_target.Instances.Where(d => d.KeepsData && _table.All.Any(o => o.Name == d.Name && o.State == InstanceState.Healthy)).Select(d => d.Name), _time.GetUtcNow());
            await _kept.SaveAsync();
            Share();
            await _table.SaveAsync();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Trouble(e, "the store");
        }

        if (_pursues)
        {
            _links.Publish(revision => SnapshotBuilder.Build(revision, _target, _table.All, _listeners.All, _watches.FactOf, Fleet?.View, Fleet?.Own.Name ?? "") with { Tls = Tls(_target.Stack) });
        }

        Arm(_trouble is null ? wakeAt : _time.GetUtcNow() + RetryAfterTrouble);
        var view = View;
        _waiters.RemoveAll(w => w.IsDone(view));
        foreach (var settled in Settled)
        {
            settled();
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _timer.Dispose();
        _takenDown.Dispose();
    }

    private async ValueTask<DateTimeOffset?> ReconcileAsync()
    {
        for (var pass = 0; (_pursues || _shutdown != Shutdown.No) && pass < MostPasses; pass++)
        {
            MarkDrained();
            await KillForbiddenAsync();
            var found = Reconciler.Reconcile(Allowed().AddRange(Kept()), _table.All, _time.GetUtcNow(), Tiers.StopOrder, _shutdown);
            if (found.Steps.IsEmpty)
            {
                return found.WakeAt;
            }

            foreach (var step in found.Steps)
            {
                _log.Info(LogEvent.Step, step.Describe());
                try
                {
                    await _runner.ExecuteAsync(step);
                }
                catch (Exception e) when (e is not OutOfMemoryException)
                {
                    Trouble(e, step.Describe());
                    return null;
                }
            }
        }

        if (!_pursues)
        {
            return null;
        }

        _log.Error(LogEvent.Fault, "The reconciler found no end; it is asked again later.");
        return _time.GetUtcNow() + RetryAfterTrouble;
    }

    private ImmutableArray<DesiredInstance> Allowed() =>
        Fence?.Allowed(_target, name => _table.All.Any(o => o.Name == name && o.Serves)) ?? _target.Instances;

    // It is killed and not asked: what another machine may do in its place must not meet what this one still does.
    private async ValueTask KillForbiddenAsync()
    {
        foreach (var name in Fence?.Forbidden(_target) ?? [])
        {
            foreach (var o in _table.All.Where(o => o.Name == name && o is { Alive: true, Killed: false }).ToArray())
            {
                _log.Warning(LogEvent.State, $"{o.Id} is killed: {Fence!.WhyNot(_target.Instances.First(d => d.Name == name), _target)}");
                await _runner.ExecuteAsync(new Step.Kill(o.Id));
            }
        }
    }

    // What moves to another machine stays until it is there.
    private ImmutableArray<DesiredInstance> Kept() => Fleet is null ? [] : Moving.Kept(_target.Instances, _target.Elsewhere, _table.All, Fleet.View, Fleet.Own.Name);

    // Never awaited on the loop: a shared store that stands must not keep anything here from being looked after.
    private void Share()
    {
        if (_kept.IsShared && _kept.IsUnsaved && _sharing.IsCompleted)
        {
            _sharing = ShareAsync();
        }
    }

    private async Task ShareAsync()
    {
        try
        {
            await _kept.ShareAsync(_loop);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _log.Warning(LogEvent.Store, $"what is kept is not written down yet: {e.Message}");
            await Task.Delay(RetryAfterTrouble, _time);
        }
    }

    private void MarkDrained()
    {
        var edges = _table.All.Where(o => o.Tier == Tiers.Edge && o.Alive).ToArray();
        foreach (var o in _table.All.Where(o => o is { State: InstanceState.Draining, HasEndpoint: true, Drained: false }).ToArray())
        {
            if (_links.IsIdle(o.Id, edges))
            {
                _table.Change(o.Id, x => x with { Drained = true });
            }
        }
    }

    private void Trouble(Exception e, string what)
    {
        var error = e is AshlarException known ? known.Error : AgentErrors.StoreUnwritable("state.db", $"{what}: {e.Message}").Error;
        if (_trouble is null)
        {
            _log.Error(LogEvent.StepFailed, $"{what}: {error}");
        }

        _trouble ??= error;
    }

    private void Arm(DateTimeOffset? wakeAt)
    {
        var delay = wakeAt is { } at ? at - _time.GetUtcNow() : Timeout.InfiniteTimeSpan;
        _timer.Change(delay < TimeSpan.Zero && wakeAt is not null ? TimeSpan.Zero : delay, Timeout.InfiniteTimeSpan);
    }

    private sealed record Waiter(Func<View, bool> IsDone);
}
