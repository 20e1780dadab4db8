namespace Ashlar.Monitoring;

/// <summary>Names of the edge's series. Their subject is the service, or empty. Times are in microseconds.</summary>
public static class EdgeSeries
{
    /// <summary>Gauge: open client connections.</summary>
    public const string Connections = "edge_connections";

    /// <summary>Counter: client connections accepted.</summary>
    public const string ConnectionsTotal = "edge_connections_total";

    /// <summary>Gauge: lines that the access log dropped since the edge started.</summary>
    public const string LogDropped = "edge_log_dropped";

    /// <summary>Counters: requests by what the HTTP cache did, with that appended: <c>edge_cache_hit</c>.</summary>
    public const string Cache = "edge_cache_";

    /// <summary>Counter: bytes sent from the HTTP cache.</summary>
    public const string CacheBytes = "edge_cache_bytes";

    /// <summary>Counters: answers by class; with the class appended: <c>edge_requests_2xx</c>; <c>0xx</c>: no answer was sent.</summary>
    public const string Requests = "edge_requests_";

    /// <summary>Counters: failures by their name: <c>edge_failures_queue-timeout</c>.</summary>
    public const string Failures = "edge_failures_";

    /// <summary>Counter: attempts beyond the first.</summary>
    public const string Retries = "edge_retries";

    /// <summary>Gauge: requests being served, waiting ones included.</summary>
    public const string InFlight = "edge_in_flight";

    /// <summary>Gauge: requests in the waiting room.</summary>
    public const string Waiting = "edge_waiting";

    /// <summary>Histogram: first byte received to last byte sent.</summary>
    public const string Latency = "edge_latency";

    /// <summary>Histogram: time in the waiting room, of those that waited.</summary>
    public const string Queue = "edge_queue";

    /// <summary>Counter: bytes received from clients.</summary>
    public const string BytesIn = "edge_bytes_in";

    /// <summary>Counter: bytes sent to clients.</summary>
    public const string BytesOut = "edge_bytes_out";
}
