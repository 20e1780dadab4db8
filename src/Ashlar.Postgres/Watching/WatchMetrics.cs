using Ashlar.Monitoring;

namespace Ashlar.Postgres.Watching;

/// <summary>What the watch sees, as series by instance, in <c>database.PID.metrics</c>.</summary>
internal sealed class WatchMetrics : IDisposable
{
    private const int Series = 512;
    private readonly MetricsFile _file;
    private readonly Dictionary<string, DatabaseCounts> _before = new(StringComparer.Ordinal);

    private WatchMetrics(MetricsFile file) => _file = file;

    /// <summary>Makes the file in the stack's folder for them; in memory where that cannot be.</summary>
    public static WatchMetrics Create(string state)
    {
        var folder = Path.Combine(state, "metrics");
        try
        {
            // Ours of an earlier agent, or from before it became another program.
            foreach (var old in Directory.EnumerateFiles(folder, $"{PostgresTier.Tier}.*.metrics"))
            {
                File.Delete(old);
            }

            return new WatchMetrics(MetricsFile.Create(Path.Combine(folder, $"{PostgresTier.Tier}.{Environment.ProcessId}.metrics"), 1, Series, 2 * Series));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new WatchMetrics(MetricsFile.InMemory(1));
        }
    }

    /// <summary>Notes what one look showed.</summary>
    public void Note(string instance, ServerLook look, long? lagBytes, double? lagSeconds, long? size)
    {
        Set("database_lag_bytes", instance, lagBytes ?? 0);
        Set("database_lag_milliseconds", instance, (long)((lagSeconds ?? 0) * 1000));
        Set("database_connections", instance, look.Active + look.Idle + look.IdleInTransaction);
        Set("database_connections_active", instance, look.Active);
        Set("database_connections_idle", instance, look.Idle);
        Set("database_connections_idle_in_transaction", instance, look.IdleInTransaction);
        Set("database_log_position", instance, look.Position);
        if (size is { } bytes)
        {
            Set("database_size_bytes", instance, bytes);
        }

        var now = look.Counts;
        if (_before.TryGetValue(instance, out var before))
        {
            Add("database_commits", instance, now.Commits, before.Commits);
            Add("database_rollbacks", instance, now.Rollbacks, before.Rollbacks);
            Add("database_transactions", instance, now.Commits + now.Rollbacks, before.Commits + before.Rollbacks);
            Add("database_deadlocks", instance, now.Deadlocks, before.Deadlocks);
            Add("database_blocks_hit", instance, now.BlocksHit, before.BlocksHit);
            Add("database_blocks_read", instance, now.BlocksRead, before.BlocksRead);
            Add("database_temporary_bytes", instance, now.TemporaryBytes, before.TemporaryBytes);
        }

        _before[instance] = now;
    }

    /// <summary>A server that does not answer has no connections and, as far as anybody knows, no lag.</summary>
    public void Gone(string instance)
    {
        foreach (var gauge in new[] { "database_connections", "database_connections_active", "database_connections_idle", "database_connections_idle_in_transaction", "database_lag_bytes", "database_lag_milliseconds" })
        {
            Set(gauge, instance, 0);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _file.Dispose();

    private void Set(string name, string instance, long value) => _file.Slot(0).Set(_file.Gauge(name, instance), value);

    // Statistics begin anew with a crash of the server: then all of it is new.
    private void Add(string name, string instance, long now, long before) =>
        _file.Slot(0).Add(_file.Counter(name, instance), now >= before ? now - before : now);
}
