using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Reconciling;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Catalog.Store;
using Ashlar.Stack;

namespace Ashlar.Agent.Tests.Simulation;

/// <summary>A machine with its agent: the real view, placement, split and reconciler, over a simulated store and processes.</summary>
internal sealed class SimulatedMachine(string name, SimulatedStore store, Func<int, Orders> orders, Random random)
{
    private const int Lease = 10;
    private static readonly StackDefinition s_stack = new() { Name = "s", Directory = "/" };
    private static readonly PlanContext s_context = new() { Stack = s_stack, Release = "v1", ReleaseFolder = "/", StateFolder = "/", Program = "/", ProgramVersion = "" };
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly Queue<StoreEvent> _listed = [];
    private readonly World _world = new(random);
    private int _heard;
    private long _lease;
    private long _standsBy = -1;
    private byte[] _told = [];
    private ImmutableArray<DesiredInstance> _elsewhere = [];
    private bool _stale = true;
    private bool _moves = true;
    private bool _toTell = true;
    private bool _toPlace;

    public string Name => name;

    /// <summary>It has power.</summary>
    public bool IsOn { get; private set; } = true;

    /// <summary>It reaches the store.</summary>
    public bool IsConnected { get; set; } = true;

    /// <summary>All its processes stand still.</summary>
    public bool IsFrozen { get; set; }

    /// <summary>Seconds by which it hears late.</summary>
    public int Lag { get; set; }

    public FleetView View { get; private set; } = new();

    /// <summary>What it knows to be ordered.</summary>
    public Orders? Ordered { get; private set; }

    public IReadOnlyList<ObservedInstance> Observed => _world.Observed;

    public IReadOnlyCollection<DesiredInstance> Desired => _world.Desired;

    /// <summary>Times in which the store did not hear of it: from, and to or null.</summary>
    public List<(long From, long? To)> Absences { get; } = [];

    public bool Acts => IsOn && !IsFrozen;

    public bool Reaches => Acts && IsConnected;

    /// <summary>It has heard of everything.</summary>
    public bool IsInformed => Reaches && _listed.Count == 0 && _heard == store.Log.Count;

    public bool Leads => View.Leader == name;

    public bool IsSettled => !_stale && Reconciler.IsReached(_world.Desired.Concat(Kept().Where(kept => Moving.HasNowhereToGo(kept, View))).ToArray(), _world.Observed);

    /// <summary>Power goes: its processes with it, what its agent has written down stays.</summary>
    public void Kill()
    {
        (IsOn, _moves) = (false, true);
        foreach (var o in _world.Observed.Where(o => o.Alive).ToArray())
        {
            _world.Change(o.Id, x => x with { State = x.Leaves ? InstanceState.Stopped : InstanceState.Backoff, DueAt = _world.Now });
        }
    }

    public void PowerOn()
    {
        if (!IsOn)
        {
            IsOn = true;
            RestartAgent();
        }
    }

    /// <summary>Its agent begins anew: it remembers machines and placement, and hears the rest again.</summary>
    public void RestartAgent()
    {
        View = new FleetView { Placement = View.Placement, Records = View.Records };
        (_lease, _told, _stale) = (0, [], true);
        _known.RemoveWhere(key => key.StartsWith(Keys.ActualStates, StringComparison.Ordinal) || key.StartsWith(Keys.Candidates, StringComparison.Ordinal));
        ListAgain();
    }

    /// <summary>Its watch has ended: all is listed, and what has gone meanwhile told as deleted.</summary>
    public void ListAgain()
    {
        _listed.Clear();
        foreach (var gone in _known.Except(store.Entries.Select(e => e.Key), StringComparer.Ordinal).ToArray())
        {
            _listed.Enqueue(new StoreEvent(gone, null, store.Revision));
        }

        foreach (var entry in store.Entries)
        {
            _listed.Enqueue(new StoreEvent(entry.Key, entry.Value, entry.ModRevision));
        }

        _heard = store.Log.Count;
    }

    public void Crash(string instance, DateTimeOffset until)
    {
        if (_world.Observed.FirstOrDefault(o => o.Name == instance && o.Serves) is { } crashing)
        {
            _world.Change(crashing.Id, o => o with { State = InstanceState.Backoff, DueAt = until });
            _moves = true;
        }
    }

    /// <summary>Keeps its lease, and what is bound to it.</summary>
    public void Tell(long second)
    {
        if (!Reaches)
        {
            return;
        }

        if (_lease == 0 || !store.Renew(_lease, second + Lease))
        {
            _lease = store.Grant(second + Lease);
            (_told, _toTell, _standsBy) = ([], true, second + random.Next(3));
        }

        // Each stands for leadership with its new lease, in any order.
        if (_standsBy >= 0 && _standsBy <= second)
        {
            store.Put(second, $"{Keys.Candidates}{_lease:x16}", Encoding.UTF8.GetBytes(name), _lease);
            _standsBy = -1;
        }

        if (!_toTell)
        {
            return;
        }

        var report = JsonSerializer.SerializeToUtf8Bytes(
            new MachineReport
            {
                Name = name,
                Pursues = Ordered?.Number ?? 0,
                Reached = IsSettled,
                Instances = [.. _world.Observed.Select(o => new MachineInstance(o.Id, o.Tier, o.Service, o.Index, o.HasEndpoint, new InstanceReport { Name = o.Name, State = o.State }))],
            },
            MachineJson.Default.MachineReport);
        if (!report.AsSpan().SequenceEqual(_told))
        {
            store.Put(second, Keys.Actual(name), report, _lease);
            _told = report;
        }

        _toTell = false;
    }

