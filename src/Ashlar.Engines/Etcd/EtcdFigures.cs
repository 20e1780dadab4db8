using System.Collections.Frozen;
using System.Globalization;

namespace Ashlar.Engines.Etcd;

/// <summary>What a member tells of itself in Prometheus' format. What it does not tell is zero.</summary>
internal sealed record EtcdFigures
{
    private static readonly FrozenSet<string> _names = new[]
    {
        "etcd_server_has_leader", "etcd_server_is_leader", "etcd_server_leader_changes_seen_total", "etcd_server_proposals_pending",
        "etcd_server_proposals_failed_total", "etcd_mvcc_db_total_size_in_bytes", "etcd_server_quota_backend_bytes",
        "etcd_disk_wal_fsync_duration_seconds_sum", "etcd_disk_wal_fsync_duration_seconds_count", "process_resident_memory_bytes",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>True: it knows a leader.</summary>
    public bool HasLeader { get; init; }

    /// <summary>True: it is the leader.</summary>
    public bool IsLeader { get; init; }

    /// <summary>Counter: changes of the leader since it started.</summary>
    public long LeaderChanges { get; init; }

    /// <summary>Changes that wait for a majority.</summary>
    public long Pending { get; init; }

    /// <summary>Counter: changes that found none.</summary>
    public long Failed { get; init; }

    /// <summary>Size of its data in bytes.</summary>
    public long Size { get; init; }

    /// <summary>Largest size of its data in bytes.</summary>
    public long Quota { get; init; }

    /// <summary>Counter: seconds that it waited for its disk, of <see cref="Syncs"/>.</summary>
    public double SyncSeconds { get; init; }

    /// <summary>Counter: how often.</summary>
    public long Syncs { get; init; }

    /// <summary>Memory that it has, in bytes.</summary>
    public long Memory { get; init; }

    /// <summary>Reads it; lines that are none are passed over.</summary>
    public static EtcdFigures Read(string text)
    {
        var found = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var space = line.IndexOf(' ');
            if (space > 0 && line[0] != '#' && _names.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(line[..space], out var name)
                && double.TryParse(line[(space + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value is >= 0 and < long.MaxValue)
            {
                found[name] = value;
            }
        }

        double Of(string name) => found.GetValueOrDefault(name);
        return new EtcdFigures
        {
            HasLeader = Of("etcd_server_has_leader") > 0,
            IsLeader = Of("etcd_server_is_leader") > 0,
            LeaderChanges = (long)Of("etcd_server_leader_changes_seen_total"),
            Pending = (long)Of("etcd_server_proposals_pending"),
            Failed = (long)Of("etcd_server_proposals_failed_total"),
            Size = (long)Of("etcd_mvcc_db_total_size_in_bytes"),
            Quota = (long)Of("etcd_server_quota_backend_bytes"),
            SyncSeconds = Of("etcd_disk_wal_fsync_duration_seconds_sum"),
            Syncs = (long)Of("etcd_disk_wal_fsync_duration_seconds_count"),
            Memory = (long)Of("process_resident_memory_bytes"),
        };
    }
}
