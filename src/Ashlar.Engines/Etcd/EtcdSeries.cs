using Ashlar.Monitoring;

namespace Ashlar.Engines.Etcd;

/// <summary>Names of the series of a member of etcd. Their subject is the instance.</summary>
public static class EtcdSeriesNames
{
    /// <summary>Gauge: 1 while it answers, else 0.</summary>
    public const string Up = "etcd_up";

    /// <summary>Gauge: 1 while it knows a leader, else 0: it has no majority.</summary>
    public const string HasLeader = "etcd_has_leader";

    /// <summary>Gauge: 1 while it is the leader, else 0.</summary>
    public const string IsLeader = "etcd_is_leader";

    /// <summary>Gauge: bytes of its data.</summary>
    public const string Size = "etcd_size_bytes";

    /// <summary>Gauge: bytes of data that it may hold.</summary>
    public const string Quota = "etcd_quota_bytes";

    /// <summary>Gauge: changes that wait for a majority.</summary>
    public const string Pending = "etcd_pending_changes";

    /// <summary>Counter: changes that found none.</summary>
    public const string Failed = "etcd_failed_changes";

    /// <summary>Counter: changes of the leader.</summary>
    public const string LeaderChanges = "etcd_leader_changes";

    /// <summary>Counter: milliseconds that it waited for its disk.</summary>
    public const string SyncMilliseconds = "etcd_disk_sync_milliseconds";

    /// <summary>Counter: how often it waited for its disk.</summary>
    public const string Syncs = "etcd_disk_syncs";
}

/// <summary>The series of one member in its tier's metrics file.</summary>
internal sealed class EtcdSeries(MetricsFile file, string instance)
{
    private readonly MetricsSlot _slot = file.Slot(0);
    private readonly (Gauge Gauge, Func<EtcdFigures, long> Of)[] _gauges =
    [
        (file.Gauge(EtcdSeriesNames.Up, instance), _ => 1),
        (file.Gauge(EtcdSeriesNames.HasLeader, instance), f => f.HasLeader ? 1 : 0),
        (file.Gauge(EtcdSeriesNames.IsLeader, instance), f => f.IsLeader ? 1 : 0),
        (file.Gauge(EtcdSeriesNames.Size, instance), f => f.Size),
        (file.Gauge(EtcdSeriesNames.Quota, instance), f => f.Quota),
        (file.Gauge(EtcdSeriesNames.Pending, instance), f => f.Pending),
    ];

    private readonly (Counter Counter, Func<EtcdFigures, long> Of)[] _counters =
    [
        (file.Counter(EtcdSeriesNames.Failed, instance), f => f.Failed),
        (file.Counter(EtcdSeriesNames.LeaderChanges, instance), f => f.LeaderChanges),
        (file.Counter(EtcdSeriesNames.SyncMilliseconds, instance), f => (long)(f.SyncSeconds * 1000)),
        (file.Counter(EtcdSeriesNames.Syncs, instance), f => f.Syncs),
    ];

    private EtcdFigures? _last;

    /// <summary>Writes what it says now; null: it does not answer.</summary>
    public void Write(EtcdFigures? now)
    {
        foreach (var (gauge, of) in _gauges)
        {
            _slot.Set(gauge, now is null ? 0 : of(now));
        }

        if (now is null)
        {
            return;
        }

        // What was counted before this watch began was counted by another; a new process counts from 0.
        foreach (var (counter, of) in _counters)
        {
            var (before, value) = (_last is null ? of(now) : of(_last), of(now));
            _slot.Add(counter, value >= before ? value - before : value);
        }

        _last = now;
    }
}
