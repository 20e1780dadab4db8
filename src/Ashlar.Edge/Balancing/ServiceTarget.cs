using Ashlar.Edge.Gateways;
using Ashlar.Edge.Logging;
using Ashlar.Edge.Web;

namespace Ashlar.Edge.Balancing;

/// <summary>
/// A service as the edge balances it: chooses instances, holds them to their limit, and lets requests wait in order. Lives
/// across snapshots as long as the service does; safe on every thread. Taking and giving back use no lock while nobody waits.
/// </summary>
public sealed class ServiceTarget
{
    private const int Advantage = 4;

    private readonly ITargetEvents _events;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly Lock _gate = new();
    private readonly WaitingRoom _room = new();
    private readonly WaitingRoom _roomHere = new();
    private readonly ITimer _alarm;
    private long _alarmAt = long.MaxValue;
    private volatile Roster _roster = Roster.Empty;
    private volatile Roster _here = Roster.Empty;
    private volatile StaticFolder? _files;
    private int _waiting;
    private int _turn = -1;

    internal ServiceTarget(string name, TimeProvider time, Random random, ServiceSeries series, ITargetEvents events)
    {
        Name = name;
        Series = series;
        _time = time;
        _random = random;
        _events = events;
        _alarm = time.CreateTimer(static self => ((ServiceTarget)self!).OnAlarm(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its series, for <see cref="LoopMetrics"/>.</summary>
    public ServiceSeries Series { get; }

    /// <summary>True: answer its requests with the maintenance page.</summary>
    public bool Maintenance => _roster.Service.Maintenance;

    /// <summary>Where the scripts of its instances are; null: they speak HTTP.</summary>
    internal ScriptFolders? Scripts => _roster.Scripts;

    /// <summary>True: its instances serve so few requests at once that whoever holds one for long keeps others out.</summary>
    internal bool HasFewPlaces => _roster is { Scripts: not null } or { Limit: > 0 };

    /// <summary>True: its instances are hosts of ours that start a program for each request.</summary>
    internal bool IsCgi => _roster.Service.Interface == "cgi";

    /// <summary>The files that the edge serves for it; null: none.</summary>
    internal StaticFolder? Files => _files;

    /// <summary>Requests in its waiting room.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Requests that hold one of its instances.</summary>
    public int InFlight
    {
        get
        {
            var sum = 0;
            foreach (var instance in _roster.All)
            {
                sum += instance.InFlight;
            }

            return sum;
        }
    }

    /// <summary>Its instances that have an endpoint, healthy or not.</summary>
    public IReadOnlyList<InstanceTarget> Instances => _roster.All;

    /// <summary>Seconds to suggest by Retry-After with a 503: half of what a request may wait, 1 to 30.</summary>
    public int RetryAfterSeconds => Math.Clamp(_roster.Service.WaitingTimeoutMs / 2000, 1, 30);

    /// <summary>False: no instance is there, and none is coming.</summary>
    /// <param name="here">True: only an instance of this machine will do.</param>
    internal bool CanServe(bool here) => (here ? _here : _roster).CanServe;

    /// <summary>Takes an instance for one request.</summary>
    /// <param name="except">
    /// On a retry, the instance that has just failed (null otherwise): others come first; it comes again only if no other is free and it is not ejected.
    /// </param>
    /// <param name="instance">The instance, when the result is <see cref="AcquireResult.Acquired"/>.</param>
    public AcquireResult Acquire(InstanceTarget? except, out InstanceTarget? instance)
    {
        var roster = _roster;
        instance = null;

        // Who came first is served first: a newcomer takes nothing past the waiting room.
        if (Volatile.Read(ref _waiting) == 0)
        {
            instance = Pick(roster, except) ?? (except is null ? PickEjected(roster) : null);
        }

        return instance is not null ? AcquireResult.Acquired : roster.CanServe ? AcquireResult.Full : AcquireResult.None;
    }

    /// <summary>
    /// Takes an instance of this machine, for a request that another machine has sent: the one named if it can be had, else another.
    /// Never one of a third machine.
    /// </summary>
    /// <param name="name">Name of the instance that was meant, in ASCII.</param>
    /// <param name="except">See <see cref="Acquire"/>.</param>
    /// <param name="instance">The instance, when the result is <see cref="AcquireResult.Acquired"/>.</param>
    public AcquireResult AcquireHere(ReadOnlySpan<byte> name, InstanceTarget? except, out InstanceTarget? instance)
    {
        var roster = _here;
        instance = null;
        if (Volatile.Read(ref _waiting) == 0)
        {
            instance = PickNamed(roster, name, except) ?? Pick(roster, except) ?? (except is null ? PickEjected(roster) : null);
        }

        return instance is not null ? AcquireResult.Acquired : roster.CanServe ? AcquireResult.Full : AcquireResult.None;
    }

    /// <summary>Waits for an instance. False: the room is full, or nothing is coming; answer 503 at once.</summary>
    /// <param name="waiter">Who waits.</param>
    /// <param name="here">True: only an instance of this machine will do.</param>
    public bool Enqueue(Waiter waiter, bool here = false)
    {
        Waiter? woken;
        lock (_gate)
        {
            var roster = here ? _here : _roster;
            if (!roster.CanServe || _waiting >= roster.Service.WaitingRoom)
            {
                return false;
            }

            waiter.Room = this;
            waiter.Deadline = After(TimeSpan.FromMilliseconds(roster.Service.WaitingTimeoutMs));
            waiter.IsHere = here;
            RoomOf(waiter).Add(waiter);

            // A full fence: a release that does not see this waiter has returned its slot before we look for one.
            Interlocked.Increment(ref _waiting);
            woken = Settle();
        }

        WakeAll(woken);
        return true;
    }

    /// <summary>Gives an instance back; a freed slot goes to the first waiter.</summary>
    public void Release(InstanceTarget instance, Outcome outcome)
    {
        switch (outcome)
        {
            case Outcome.Answered:
                instance.Ejection.Succeeded();
                instance.Machine?.Succeeded();
                break;
            case Outcome.MachineFailed when instance.Machine is { } machine:
                instance.Ejection.TrialEnded();
                EjectMachine(machine);
                break;
            case Outcome.Refused or Outcome.ConnectFailed or Outcome.MachineFailed:
                Eject(instance, outcome);
                break;
            default:
                instance.Ejection.TrialEnded();
                instance.Machine?.TrialEnded();
                break;
        }

        if (instance.ReturnSlot())
        {
            _events.Idle(instance);
        }

        if (Volatile.Read(ref _waiting) > 0)
        {
            Pump();
        }
    }

    /// <summary>Follows a new snapshot. Instances keep their state.</summary>
    internal void Apply(Roster roster)
    {
        _files = StaticFolder.OfService(roster.Service, _files);
        _roster = roster;
        _here = roster.Here();
        Pump();
    }

    /// <summary>The service is no more: everyone who waits is told, and nothing is taken from now on.</summary>
    internal void Retire()
    {
        Apply(Roster.Empty);
        _alarm.Dispose();
    }

    internal bool Remove(Waiter waiter)
    {
        lock (_gate)
        {
            if (waiter.Room != this)
            {
                return false;
            }

            TakeOut(waiter);
            return true;
        }
    }

    /// <summary>Serves the waiting room with what is free now.</summary>
    internal void Pump()
    {
        Waiter? woken;
        lock (_gate)
        {
            woken = Settle();
        }

        WakeAll(woken);
    }

    private InstanceTarget? Pick(Roster roster, InstanceTarget? except)
    {
        var healthy = roster.Healthy;
        if (healthy.Length == 0)
        {
            return null;
        }

        var at = roster.IsRoundRobin
            ? (int)((uint)Interlocked.Increment(ref _turn) % (uint)healthy.Length)
            : LessBusyOfTwo(roster);
        for (var tried = 0; tried < healthy.Length; tried++)
        {
            var candidate = healthy[at];
            if (candidate != except && candidate.TryTake(roster.Limit))
            {
                return candidate;
            }

            at = at + 1 == healthy.Length ? 0 : at + 1;
        }

        return except is not null && except.Service == this && except.TryTake(roster.Limit) ? except : null;
    }

    private static InstanceTarget? PickNamed(Roster roster, ReadOnlySpan<byte> name, InstanceTarget? except)
    {
        foreach (var instance in roster.Healthy)
        {
            if (name.SequenceEqual(instance.NameBytes))
            {
                return instance != except && instance.TryTake(roster.Limit) ? instance : null;
            }
        }

        return null;
    }

    // The way to another machine costs both some work: one of this machine is drawn first, and another must be a good deal less busy.
    private int LessBusyOfTwo(Roster roster)
    {
        var healthy = roster.Healthy;
        if (healthy.Length == 1)
        {
            return 0;
        }

        var first = _random.Next(roster.HealthyHere > 0 ? roster.HealthyHere : healthy.Length);
        var second = _random.Next(healthy.Length - 1);
        second += second >= first ? 1 : 0;
        long load = healthy[second].Load;
        load += healthy[second].Machine is not null && healthy[first].Machine is null ? load / Advantage : 0;
        return load < healthy[first].Load ? second : first;
    }

    // When every instance is ejected the verdict is more likely wrong than right, so a first attempt may use any.
    private static InstanceTarget? PickEjected(Roster roster)
    {
        foreach (var instance in roster.Healthy)
        {
            if (!instance.IsEjected)
            {
                return null;
            }
        }

        foreach (var instance in roster.Healthy)
        {
            if (instance.TryTakeSlot(roster.Limit))
            {
                return instance;
            }
        }

        return null;
    }

    private void Eject(InstanceTarget instance, Outcome outcome)
    {
        var alone = !Array.Exists(_roster.Healthy, other => other != instance && !other.IsEjected);
        if (instance.Ejection.Failed(outcome == Outcome.Refused, alone) is { } span)
        {
            _events.Ejected(instance, outcome, span);
        }
    }

    private void EjectMachine(MachineTarget machine)
    {
        var alone = !Array.Exists(_roster.Healthy, other => other.Machine != machine && !other.IsEjected);
        if (machine.Ejection.Failed(refused: true, alone) is { } span)
        {
            _events.MachineEjected(machine, span);
        }
    }

    /// <summary>Under the lock: takes out everyone whose wait has ended, in order, and sets the alarm for the next.</summary>
    private Waiter? Settle()
    {
        // Who was sent here by another machine can go nowhere else, and has waited there already.
        var woken = new WaitingRoom();
        Settle(_roomHere, _here, woken);
        Settle(_room, _roster, woken);
        return woken.First;
    }

    private void Settle(WaitingRoom room, Roster roster, WaitingRoom woken)
    {
        while (room.First is { } waiter)
        {
            if (!roster.CanServe)
            {
                End(waiter, WaitResult.None, null);
            }
            else if (Pick(roster, null) is { } instance)
            {
                End(waiter, WaitResult.Granted, instance);
            }
            else if (waiter.Deadline <= _time.GetTimestamp())
            {
                End(waiter, WaitResult.TimedOut, null);
            }
            else
            {
                SetAlarm(waiter.Deadline, roster);
                break;
            }
        }

        void End(Waiter waiter, WaitResult result, InstanceTarget? instance)
        {
            TakeOut(waiter);
            waiter.Result = result;
            waiter.Granted = instance;
            woken.Add(waiter);
        }
    }

    private WaitingRoom RoomOf(Waiter waiter) => waiter.IsHere ? _roomHere : _room;

    private void TakeOut(Waiter waiter)
    {
        RoomOf(waiter).Remove(waiter);
        waiter.Room = null;
        Interlocked.Decrement(ref _waiting);
    }

    private static void WakeAll(Waiter? waiter)
    {
        while (waiter is not null)
        {
            // From Wake on it belongs to its owner, who may use it again at once.
            var next = waiter.Next;
            var instance = waiter.Granted;
            waiter.Next = waiter.Previous = null;
            waiter.Granted = null;
            waiter.Wake(waiter.Result, instance);
            waiter = next;
        }
    }

    // The alarm is moved only to earlier times, so that a busy room does not touch the timer at every release.
    private void SetAlarm(long deadline, Roster roster)
    {
        var now = _time.GetTimestamp();
        var at = deadline;
        foreach (var instance in roster.Healthy)
        {
            // A trial under way needs no alarm: its end pumps the room.
            at = instance.OutUntil is var until && until > now ? Math.Min(at, until) : at;
        }

        if (at < _alarmAt)
        {
            _alarmAt = at;
            var wait = _time.GetElapsedTime(now, at);
            _alarm.Change(TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(wait.TotalMilliseconds))), Timeout.InfiniteTimeSpan);
        }
    }

    private void OnAlarm()
    {
        lock (_gate)
        {
            _alarmAt = long.MaxValue;
        }

        Pump();
    }

    private long After(TimeSpan span) => _time.GetTimestamp() + (long)(span.TotalSeconds * _time.TimestampFrequency);
}
