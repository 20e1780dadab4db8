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
}
