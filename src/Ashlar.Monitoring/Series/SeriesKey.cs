using System.Runtime.InteropServices;

namespace Ashlar.Monitoring;

/// <summary>Names a series.</summary>
/// <param name="Service"><c>web</c>, <c>edge</c>, <c>machine</c>.</param>
/// <param name="Instance"><c>web.1</c>; empty: the service as a whole.</param>
/// <param name="Metric">One of <see cref="SeriesNames"/>, or the name of a <see cref="Sample.Figures">figure</see>.</param>
public readonly record struct SeriesKey(string Service, string Instance, string Metric);

/// <summary>Names of the series that are kept of every <see cref="Sample"/>, beside its figures.</summary>
public static class SeriesNames
{
    /// <summary>Requests a second.</summary>
    public const string Requests = "requests";

    /// <summary>Requests a second by class: with the class appended, <c>requests_2xx</c>; <c>requests_0xx</c>: no answer was sent.</summary>
    public const string RequestsOfClass = "requests_";

    /// <summary>Failed requests a second.</summary>
    public const string Errors = "errors";

    /// <summary>Retries a second.</summary>
    public const string Retries = "retries";

    /// <summary>Requests being served.</summary>
    public const string InFlight = "in_flight";

    /// <summary>Requests waiting.</summary>
    public const string Waiting = "waiting";

    /// <summary>Bytes a second from clients.</summary>
    public const string BytesIn = "bytes_in";

    /// <summary>Bytes a second to clients.</summary>
    public const string BytesOut = "bytes_out";

    /// <summary>Open client connections.</summary>
    public const string Connections = "connections";

    /// <summary>Histogram: microseconds.</summary>
    public const string Latency = "latency";

    /// <summary>Histogram: microseconds in the waiting room.</summary>
    public const string Queue = "queue";

    /// <summary>Cores.</summary>
    public const string Cpu = "cpu";

    /// <summary>Bytes.</summary>
    public const string Memory = "memory";

    /// <summary>Restarts so far.</summary>
    public const string Restarts = "restarts";

    /// <summary>Healthy instances of a service.</summary>
    public const string Healthy = "healthy";

    /// <summary>0 to 1.</summary>
    public const string Saturation = "saturation";
}

/// <summary>A point of a series: what it was over one step. A step without data has no point.</summary>
/// <param name="At">Begin of the step.</param>
/// <param name="Min">Smallest value.</param>
/// <param name="Average">Mean.</param>
/// <param name="Max">Largest value.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct SeriesPoint(DateTimeOffset At, double Min, double Average, double Max);

/// <summary>A histogram over one step; those of several steps or services are merged by <see cref="HistogramSnapshot.Plus"/>.</summary>
/// <param name="At">Begin of the step.</param>
/// <param name="Histogram">Its values.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct HistogramPoint(DateTimeOffset At, HistogramSnapshot Histogram);
