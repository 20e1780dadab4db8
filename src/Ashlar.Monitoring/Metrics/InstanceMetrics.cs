namespace Ashlar.Monitoring;

/// <summary>Names of the series that the agent writes of every instance; their subject is the instance, <c>web.1</c>.</summary>
public static class InstanceMetrics
{
    /// <summary>Counter: CPU time used, children that have ended among it.</summary>
    public const string Cpu = "cpu_milliseconds";

    /// <summary>Gauge: memory in bytes.</summary>
    public const string Memory = "memory_bytes";

    /// <summary>Gauge: restarts after crashes.</summary>
    public const string Restarts = "restarts";

    /// <summary>Gauge: number of the catalog's <c>InstanceState</c>, or <see cref="Gone"/>.</summary>
    public const string State = "state";

    /// <summary>Gauge: start of its process in Unix seconds; 0: it does not run.</summary>
    public const string Started = "started";

    /// <summary>Gauge: thousandths of a core it may use; 0: no limit.</summary>
    public const string CpuLimit = "cpu_limit_millicores";

    /// <summary>Gauge: bytes it may use; 0: no limit.</summary>
    public const string MemoryLimit = "memory_limit_bytes";

    /// <summary>Gauge: requests in flight that it takes; 0: no limit.</summary>
    public const string RequestsLimit = "requests_limit";

    /// <summary>Gauge, always 1: with the tier appended, <c>tier_services</c>, it says the instance's tier.</summary>
    public const string Tier = "tier_";

    /// <summary><see cref="State"/> of an instance that is no more: a series cannot be taken out of a file.</summary>
    public const long Gone = -1;

    /// <summary>State of one that serves (<c>InstanceState.Healthy</c>).</summary>
    public const long Healthy = 2;
}
