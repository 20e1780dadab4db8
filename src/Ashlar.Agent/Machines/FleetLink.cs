using System.Collections.Immutable;
using System.Text.Json;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines.Fencing;
using Ashlar.Agent.Machines.Rolling;
using Ashlar.Agent.Reconciling;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog.Store;
using Ashlar.Errors;
using Ashlar.Fleet;
using Ashlar.Fleet.Identity;
using Ashlar.Processes;

namespace Ashlar.Agent.Machines;

/// <summary>
/// Ties this machine to the others: follows the shared state, tells what runs here under a lease, and stands for
/// leadership. Without the shared store everything goes on as it was last ordered.
/// </summary>
internal sealed partial class FleetLink : IAsyncDisposable
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);
    private readonly AgentLoop _loop;
    private readonly MirroredStore _store;
    private readonly AgentLog _log;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _toTell = new(1, 1);
    private readonly SemaphoreSlim _toAct = new(0);
    private readonly CancellationTokenSource _ending = new();
    private readonly List<Task> _running = [];
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private MachineFile _own;
    private volatile FleetView _view = new();
    private Action _leave = () => { };
    private volatile bool _ordersChanged;
    private volatile bool _machinesChanged;
    private long _answeredAt;

    public FleetLink(AgentLoop loop, MachineFile own, MachineIdentity identity, MirroredStore store, AgentLog log, TimeProvider time)
    {
        (_loop, _own, Identity, _store, _log, _time) = (loop, own, identity, store, log, time);
        _answeredAt = time.GetTimestamp();
    }

    /// <summary>This machine.</summary>
    public MachineFile Own { get => Volatile.Read(ref _own); set => Volatile.Write(ref _own, value); }

    /// <summary>Its identity.</summary>
    public MachineIdentity Identity { get; }

    /// <summary>What is known now. From any thread.</summary>
    public FleetView View => _view;

    /// <summary>Completes with the next change of <see cref="View"/>; to be taken before the view is looked at.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>This machine's leadership; null: it does not lead.</summary>
    public Leadership? Leadership { get; private set; }

    /// <summary>True: this machine carries out orders for all.</summary>
    public bool Leads => _view.Leader == Own.Name && Leadership is not null;

    /// <summary>True: the shared store could not be reached when it was last asked.</summary>
    public bool IsCutOff => _store.IsCutOff;

    /// <summary>Time since the shared store last answered this machine, or since this agent began.</summary>
    public TimeSpan Silence => _time.GetElapsedTime(Volatile.Read(ref _answeredAt));

    /// <summary>True: it has not for so long that what is known of the others may be past.</summary>
    public bool IsDeaf => !IsRemoved && Silence > Lease;

    /// <summary>What the others should know of this machine, for people.</summary>
    public ImmutableArray<string> Notes => _store.Hindrance is { } hindrance ? [$"{hindrance.Message} After a reboot without the others it would run what was ordered before."] : [];

    /// <summary>The store as the leader writes to it.</summary>
    public IStore LeadersStore => new LeadersStore(_store, () => Leadership);

    /// <summary>The machine that leads, if that is another.</summary>
    public MachineRecord? OtherLeader => _view.Leader is { } leader && leader != Own.Name ? _view.Records.GetValueOrDefault(leader) : null;

    /// <summary>How far the clocks of the others are off.</summary>
    public ClockWatch Clocks { get; } = new();

    /// <summary>True: this machine was removed from the stack, and says nothing any more.</summary>
    public bool IsRemoved { get; private set; }

    /// <summary>User that services run as here, to whom releases are given; null: our own.</summary>
    public SystemUser? User { get; set; }

    /// <summary>Reads what was known last, before anybody else is heard: where instances belong, and which machines there are.</summary>
    public async ValueTask RememberAsync()
    {
        var placement = await _store.GetAsync(Keys.Placement, MachineJson.Default.PlacementRecord, _ending.Token); // Its revision here may be that of our own copy.
        var records = (await _store.ListAsync(Keys.Nodes, _ending.Token)).Entries
            .Select(entry => JsonSerializer.Deserialize(entry.Value.Span, MachineJson.Default.MachineRecord)!);
        _view = _view with { Placement = placement, Records = records.ToImmutableSortedDictionary(record => record.Name, record => record, StringComparer.Ordinal) };
    }

    /// <summary>Begins.</summary>
    /// <param name="supervisor">Told of what runs elsewhere, and tells what runs here.</param>
    /// <param name="follower">Pursues what is ordered.</param>
    /// <param name="status">Says what runs here.</param>
    public void Join(Supervisor supervisor, RollFollower follower, StatusReporter status)
    {
        _loop.Post(() =>
        {
            supervisor.Fleet = this;
            supervisor.Settled.Add(Tell);
        });
        _leave = () => _loop.Post(() => supervisor.TakeDown(Shutdown.InOrder));
        _running.Add(ForeverAsync("follow", FollowAsync));
        _running.Add(ForeverAsync("tell", () => TellAsync(() => status.ForOthersAsync(follower.Stand))));
        _running.Add(ForeverAsync("act", () => ActAsync(follower)));
    }

    /// <summary>Does something for as long as this machine is one of several, again and again where it fails.</summary>
    /// <param name="what">What, for the log.</param>
    /// <param name="work">Does it until cancelled.</param>
    public void Run(string what, Func<CancellationToken, Task> work) => _running.Add(ForeverAsync(what, () => work(_ending.Token)));

    /// <summary>True: a machine leaves a lease to this one, as far as it knows of no other that has it.</summary>
    /// <exception cref="AshlarException">ASH7503.</exception>
    /// <exception cref="IOException">It does not answer.</exception>
    public async Task<bool> LeavesAsync(string machine, string lease, CancellationToken cancellation) =>
        _view.Records.TryGetValue(machine, out var record) && await LeaseAgreements.AskAsync(Identity, record, lease, cancellation);

    /// <summary>Has what is to be here pursued anew. From any thread.</summary>
    public void PursueAnew()
    {
        (_ordersChanged, _machinesChanged) = (true, true);
        Act();
    }

    /// <summary>Waits until some machine leads. False: none did in that time.</summary>
    public async Task<bool> LedAsync(TimeSpan patience)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
        over.CancelAfter(patience);
        try
        {
            for (var changed = Changed; !Leads && OtherLeader is null; changed = Changed)
            {
                await changed.WaitAsync(over.Token);
            }

            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Writes where instances belong. Only as leader.</summary>
    /// <param name="placement">Where.</param>
    /// <param name="from">Revision of the placement that it was made from.</param>
    /// <returns>False: it was made from an old one, or another machine leads by now.</returns>
    public async Task<bool> SavePlacementAsync(PlacementRecord placement, long from)
    {
        if (Leadership is not { } leadership)
        {
            return false;
        }

        var write = StoreExtensions.Put(Keys.Placement, placement, MachineJson.Default.PlacementRecord);
        var result = await _store.CommitAsync(new StoreTransaction([leadership.Fence, new StoreCondition(Keys.Placement, ModRevision: from)], [write]), _ending.Token);
        if (result.Succeeded)
        {
            Know(view => view with { Placement = placement, PlacementRevision = result.Revision });
        }

        return result.Succeeded;
    }

    /// <summary>Gets the files of a release that are not here from a machine that has them.</summary>
    /// <param name="folder">Where they belong.</param>
    /// <exception cref="AshlarException">No machine gives them: what the last one said.</exception>
    public async Task FetchAsync(string folder)
    {
        if (Directory.Exists(folder))
        {
            return;
        }

        AshlarException? last = null;
        foreach (var machine in _view.Records.Values.Where(record => record.Name != Own.Name).OrderBy(record => record.Name != _view.Leader))
        {
            try
            {
                await ReleaseTransfer.FetchAsync(Identity, machine, Path.GetDirectoryName(folder)!, Path.GetFileName(folder), User, _ending.Token);
                _log.Info(LogEvent.Machine, $"{Path.GetFileName(folder)} came from {machine.Name}");
                return;
            }
            catch (Exception e) when (e is IOException or AshlarException)
            {
                last = e as AshlarException ?? FleetErrors.ReleaseNotCopied(Path.GetFileName(folder), machine.Name, e.Message.TrimEnd('.'), e);
                _log.Warning(LogEvent.Machine, $"{Path.GetFileName(folder)} from {machine.Name}: {e.Message}");
            }
        }

        throw last ?? AgentErrors.ReleaseLost(Path.GetFileName(folder));
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await Task.WhenAll(_running);
        _ending.Dispose();
        _toTell.Dispose();
        _toAct.Dispose();
    }

    /// <summary>Knows more at once than the store has told yet.</summary>
    public void Know(Func<FleetView, FleetView> change)
    {
        lock (_lock)
        {
            _view = change(_view);
            Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        }
    }

    private async Task FollowAsync()
    {
        await foreach (var change in _store.FollowAsync(_ending.Token))
        {
            var before = _view;
            Know(view => view.After(change, _time.GetTimestamp()));
            if (change.Key.StartsWith(Keys.ActualStates, StringComparison.Ordinal))
            {
                if (_view.Reports.GetValueOrDefault(change.Key[Keys.ActualStates.Length..]) is { } report)
                {
                    Clocks.Hear(report.Name, report.Clock, _time.GetUtcNow());
                }

                _loop.Post(() => { });
            }

            if (change.Key is Keys.Orders or Keys.Placement)
            {
                _ordersChanged = true;
            }

            if (change.Value is null && change.Key == Keys.Node(Own.Name))
            {
                _log.Warning(LogEvent.Machine, "this machine was removed from the stack: what runs here is stopped");
                IsRemoved = true;
                Tell();
                _leave();
            }

            _machinesChanged |= before.Leader != _view.Leader || before.Records != _view.Records || before.Reports.Count != _view.Reports.Count;
            if (_ordersChanged || _machinesChanged)
            {
                Act();
            }
        }
    }

    private void Act()
    {
        if (_toAct.CurrentCount == 0)
        {
            _toAct.Release();
        }
    }

    /// <summary>
    /// Pursues anew what is to be here: for orders and placements of others, and on the leader when machines come and go, and each second
    /// while one is silent, which may be lost by then. What could not be done for want of a port is tried each second, too.
    /// </summary>
    private async Task ActAsync(RollFollower follower)
    {
        var alarm = new FreezeAlarm(_log);
        while (true)
        {
            await _toAct.WaitAsync(Again, _ending.Token);
            var (orders, machines) = (_ordersChanged, _machinesChanged);
            (_ordersChanged, _machinesChanged) = (false, false);
            if (Leads)
            {
                alarm.Look(_view);
            }

            try
            {
                if (orders || follower.IsIncomplete || (Leads && (machines || !_view.SilentSince.IsEmpty)))
                {
                    await follower.FollowAsync();
                }
            }
            catch
            {
                (_ordersChanged, _machinesChanged) = (_ordersChanged | orders, _machinesChanged | machines);
                throw;
            }
        }
    }

    private async Task ForeverAsync(string what, Func<Task> work)
    {
        await Task.Yield();
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                await work();
            }
            catch (OperationCanceledException) when (_ending.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                _log.Warning(LogEvent.Machine, $"{what}: {(e is AshlarException known ? known.Error : e)}");
                await Task.WhenAny(Task.Delay(Again, _time, _ending.Token));
            }
        }
    }
}
