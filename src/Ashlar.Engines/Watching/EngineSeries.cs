using Ashlar.Monitoring;

namespace Ashlar.Engines.Watching;

/// <summary>Names of the series that an engine's watch writes. Their subject is the instance.</summary>
public static class EngineSeriesNames
{
    /// <summary>Gauge: 1 while it answers, else 0.</summary>
    public const string Up = "engine_up";

    /// <summary>Gauge: bytes of data.</summary>
    public const string Memory = "engine_memory_bytes";

    /// <summary>Gauge: bytes of data that it may hold.</summary>
    public const string MemoryLimit = "engine_memory_limit_bytes";

    /// <summary>Gauge: keys.</summary>
    public const string Keys = "engine_keys";

    /// <summary>Gauge: connections.</summary>
    public const string Connections = "engine_connections";

    /// <summary>Gauge: clients that wait for something to come.</summary>
    public const string Blocked = "engine_blocked_clients";

    /// <summary>Gauge: 1 while it cannot write what it must keep, else 0.</summary>
    public const string WriteTrouble = "engine_write_trouble";

    /// <summary>Counter: reads that found their key.</summary>
    public const string Hits = "engine_hits";

    /// <summary>Counter: reads that did not.</summary>
    public const string Misses = "engine_misses";

    /// <summary>Counter: keys thrown away for want of memory.</summary>
    public const string Evictions = "engine_evictions";

    /// <summary>Counter: commands.</summary>
    public const string Commands = "engine_commands";

    /// <summary>Counter: connections turned away.</summary>
    public const string Rejected = "engine_rejected_connections";
}

/// <summary>The series of one engine in its tier's metrics file.</summary>
internal sealed class EngineSeries(MetricsFile file, string instance)
{
    private readonly MetricsSlot _slot = file.Slot(0);
    private readonly (Gauge Gauge, Func<EngineFigures, long> Of)[] _gauges =
    [
        (file.Gauge(EngineSeriesNames.Up, instance), _ => 1),
        (file.Gauge(EngineSeriesNames.Memory, instance), f => f.Memory),
        (file.Gauge(EngineSeriesNames.MemoryLimit, instance), f => f.MemoryLimit),
        (file.Gauge(EngineSeriesNames.Keys, instance), f => f.Keys),
        (file.Gauge(EngineSeriesNames.Connections, instance), f => f.Connections),
        (file.Gauge(EngineSeriesNames.Blocked, instance), f => f.Blocked),
        (file.Gauge(EngineSeriesNames.WriteTrouble, instance), f => f.WriteTrouble is null ? 0 : 1),
    ];

    private readonly (Counter Counter, Func<EngineFigures, long> Of)[] _counters =
    [
        (file.Counter(EngineSeriesNames.Hits, instance), f => f.Hits),
        (file.Counter(EngineSeriesNames.Misses, instance), f => f.Misses),
        (file.Counter(EngineSeriesNames.Evictions, instance), f => f.Evictions),
        (file.Counter(EngineSeriesNames.Commands, instance), f => f.Commands),
        (file.Counter(EngineSeriesNames.Rejected, instance), f => f.Rejected),
    ];

    private EngineFigures? _last;

    /// <summary>Writes what it says now; null: it does not answer.</summary>
    public void Write(EngineFigures? now)
    {
        foreach (var (gauge, of) in _gauges)
        {
            _slot.Set(gauge, now is null ? 0 : of(now));
        }

        if (now is null)
        {
            return;
        }

        // What was counted before this watch began was counted by another; a new process of the engine counts from 0.
        foreach (var (counter, of) in _counters)
        {
            var (before, value) = (_last is null ? of(now) : _last.Run == now.Run ? of(_last) : 0, of(now));
            _slot.Add(counter, value >= before ? value - before : value);
        }

        _last = now;
    }
}
