using System.Collections.Immutable;
using Ashlar.Catalog;
using Npgsql;

namespace Ashlar.Postgres.Administration;

/// <summary>Questions that people ask a running primary.</summary>
public static class ClusterQuestions
{
    private const string Info = """
        SELECT current_setting('server_version'), current_setting('server_version_num')::int, pg_database_size($1),
               (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()),
               current_setting('max_connections')::int,
               (SELECT sum(blks_hit)::float8 / nullif(sum(blks_hit + blks_read), 0) FROM pg_stat_database),
               current_setting('data_checksums') = 'on',
               (SELECT coalesce(sum(checksum_failures), 0)::bigint FROM pg_stat_database), current_setting('data_directory')
        """;

    private const string Settings = """
        SELECT name, current_setting(name) FROM pg_settings
        WHERE source NOT IN ('default', 'override', 'client', 'session') AND name !~ '^(lc_|primary_conninfo|hba_file|ident_file|data_directory|config_file)'
        """;

    private const string Slots = """
        SELECT slot_name, active, wal_status, (pg_current_wal_lsn() - restart_lsn)::bigint FROM pg_replication_slots ORDER BY slot_name
        """;

    private const string Sessions = """
        SELECT pid, coalesce(usename, ''), coalesce(datname, ''), coalesce(application_name, ''), coalesce(state, ''),
               CASE WHEN state = 'active' AND wait_event IS NOT NULL THEN wait_event_type || ':' || wait_event ELSE '' END,
               coalesce(extract(epoch FROM clock_timestamp() - CASE WHEN state = 'active' THEN query_start ELSE state_change END), 0)::float8,
               left(coalesce(query, ''), 1000)
        FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name <> 'ashlar'
        ORDER BY state = 'idle', 7 DESC
        """;

    private const string Locks = """
        SELECT a.pid, coalesce(extract(epoch FROM clock_timestamp() - a.query_start), 0)::float8, l.what, left(a.query, 1000), pg_blocking_pids(a.pid),
               coalesce(b.state, ''), left(coalesce(b.query, ''), 1000)
        FROM pg_stat_activity a
        JOIN LATERAL (SELECT min(mode) || ' on ' || coalesce(min(relation::regclass::text), min(locktype)) AS what
                      FROM pg_locks WHERE pid = a.pid AND NOT granted) l ON l.what IS NOT NULL
        LEFT JOIN pg_stat_activity b ON b.pid = (pg_blocking_pids(a.pid))[1]
        WHERE cardinality(pg_blocking_pids(a.pid)) > 0
        ORDER BY 2 DESC
        """;

    /// <summary>What the cluster is and has.</summary>
    /// <exception cref="Errors.AshlarException">ASH7022.</exception>
    public static Task<ClusterReport> InfoAsync(TierAccess access, CancellationToken cancellation) => AskAsync(access, async connection =>
    {
        await using var info = new NpgsqlCommand(Info, connection);
        info.Parameters.AddWithValue(access.Database);
        ClusterReport report;
        string folder;
        await using (var reader = await info.ExecuteReaderAsync(cancellation))
        {
            await reader.ReadAsync(cancellation);
            folder = reader.GetString(8);
            report = new ClusterReport
            {
                Version = reader.GetString(0).Split(' ')[0],
                Proven = reader.GetInt32(1) / 10_000 == PostgresVersions.Proven,
                Database = access.Database,
                Bytes = reader.GetInt64(2),
                Connections = reader.GetInt32(3),
                MostConnections = reader.GetInt32(4),
                HitRatio = await reader.IsDBNullAsync(5, cancellation) ? null : reader.GetDouble(5),
                Checksums = reader.GetBoolean(6),
                ChecksumFailures = reader.GetInt64(7),
            };
        }

        return report with
        {
            DiskFree = FreeOn(folder),
            Settings = (await ListAsync(connection, Settings, r => (Name: r.GetString(0), Value: r.GetString(1)), cancellation))
                .ToImmutableSortedDictionary(s => s.Name, s => s.Value),
            Slots = await ListAsync(connection, Slots, r => new SlotReport(
                r.GetString(0), r.GetBoolean(1), r.IsDBNull(2) ? null : r.GetString(2), r.IsDBNull(3) ? null : r.GetInt64(3)), cancellation),
        };
    });

    /// <summary>The sessions of clients, those that do something first, the oldest first.</summary>
    /// <exception cref="Errors.AshlarException">ASH7022.</exception>
    public static Task<ImmutableArray<SessionReport>> SessionsAsync(TierAccess access, CancellationToken cancellation) => AskAsync(access, connection =>
        ListAsync(connection, Sessions, r => new SessionReport(
            r.GetInt32(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetString(5), Math.Round(r.GetDouble(6), 3), r.GetString(7)), cancellation));

    /// <summary>The sessions that wait for another's lock, the oldest first.</summary>
    /// <exception cref="Errors.AshlarException">ASH7022.</exception>
    public static Task<ImmutableArray<LockReport>> LocksAsync(TierAccess access, CancellationToken cancellation) => AskAsync(access, connection =>
        ListAsync(connection, Locks, r => new LockReport(
            r.GetInt32(0), Math.Round(r.GetDouble(1), 3), r.GetString(2), r.GetString(3), [.. r.GetFieldValue<int[]>(4)], r.GetString(5), r.GetString(6)), cancellation));

    /// <summary>Connects with all rights and asks.</summary>
    internal static async Task<T> AskAsync<T>(TierAccess access, Func<NpgsqlConnection, Task<T>> ask, string? database = null)
    {
        try
        {
            await using var connection = new NpgsqlConnection(Connections.To(access.Port, access.User, access.Password, database ?? access.Database));
            await connection.OpenAsync();
            return await ask(connection);
        }
        catch (Exception e) when (Watching.ServerLink.IsOfTheServer(e))
        {
            throw PostgresErrors.Unreachable(ClusterNames.Instance(1), access.Port, e.Message);
        }
    }

    private static async Task<ImmutableArray<T>> ListAsync<T>(NpgsqlConnection connection, string query, Func<NpgsqlDataReader, T> read, CancellationToken cancellation)
    {
        var rows = ImmutableArray.CreateBuilder<T>();
        await using var command = new NpgsqlCommand(query, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            rows.Add(read(reader));
        }

        return rows.ToImmutable();
    }

    private static long FreeOn(string folder)
    {
        for (var path = folder; path is not null; path = Path.GetDirectoryName(path))
        {
            try
            {
                return new DriveInfo(path).AvailableFreeSpace;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Ours may not look into it: its parent lies on the same disk.
            }
        }

        return 0;
    }
}
