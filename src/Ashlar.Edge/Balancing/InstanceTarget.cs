using System.Net;
using System.Net.Sockets;
using System.Text;
using Ashlar.Catalog;
using Ashlar.Edge.Hopping;

namespace Ashlar.Edge.Balancing;

/// <summary>One instance as the balancer sees it. Lives across snapshots as long as its id does; safe on every thread.</summary>
public sealed class InstanceTarget
{
    // Requests in flight and the closed bit share one word, so that nothing can be taken after the door was closed.
    private const int Closed = 1 << 30;
    private const int CountMask = Closed - 1;
    private static readonly TimeSpan Forgotten = TimeSpan.FromSeconds(3);

    private int _slots = Closed;
    private int _draining;
    private int _idleTold;
    private readonly TimeProvider _time;

    // Requests that others have there, as its machine last said, and when.
    private int _others;
    private long _heardAt;

    internal InstanceTarget(ServiceTarget service, CatalogInstance instance, MachineTarget? machine, TimeProvider time)
    {
        Service = service;
        Machine = machine;
        Id = instance.Id;
        Name = instance.Name;
        EndPoint = EndPointOf(instance);
        Folder = instance.Folder;
        NameBytes = Encoding.ASCII.GetBytes(Name);
        HopLine = machine is null ? [] : HopField.Line(service.Name, Name);
        Ejection = new Ejection(time);
        _time = time;
    }

    /// <summary>Its service.</summary>
    public ServiceTarget Service { get; }

    /// <summary>Unique for ever: <c>web.1/17</c>.</summary>
    public string Id { get; }

    /// <summary>Name people use: <c>web.1</c>.</summary>
    public string Name { get; }

    /// <summary>Machine it runs on, to be asked there; null: this one.</summary>
    public MachineTarget? Machine { get; }

    /// <summary>Where it listens, as its own machine sees it.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>Folder it was started in; empty: not said.</summary>
    public string Folder { get; }

    /// <summary>Requests that hold it now.</summary>
    public int InFlight => Volatile.Read(ref _slots) & CountMask;

    /// <summary>True: it gets new requests (it is healthy). False: keep no idle connection to it.</summary>
    public bool IsAccepting => (Volatile.Read(ref _slots) & Closed) == 0;

    /// <summary>True: it gets nothing new and is to be told idle once nothing is in flight.</summary>
    public bool IsDraining => Volatile.Read(ref _draining) != 0;

    /// <summary>True: left out for a while because connections to it failed.</summary>
    public bool IsEjected => Ejection.IsOut || Machine is { IsEjected: true };

    internal Ejection Ejection { get; }

    internal byte[] NameBytes { get; }

    /// <summary>When a connection to it was last kept, on any loop, in the loops' milliseconds.</summary>
    internal long KeptAt;

    /// <summary>The line that names it to the edge of its machine; empty if that is this one.</summary>
    internal byte[] HopLine { get; }

    /// <summary>Time stamp from which it may be tried; 0 if it is not left out.</summary>
    internal long OutUntil => Math.Max(Ejection.Until, Machine?.Ejection.Until ?? 0);

    /// <summary>Says that it has answered, before the request that holds it ends (a long answer, a WebSocket). Cheap.</summary>
    public void Succeeded()
    {
        if (Ejection.Succeeded())
        {
            Service.Pump();
        }

        Machine?.Succeeded();
    }

    internal bool IsAt(CatalogInstance instance, MachineTarget? machine) =>
        Machine == machine && EndPoint.Equals(EndPointOf(instance)) && Folder == instance.Folder;

    private static EndPoint EndPointOf(CatalogInstance instance) => instance.Socket.Length > 0
        ? new UnixDomainSocketEndPoint(instance.Socket)
        : new IPEndPoint(IPAddress.Parse(instance.Address), instance.Port);

    /// <summary>Load to compare by, of all machines' clients; what cannot be taken now is the busiest of all.</summary>
    internal int Load => IsWaitingForTrial(Ejection) || (Machine is { } machine && IsWaitingForTrial(machine.Ejection)) ? int.MaxValue
        : Machine is null ? InFlight : InFlight + Others();

    /// <summary>Its machine has said how many requests it has in all.</summary>
    internal void Heard(int load)
    {
        Volatile.Write(ref _others, Math.Max(0, load - InFlight));
        Volatile.Write(ref _heardAt, _time.GetTimestamp());
    }

    // It counts less with time, so that one that was busy is asked again and tells anew.
    private int Others()
    {
        var others = Volatile.Read(ref _others);
        return others == 0 ? 0 : (int)Math.Round(others * Math.Max(0, 1 - (_time.GetElapsedTime(Volatile.Read(ref _heardAt)) / Forgotten)));
    }

    internal bool TryTake(int limit)
    {
        if (!IsEjected)
        {
            return TryTakeSlot(limit);
        }

        if (!TryTakeTrial(Machine?.Ejection))
        {
            return false;
        }

        if (TryTakeTrial(Ejection))
        {
            if (TryTakeSlot(limit))
            {
                return true;
            }

            Ejection.TrialEnded();
        }

        Machine?.Ejection.TrialEnded();
        return false;
    }

    private static bool IsWaitingForTrial(Ejection ejection) => ejection.IsOut && !ejection.IsTrialDue;

    private static bool TryTakeTrial(Ejection? ejection) => ejection is not { IsOut: true } || ejection.TryTakeTrial();

    /// <summary>Takes a slot whether it is ejected or not.</summary>
    internal bool TryTakeSlot(int limit)
    {
        var seen = Volatile.Read(ref _slots);
        while ((seen & Closed) == 0 && (limit == 0 || seen < limit))
        {
            var before = Interlocked.CompareExchange(ref _slots, seen + 1, seen);
            if (before == seen)
            {
                return true;
            }

            seen = before;
        }

        return false;
    }

    /// <summary>True if this made a draining instance idle; told once.</summary>
    internal bool ReturnSlot()
    {
        Interlocked.Decrement(ref _slots);
        return BecameIdle();
    }

    /// <summary>True if it is draining, has nothing in flight, and that has not been told yet.</summary>
    internal bool BecameIdle() =>
        Volatile.Read(ref _draining) != 0 && Volatile.Read(ref _slots) == Closed && Interlocked.Exchange(ref _idleTold, 1) == 0;

    /// <summary>Follows the state in the catalog. True if it no longer accepts and did before.</summary>
    internal bool Follow(InstanceState state)
    {
        if (state == InstanceState.Healthy)
        {
            Volatile.Write(ref _draining, 0);
            Volatile.Write(ref _idleTold, 0);
            Interlocked.And(ref _slots, ~Closed);
            return false;
        }

        var before = Interlocked.Or(ref _slots, Closed);
        Volatile.Write(ref _draining, state is InstanceState.Draining or InstanceState.Stopping ? 1 : 0);
        Interlocked.MemoryBarrier(); // the reader of _draining in ReturnSlot, or our look at _slots, sees the other
        return (before & Closed) == 0;
    }
}
