namespace Ashlar.Edge.Balancing;

/// <summary>What the balancer tells the process around it. Called on loop threads: implementations only enqueue.</summary>
public interface ITargetEvents
{
    /// <summary>Nothing is in flight with this draining instance any more. Told once per drain.</summary>
    void Idle(InstanceTarget instance);

    /// <summary>The instance is left out for <paramref name="span"/> because connections failed.</summary>
    void Ejected(InstanceTarget instance, Outcome reason, TimeSpan span);

    /// <summary>The instance accepts nothing new from now on (it drains, is unhealthy or gone): close idle connections to it.</summary>
    void Closed(InstanceTarget instance);

    /// <summary>All instances of the machine are left out for <paramref name="span"/> because no connection to it came about.</summary>
    void MachineEjected(MachineTarget machine, TimeSpan span)
    {
    }

    /// <summary>What answers at the machine's address is not that machine, or does not take us for one of the stack.</summary>
    void MachineNotSecured(string machine, string reason)
    {
    }

    /// <summary>The machine is none of the stack any more, or has another address: close idle connections to it.</summary>
    void MachineGone(MachineTarget machine)
    {
    }
}
