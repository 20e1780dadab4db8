using System.Collections.Immutable;

namespace Ashlar.Monitoring;

/// <summary>All that was measured in one second.</summary>
/// <param name="At">End of the second.</param>
/// <param name="Span">Time since the moment before, over which rates are taken; zero in the first, which has no rates.</param>
/// <param name="Samples">What was measured, by tier, service and instance.</param>
/// <param name="Problems">Files that could not be read, in words; empty mostly.</param>
public sealed record Moment(DateTimeOffset At, TimeSpan Span, ImmutableArray<Sample> Samples, ImmutableArray<string> Problems)
{
    /// <summary>The sample of a service as a whole, or of one instance; null if there is none.</summary>
    public Sample? Find(string service, string instance = "") =>
        Samples.FirstOrDefault(sample => sample.Service == service && sample.Instance == instance);
}

/// <summary>
/// What one node of the stack did in one second. Each service has one with an empty <see cref="Instance"/> for all of it, and one for
/// each instance. Ashlar's tiers are services of their own name (<c>edge</c>, <c>agent</c>); the machine is tier, service
/// <c>machine</c>.
/// </summary>
/// <param name="Tier"><c>edge</c>, <c>services</c>, <c>database</c>, <c>cache</c>, <c>queue</c>, <c>dashboard</c>, <c>agent</c>, <c>machine</c>.</param>
/// <param name="Service"><c>web</c>.</param>
/// <param name="Instance"><c>web.1</c>; empty: the service as a whole.</param>
public sealed record Sample(string Tier, string Service, string Instance = "")
{
    /// <summary>What the edge served for it; null: it has no requests. Only of services as a whole; of <c>edge</c> the sum of all.</summary>
    public RequestFigures? Requests { get; init; }

    /// <summary>What its processes use, summed for a service; null: unknown.</summary>
    public ProcessFigures? Process { get; init; }

    /// <summary>
    /// What else its tier says, by the name of its series: gauges as they are (<c>database_lag_bytes</c>), counters per second
    /// (<c>database_transactions</c>). For a service the sum of its instances, of lags and ages the largest.
    /// </summary>
    public ImmutableSortedDictionary<string, double> Figures { get; init; } = ImmutableSortedDictionary<string, double>.Empty;

    /// <summary>How near to its limit it is; null: nothing is known that could be full.</summary>
    public Saturation? Saturation { get; init; }

    /// <summary>A figure by name; null if it was not measured.</summary>
    public double? Figure(string name) => Figures.TryGetValue(name, out var value) ? value : null;
}

/// <summary>How near to a limit something is.</summary>
/// <param name="Share">0: idle; 1: at its limit.</param>
/// <param name="Limit">Which limit: <c>cpu</c>, <c>memory</c>, <c>requests</c>, <c>connections</c>, <c>waiting</c>.</param>
/// <param name="Reason">In words: <c>0.94 of 1 core</c>.</param>
public sealed record Saturation(double Share, string Limit, string Reason);

/// <summary>Requests in one second. Rates are per second; times in the histograms are in microseconds.</summary>
public sealed record RequestFigures
{
    /// <summary>Nothing at all.</summary>
    public static RequestFigures None { get; } = new();

    /// <summary>Requests ended.</summary>
    public double Rate { get; init; }

    /// <summary>Requests ended by class of their answer: index 2 is 2xx; index 0: no answer was sent.</summary>
    public ImmutableArray<double> Classes { get; init; } = [0, 0, 0, 0, 0, 0];

    /// <summary>Requests that failed: 5xx, and those without an answer.</summary>
    public double Errors => Classes[5] + Classes[0];

    /// <summary>Part of the requests that failed, 0 to 1.</summary>
    public double ErrorShare => Rate <= 0 ? 0 : Math.Min(1, Errors / Rate);

    /// <summary>Attempts beyond the first.</summary>
    public double Retries { get; init; }

    /// <summary>Requests being served now, waiting ones included.</summary>
    public double InFlight { get; init; }

    /// <summary>Requests in the waiting room now.</summary>
    public double Waiting { get; init; }

    /// <summary>Requests in flight that its healthy instances take together; 0: no limit, or unknown.</summary>
    public double Limit { get; init; }

    /// <summary>Bytes from clients.</summary>
    public double BytesIn { get; init; }

    /// <summary>Bytes to clients.</summary>
    public double BytesOut { get; init; }

    /// <summary>Open client connections now; only of <c>edge</c>.</summary>
    public double Connections { get; init; }

    /// <summary>Client connections accepted; only of <c>edge</c>.</summary>
    public double ConnectionRate { get; init; }

    /// <summary>First byte received to last byte sent, of the requests that ended in this second.</summary>
    public HistogramSnapshot Latency { get; init; } = HistogramSnapshot.Empty;

    /// <summary>Time in the waiting room, of those that waited.</summary>
    public HistogramSnapshot Queue { get; init; } = HistogramSnapshot.Empty;
}

/// <summary>What processes use.</summary>
public sealed record ProcessFigures
{
    /// <summary>Cores used; 0.25 is a quarter of one.</summary>
    public double Cpu { get; init; }

    /// <summary>Cores it may use; 0: no limit, or unknown.</summary>
    public double CpuLimit { get; init; }

    /// <summary>Bytes.</summary>
    public double Memory { get; init; }

    /// <summary>Bytes it may use; 0: no limit, or unknown.</summary>
    public double MemoryLimit { get; init; }

    /// <summary>Restarts after crashes so far.</summary>
    public double Restarts { get; init; }

    /// <summary>State by the number of the catalog's <c>InstanceState</c> (2: healthy); of a service as a whole 0.</summary>
    public int State { get; init; }

    /// <summary>Start of the process; null: it does not run. Of a service as a whole the latest.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>Instances.</summary>
    public int Instances { get; init; } = 1;

    /// <summary>Instances that are healthy.</summary>
    public int Healthy { get; init; }
}
