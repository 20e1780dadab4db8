using Ashlar.Catalog;
using Ashlar.Edge.Logging;
using Ashlar.Edge.Routing;

namespace Ashlar.Edge.Balancing;

/// <summary>All services as the edge balances them. Snapshots are applied by one thread; loops read <see cref="Table"/> for each request.</summary>
public sealed class ServiceTargets(TimeProvider time, Random random, EdgeMetrics metrics, ITargetEvents events)
{
    private readonly Dictionary<string, ServiceTarget> _services = new(StringComparer.Ordinal);
    private readonly Dictionary<string, InstanceTarget> _instances = new(StringComparer.Ordinal);
    private volatile RoutingTable _table = RoutingTable.Empty;

    /// <summary>With the system's clock and randomness.</summary>
    public ServiceTargets(EdgeMetrics metrics, ITargetEvents events) : this(TimeProvider.System, Random.Shared, metrics, events) { }

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
        var before = _services.Keys.ToHashSet(StringComparer.Ordinal);
        var gone = _instances.Keys.ToHashSet(StringComparer.Ordinal);
        foreach (var service in snapshot.Services)
        {
            before.Remove(service.Name);
            if (!_services.TryGetValue(service.Name, out var target))
            {
                _services[service.Name] = target = new ServiceTarget(service.Name, time, random, metrics.Service(service.Name), events);
            }

            target.Apply(Enlist(target, service, gone, closed));
        }

        _table = RoutingTable.Build(snapshot, _services);
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

        TellIdle();
        return true;
    }

    /// <summary>Instances that drain and have nothing in flight: all that a new agent must be told again.</summary>
    public IEnumerable<InstanceTarget> Idle => _instances.Values.Where(instance => instance is { IsDraining: true, InFlight: 0 });

    /// <summary>All services of the last snapshot.</summary>
    public IEnumerable<ServiceTarget> Services => _services.Values;

    private Roster Enlist(ServiceTarget target, CatalogService service, HashSet<string> gone, List<InstanceTarget> closed)
    {
        List<InstanceTarget> all = [];
        List<InstanceTarget> healthy = [];
        foreach (var instance in service.Instances)
        {
            if (instance.Port == 0)
            {
                continue;
            }

            gone.Remove(instance.Id);
            if (!_instances.TryGetValue(instance.Id, out var known) || known.Service != target || !known.IsAt(instance))
            {
                if (known is not null)
                {
                    Follow(known, InstanceState.Stopped, closed);
                }

                _instances[instance.Id] = known = new InstanceTarget(target, instance, time);
            }

            all.Add(known);
            if (instance.State == InstanceState.Healthy)
            {
                healthy.Add(known);
            }

            Follow(known, instance.State, closed);
        }

        return new Roster(service, [.. all], [.. healthy]);
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
