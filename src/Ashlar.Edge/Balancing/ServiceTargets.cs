using Ashlar.Catalog;
using Ashlar.Edge.Hopping;
using Ashlar.Edge.Logging;
using Ashlar.Edge.Routing;
using Ashlar.Edge.Web;
using Ashlar.Http.Transport.Tls;

namespace Ashlar.Edge.Balancing;

/// <summary>All services as the edge balances them. Snapshots are applied by one thread; loops read <see cref="Table"/> for each request.</summary>
/// <param name="time">The clock.</param>
/// <param name="random">Chance.</param>
/// <param name="metrics">What is counted.</param>
/// <param name="events">Who is told.</param>
/// <param name="machines">The way to other machines; null: there is none, and their instances get nothing.</param>
public sealed class ServiceTargets(TimeProvider time, Random random, EdgeMetrics metrics, ITargetEvents events, TlsContext? machines = null)
{
    private readonly MachineTargets _machines = new(machines, time, events);
    private readonly Dictionary<string, ServiceTarget> _services = new(StringComparer.Ordinal);
    private readonly Dictionary<string, InstanceTarget> _instances = new(StringComparer.Ordinal);
    private volatile RoutingTable _table = RoutingTable.Empty;

    /// <summary>With the system's clock and randomness.</summary>
    public ServiceTargets(EdgeMetrics metrics, ITargetEvents events, TlsContext? machines = null)
        : this(TimeProvider.System, Random.Shared, metrics, events, machines)
    {
    }

    /// <summary>The routes of the last snapshot.</summary>
    public RoutingTable Table => _table;

    /// <summary>Revision of the last snapshot; 0: none yet.</summary>
    public long Revision { get; private set; }

    /// <summary>Takes a snapshot into force. An older one than the last is ignored.</summary>
    /// <returns>False if it was ignored.</returns>
    public bool Apply(CatalogSnapshot snapshot)
    {
        if (snapshot.Revision < Revision)
        {
            return false;
        }

        Revision = snapshot.Revision;
        List<InstanceTarget> closed = [];
        var machinesGone = _machines.Follow(snapshot);
        var before = _services.Keys.ToHashSet(StringComparer.Ordinal);
        var gone = _instances.Keys.ToHashSet(StringComparer.Ordinal);
        foreach (var service in snapshot.Services)
        {
            before.Remove(service.Name);
            if (!_services.TryGetValue(service.Name, out var target))
            {
                _services[service.Name] = target = new ServiceTarget(service.Name, time, random, metrics.Service(service.Name), events);
            }

            target.Apply(Enlist(target, snapshot, service, gone, closed));
        }

        _machines.Enlist(_services.Values);
        _table = RoutingTable.Build(snapshot, _services, HopTable.Build(snapshot, _machines), WebTable.Build(snapshot, _table.Web));
        foreach (var name in before)
        {
            _services.Remove(name, out var target);
            target!.Retire();
        }

        foreach (var id in gone)
        {
            _instances.Remove(id, out var instance);
            Follow(instance!, InstanceState.Stopped, closed);
        }

        foreach (var instance in closed)
        {
            events.Closed(instance);
        }

        machinesGone.ForEach(events.MachineGone);

        TellIdle();
        return true;
    }

    /// <summary>Instances that drain and have nothing in flight: all that a new agent must be told again.</summary>
    public IEnumerable<InstanceTarget> Idle => _instances.Values.Where(instance => instance is { IsDraining: true, InFlight: 0 });

    /// <summary>All services of the last snapshot.</summary>
    public IEnumerable<ServiceTarget> Services => _services.Values;

    /// <summary>No connection to the machine came about: nothing is sent there for a while.</summary>
    internal void Eject(MachineTarget machine)
    {
        if (machine.Ejection.Failed(refused: true, alone: true) is { } span)
        {
            events.MachineEjected(machine, span);
        }
    }

    private Roster Enlist(ServiceTarget target, CatalogSnapshot snapshot, CatalogService service, HashSet<string> gone, List<InstanceTarget> closed)
    {
        List<InstanceTarget> all = [];
        List<InstanceTarget> healthy = [];
        foreach (var instance in service.Instances)
        {
            var isHere = HopTable.IsHere(instance, snapshot);
            var machine = isHere ? null : _machines.Find(instance.Machine);
            if (instance.Port == 0 || (!isHere && machine is null))
            {
                continue;
            }

            // What cannot be reached is as good as unhealthy.
            var state = instance.State == InstanceState.Healthy && machine is not null && !_machines.Reachable.ContainsKey(machine.Name)
                ? InstanceState.Unhealthy
                : instance.State;
            gone.Remove(instance.Id);
            if (!_instances.TryGetValue(instance.Id, out var known) || known.Service != target || !known.IsAt(instance, machine))
            {
                if (known is not null)
                {
                    Follow(known, InstanceState.Stopped, closed);
                }

                _instances[instance.Id] = known = new InstanceTarget(target, instance, machine, time);
            }

            all.Add(known);
            if (state == InstanceState.Healthy)
            {
                healthy.Add(known);
            }

            Follow(known, state, closed);
        }

        return new Roster(service, [.. all], [.. healthy.OrderBy(static instance => instance.Machine is not null)]);
    }

    private static void Follow(InstanceTarget instance, InstanceState state, List<InstanceTarget> closed)
    {
        if (instance.Follow(state))
        {
            closed.Add(instance);
        }
    }

    private void TellIdle()
    {
        foreach (var instance in _instances.Values)
        {
            if (instance.BecameIdle())
            {
                events.Idle(instance);
            }
        }
    }
}
