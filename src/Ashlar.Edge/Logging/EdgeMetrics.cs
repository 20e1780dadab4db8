using Ashlar.Edge.Caching;
using Ashlar.Monitoring;

namespace Ashlar.Edge.Logging;

/// <summary>The edge's series in its metrics file. Services are registered when a snapshot first names them.</summary>
public sealed class EdgeMetrics
{
    private readonly MetricsFile _file;
    private readonly Gauge _logDropped;

    /// <summary>Registers what is not of a service.</summary>
    public EdgeMetrics(MetricsFile file)
    {
        _file = file;
        Connections = file.Gauge(EdgeSeries.Connections);
        ConnectionsTotal = file.Counter(EdgeSeries.ConnectionsTotal);
        _logDropped = file.Gauge(EdgeSeries.LogDropped);
        CacheBytes = file.Counter(EdgeSeries.CacheBytes);
        Cache = [.. Enum.GetNames<CacheWord>().Select(name => file.Counter(EdgeSeries.Cache + System.Text.RegularExpressions.Regex.Replace(name, "(?<!^)[A-Z]", "-$0").ToLowerInvariant()))];
        Unrouted = Service("");
    }

    /// <summary>Series of requests that no service gets: malformed ones and those without a route.</summary>
    public ServiceSeries Unrouted { get; }

    /// <summary>Slots of the file for so many loops: one each, and one for the access log's writer.</summary>
    public static int SlotsFor(int loops) => loops + 1;

    /// <summary>Told by the access log's writer how many lines have been dropped so far.</summary>
    internal void LogDropped(long lines) => _file.Slot(_file.Slots - 1).Set(_logDropped, lines);

    internal Counter[] Cache { get; }

    internal Counter CacheBytes { get; }

    internal Gauge Connections { get; }

    internal Counter ConnectionsTotal { get; }

    /// <summary>A loop's own view, to be used by that loop only.</summary>
    /// <param name="index">From 0; below the file's number of slots.</param>
    public LoopMetrics Loop(int index) => new(this, _file.Slot(index));

    /// <summary>Registers the series of a service, or finds them again.</summary>
    public ServiceSeries Service(string name) => new(_file, name);
}

/// <summary>Series of one service.</summary>
public sealed class ServiceSeries
{
    internal ServiceSeries(MetricsFile file, string service)
    {
        Requests = [.. Enumerable.Range(0, 6).Select(status => file.Counter($"{EdgeSeries.Requests}{status}xx", service))];
        Failures = [.. Enum.GetValues<Failure>().Select(failure => file.Counter(EdgeSeries.Failures + FailureNames.Of(failure), service))];
        Retries = file.Counter(EdgeSeries.Retries, service);
        InFlight = file.Gauge(EdgeSeries.InFlight, service);
        Waiting = file.Gauge(EdgeSeries.Waiting, service);
        Latency = file.Histogram(EdgeSeries.Latency, service);
        Queue = file.Histogram(EdgeSeries.Queue, service);
        BytesIn = file.Counter(EdgeSeries.BytesIn, service);
        BytesOut = file.Counter(EdgeSeries.BytesOut, service);
    }

    internal Counter[] Requests { get; }

    internal Counter[] Failures { get; }

    internal Counter Retries { get; }

    internal Gauge InFlight { get; }

    internal Gauge Waiting { get; }

    internal Histogram Latency { get; }

    internal Histogram Queue { get; }

    internal Counter BytesIn { get; }

    internal Counter BytesOut { get; }
}

/// <summary>What one loop counts. Plain memory increments; only its loop may call it.</summary>
public sealed class LoopMetrics
{
    private readonly EdgeMetrics _metrics;
    private readonly MetricsSlot _slot;

    internal LoopMetrics(EdgeMetrics metrics, MetricsSlot slot)
    {
        _metrics = metrics;
        _slot = slot;
    }

    /// <summary>A client connection was accepted.</summary>
    public void ConnectionOpened()
    {
        _slot.Add(_metrics.ConnectionsTotal);
        _slot.Add(_metrics.Connections, 1);
    }

    /// <summary>A client connection was closed.</summary>
    public void ConnectionClosed() => _slot.Add(_metrics.Connections, -1);

    /// <summary>A request's head has been read and its service is known. To be followed by one <see cref="RequestEnded"/>.</summary>
    public void RequestBegan(ServiceSeries service) => _slot.Add(service.InFlight, 1);

    /// <summary>A request that began has ended.</summary>
    public void RequestEnded(ServiceSeries service, in AccessRecord record)
    {
        _slot.Add(service.InFlight, -1);
        Count(service, record);
    }

    /// <summary>Counts a request that never began: its head was malformed, or its client too slow.</summary>
    public void RequestRefused(in AccessRecord record) => Count(_metrics.Unrouted, record);

    /// <summary>What the cache did for a request, and the bytes it sent from its store.</summary>
    internal void CacheUsed(CacheWord word, long bytes)
    {
        _slot.Add(_metrics.Cache[(int)word]);
        _slot.Add(_metrics.CacheBytes, bytes);
    }

    /// <summary>A request went into the waiting room.</summary>
    public void WaitBegan(ServiceSeries service) => _slot.Add(service.Waiting, 1);

    /// <summary>It left the waiting room, one way or the other.</summary>
    public void WaitEnded(ServiceSeries service) => _slot.Add(service.Waiting, -1);

    private void Count(ServiceSeries service, in AccessRecord record)
    {
        _slot.Add(service.Requests[record.Status is >= 100 and < 600 ? record.Status / 100 : 0]);
        _slot.Record(service.Latency, record.DurationMicros);
        _slot.Add(service.BytesIn, record.BytesIn);
        _slot.Add(service.BytesOut, record.BytesOut);
        if (record.QueueMicros > 0)
        {
            _slot.Record(service.Queue, record.QueueMicros);
        }

        if (record.Retries > 0)
        {
            _slot.Add(service.Retries, record.Retries);
        }

        if (record.Failure != Failure.None)
        {
            _slot.Add(service.Failures[(int)record.Failure]);
        }
    }
}
