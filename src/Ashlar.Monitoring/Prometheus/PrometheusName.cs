using System.Text;

namespace Ashlar.Monitoring;

/// <summary>How a series is called in Prometheus: <c>ashlar_</c>, base units, <c>_total</c> for counters, labels instead of names that differ.</summary>
/// <param name="Name">Name of the family.</param>
/// <param name="Type"><c>counter</c>, <c>gauge</c>, <c>histogram</c>.</param>
/// <param name="Help">A sentence.</param>
/// <param name="Scale">What a value is to be multiplied by to be in base units.</param>
/// <param name="Label">A label beside those of the subject, or null.</param>
internal sealed record PrometheusName(string Name, string Type, string Help, double Scale = 1, (string Name, string Value)? Label = null)
{
    private const double Micro = 1e-6, Milli = 1e-3;

    private static readonly Dictionary<string, PrometheusName> Known = new(StringComparer.Ordinal)
    {
        [EdgeSeries.Connections] = Gauge("ashlar_edge_connections", "Open client connections."),
        [EdgeSeries.ConnectionsTotal] = Counter("ashlar_edge_connections_accepted_total", "Client connections accepted."),
        [EdgeSeries.LogDropped] = Gauge("ashlar_edge_log_dropped_lines", "Lines that the access log dropped since its edge process started."),
        [EdgeSeries.Retries] = Counter("ashlar_edge_retries_total", "Attempts beyond the first."),
        [EdgeSeries.InFlight] = Gauge("ashlar_edge_requests_in_flight", "Requests being served, waiting ones included."),
        [EdgeSeries.Waiting] = Gauge("ashlar_edge_requests_waiting", "Requests in the waiting room."),
        [EdgeSeries.BytesIn] = Counter("ashlar_edge_received_bytes_total", "Bytes received from clients."),
        [EdgeSeries.BytesOut] = Counter("ashlar_edge_sent_bytes_total", "Bytes sent to clients."),
        [EdgeSeries.Latency] = new("ashlar_edge_request_duration_seconds", "histogram", "First byte received to last byte sent.", Micro),
        [EdgeSeries.Queue] = new("ashlar_edge_queue_duration_seconds", "histogram", "Time in the waiting room, of requests that waited.", Micro),
        [InstanceMetrics.Cpu] = Counter("ashlar_instance_cpu_seconds_total", "CPU time of an instance's processes.") with { Scale = Milli },
        [InstanceMetrics.Memory] = Gauge("ashlar_instance_memory_bytes", "Memory of an instance's processes."),
        [InstanceMetrics.Restarts] = Gauge("ashlar_instance_restarts", "Restarts of an instance after crashes."),
        [InstanceMetrics.State] = Gauge("ashlar_instance_state", "0 pending, 1 starting, 2 healthy, 3 unhealthy, 4 draining, 5 stopping, 6 stopped, 7 backoff, 8 crashed, -1 gone."),
        [InstanceMetrics.Started] = Gauge("ashlar_instance_start_time_seconds", "Start of an instance's process in Unix time; 0: it does not run."),
        [InstanceMetrics.CpuLimit] = Gauge("ashlar_instance_cpu_limit_cores", "Cores an instance may use; 0: no limit.") with { Scale = Milli },
        [InstanceMetrics.MemoryLimit] = Gauge("ashlar_instance_memory_limit_bytes", "Memory an instance may use; 0: no limit."),
        [InstanceMetrics.RequestsLimit] = Gauge("ashlar_instance_requests_limit", "Requests in flight that an instance takes; 0: no limit."),
        [MachineFigures.Cpu] = Counter("ashlar_machine_cpu_seconds_total", "CPU time used on the machine since it started.") with { Scale = Milli },
        [MachineFigures.CoreCount] = Gauge("ashlar_machine_cores", "Cores of the machine."),
        [MachineFigures.MemoryTotal] = Gauge("ashlar_machine_memory_bytes", "Memory of the machine."),
        [MachineFigures.MemoryFree] = Gauge("ashlar_machine_memory_available_bytes", "Memory that a new process could have."),
    };

    /// <summary>The name of a series; null: it is none of its own in Prometheus.</summary>
    public static PrometheusName? Of(MetricTotal series)
    {
        if (Known.TryGetValue(series.Name, out var known))
        {
            return known;
        }

        if (series.Name.StartsWith(InstanceMetrics.Tier, StringComparison.Ordinal))
        {
            return null;
        }

        if (series.Name.StartsWith(EdgeSeries.Requests, StringComparison.Ordinal))
        {
            return Counter("ashlar_edge_requests_total", "Requests by class of their answer; 0xx: no answer was sent.") with
            {
                Label = ("class", series.Name[EdgeSeries.Requests.Length..]),
            };
        }

        if (series.Name.StartsWith(EdgeSeries.Failures, StringComparison.Ordinal))
        {
            return Counter("ashlar_edge_failures_total", "Requests that failed at the edge or behind it, by reason.") with
            {
                Label = ("reason", series.Name[EdgeSeries.Failures.Length..]),
            };
        }

        return Other(series);
    }

    // What other tiers write: their names say the unit.
    private static PrometheusName Other(MetricTotal series)
    {
        var name = new StringBuilder("ashlar_");
        foreach (var letter in series.Name)
        {
            name.Append(char.IsAsciiLetterOrDigit(letter) ? letter : '_');
        }

        var text = name.ToString();
        var scale = 1.0;
        foreach (var (unit, factor) in new[] { ("_milliseconds", Milli), ("_microseconds", Micro) })
        {
            if (text.EndsWith(unit, StringComparison.Ordinal))
            {
                (text, scale) = (text[..^unit.Length] + "_seconds", factor);
            }
        }

        var help = $"{series.Name.Replace('_', ' ')}.";
        return series.Kind switch
        {
            SeriesKind.Counter => Counter(text.EndsWith("_total", StringComparison.Ordinal) ? text : text + "_total", help) with { Scale = scale },
            SeriesKind.Histogram => new(text.EndsWith("_seconds", StringComparison.Ordinal) ? text : text + "_seconds", "histogram", help, Micro),
            _ => Gauge(text, help) with { Scale = scale },
        };
    }

    private static PrometheusName Counter(string name, string help) => new(name, "counter", help);

    private static PrometheusName Gauge(string name, string help) => new(name, "gauge", help);
}
