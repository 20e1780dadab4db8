using System.Net;
using Ashlar.Catalog;
using Ashlar.Http.Transport.Tls;
using Ashlar.Http.Upstream;

namespace Ashlar.Edge.Balancing;

/// <summary>The other machines of the stack; each lives across snapshots as long as it keeps its address. For one thread.</summary>
internal sealed class MachineTargets(TlsContext? tls, TimeProvider time, ITargetEvents events)
{
    private readonly Dictionary<string, MachineTarget> _machines = new(StringComparer.Ordinal);

    /// <summary>Those that can be reached, by name.</summary>
    public Dictionary<string, MachineTarget> Reachable { get; } = new(StringComparer.Ordinal);

    /// <summary>The machine of this name; null if there is none but this, or no way to it.</summary>
    public MachineTarget? Find(string name) => _machines.GetValueOrDefault(name);

    /// <summary>Follows a snapshot. Gives the machines that are no more; to be told once nothing refers to them.</summary>
    public List<MachineTarget> Follow(CatalogSnapshot snapshot)
    {
        Reachable.Clear();
        if (tls is null)
        {
            return [];
        }

        var gone = new Dictionary<string, MachineTarget>(_machines, StringComparer.Ordinal);
        List<MachineTarget> moved = [];
        foreach (var machine in snapshot.Machines)
        {
            if (machine.Name == snapshot.Machine || machine.HopPort == 0 || !IPAddress.TryParse(machine.Address, out var address))
            {
                continue;
            }

            gone.Remove(machine.Name);
            var endPoint = new IPEndPoint(address, machine.HopPort);
            if (!_machines.TryGetValue(machine.Name, out var target) || !target.Peer.EndPoint.Equals(endPoint))
            {
                if (target is not null)
                {
                    moved.Add(target);
                }

                _machines[machine.Name] = target = Make(machine.Name, endPoint);
            }

            if (machine.Reachable)
            {
                Reachable[machine.Name] = target;
            }
        }

        foreach (var name in gone.Keys)
        {
            _machines.Remove(name);
        }

        return [.. gone.Values, .. moved];
    }

    /// <summary>Tells each machine which services have instances on it.</summary>
    public void Enlist(IEnumerable<ServiceTarget> services)
    {
        var all = services.ToArray();
        foreach (var machine in _machines.Values)
        {
            machine.Follow([.. all.Where(service => service.Instances.Any(instance => instance.Machine == machine))]);
        }
    }

    private MachineTarget Make(string name, IPEndPoint endPoint) =>
        new(new SecurePeer(name, endPoint, tls!) { NotSecured = reason => events.MachineNotSecured(name, reason) }, time);
}
