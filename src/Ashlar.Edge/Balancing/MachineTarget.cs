using Ashlar.Http.Upstream;

namespace Ashlar.Edge.Balancing;

/// <summary>Another machine of the stack: the way to its edge, and whether that can be gone. Safe on every thread.</summary>
public sealed class MachineTarget
{
    private volatile ServiceTarget[] _services = [];

    internal MachineTarget(SecurePeer peer, TimeProvider time)
    {
        Peer = peer;
        Ejection = new Ejection(time);
    }

    /// <summary>Its name.</summary>
    public string Name => Peer.Name;

    /// <summary>Its edge: one pool of connections for all services.</summary>
    public SecurePeer Peer { get; }

    /// <summary>True: left out for a while because connections to it failed.</summary>
    public bool IsEjected => Ejection.IsOut;

    internal Ejection Ejection { get; }

    /// <summary>Has instances of these services.</summary>
    internal void Follow(ServiceTarget[] services) => _services = services;

    /// <summary>It has answered. Cheap.</summary>
    internal void Succeeded()
    {
        if (Ejection.Succeeded())
        {
            Pump();
        }
    }

    /// <summary>A request to it ended without telling anything about it.</summary>
    internal void TrialEnded()
    {
        if (Ejection.IsOut)
        {
            Ejection.TrialEnded();
            Pump();
        }
    }

    /// <summary>Requests for any of its services may have waited for what one of them has learned.</summary>
    private void Pump()
    {
        foreach (var service in _services)
        {
            service.Pump();
        }
    }
}