    /// <summary>Hears what has reached it by now; sometimes only the beginning of it.</summary>
    public void Hear(long second, long stamp)
    {
        for (var most = random.Next(4) == 0 ? random.Next(20) : int.MaxValue; Reaches && most > 0; most--)
        {
            StoreEvent change;
            if (_listed.TryDequeue(out var listed))
            {
                change = listed;
            }
            else if (_heard < store.Log.Count && store.Log[_heard].Second + Lag <= second)
            {
                change = store.Log[_heard++].Change;
            }
            else
            {
                return;
            }

            _ = change.Value is null ? _known.Remove(change.Key) : _known.Add(change.Key);
            View = View.After(change, stamp);
            _toPlace = true;
            if (change.Key == Keys.Orders)
            {
                (Ordered, _stale) = (orders(Orders.NumberIn(View.Orders!)), true);
            }

            _stale |= change.Key == Keys.Placement;
            _moves |= change.Key.StartsWith(Keys.ActualStates, StringComparison.Ordinal);
        }
    }

    /// <summary>As leader: what it would write, if that is something new.</summary>
    public PlacementRecord? Place(long stamp)
    {
        if (!Reaches || !Leads || Ordered is null || (!_toPlace && View.SilentSince.IsEmpty))
        {
            return null;
        }

        _toPlace = false;
        var target = new Target { Stack = s_stack, Instances = Ordered.Plan };
        return FleetPlacement.Compute(View, target, stamp) is { } placement && !FleetPlacement.IsSame(placement, View.Placement) ? placement : null;
    }

    /// <summary>As leader: what it would write if all were to be spread anew.</summary>
    public PlacementRecord? Spread(long stamp) =>
        !Reaches || !Leads || Ordered is null ? null : FleetPlacement.Spread(View, new Target { Stack = s_stack, Instances = Ordered.Plan }, stamp)?.Placement;

    /// <summary>Writes it as leader, on the conditions on which the real one does.</summary>
    public bool Write(long second, PlacementRecord placement)
    {
        if (store.Get($"{Keys.Candidates}{_lease:x16}") is null || store.Entries.Where(e => e.Key.StartsWith(Keys.Candidates, StringComparison.Ordinal)).MinBy(e => e.CreateRevision)!.Lease != _lease
            || (store.Get(Keys.Placement)?.ModRevision ?? 0) != View.PlacementRevision)
        {
            _toPlace = true;
            return false;
        }

        store.Put(second, Keys.Placement, JsonSerializer.SerializeToUtf8Bytes(placement, MachineJson.Default.PlacementRecord));
        View = View with { Placement = placement, PlacementRevision = store.Revision };
        return _stale = true;
    }

    /// <summary>Pursues what is its own, and its processes live on for a second.</summary>
    public void Run(DateTimeOffset now)
    {
        if (!Acts || !(_stale || _moves))
        {
            return;
        }

        (_world.Now, _toTell) = (now, true);
        if (_stale && Ordered is not null)
        {
            _stale = false;
            var part = View.Placement is null ? ([], []) : new MachinePart(name, View.Placement, null).Split(s_context, Ordered.Plan);
            _elsewhere = part.Item2;
            _world.Desired.Clear();
            _world.Desired.AddRange(part.Item1);
        }

        _moves = false;
        while (Reconciler.Reconcile([.. _world.Desired, .. Kept()], _world.Observed, now, World.Tiers).Steps is { IsEmpty: false } steps)
        {
            _moves = true;
            foreach (var step in steps)
            {
                _world.Apply(step);
            }
        }

        var unsettled = _world.Observed.Where(o => o.State is InstanceState.Starting or InstanceState.Draining or InstanceState.Stopping && random.Next(2) == 0).ToArray();
        foreach (var o in unsettled)
        {
            _world.Change(o.Id, x => x.State switch
            {
                InstanceState.Starting => x with { State = InstanceState.Healthy },
                InstanceState.Draining => x with { Drained = true },
                _ => x with { State = InstanceState.Stopped },
            });
        }

        _moves |= unsettled.Length > 0 || _world.Observed.Any(o => o.State != InstanceState.Healthy);
    }

    // What moves to another machine stays until it is there.
    private ImmutableArray<DesiredInstance> Kept() => Moving.Kept([.. _world.Desired], _elsewhere, _world.Observed, View, name);
}
