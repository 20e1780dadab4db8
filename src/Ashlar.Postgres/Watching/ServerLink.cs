using System.Collections.Immutable;
using Npgsql;

namespace Ashlar.Postgres.Watching;

/// <summary>The one connection that the watch keeps to a server.</summary>
internal sealed class ServerLink(int index, int port, string password) : IAsyncDisposable
{
    private const string Look = """
        SELECT r.recovering,
               CASE WHEN r.recovering THEN coalesce(pg_last_wal_replay_lsn(), '0/0') ELSE pg_current_wal_lsn() END - '0/0'::pg_lsn,
               CASE WHEN r.recovering THEN coalesce(pg_last_wal_receive_lsn(), '0/0') ELSE pg_current_wal_lsn() END - '0/0'::pg_lsn,
               extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8,
               EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming'),
               current_setting('server_version_num')::int,
               a.active, a.idle, a.waiting,
               d.commits, d.rollbacks, d.deadlocks, d.hit, d.read, d.temporary, d.failures
        FROM (SELECT pg_is_in_recovery() AS recovering) r,
             (SELECT count(*) FILTER (WHERE state = 'active') AS active, count(*) FILTER (WHERE state = 'idle') AS idle,
                     count(*) FILTER (WHERE state LIKE 'idle in%') AS waiting
              FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) a,
             (SELECT sum(xact_commit)::bigint AS commits, sum(xact_rollback)::bigint AS rollbacks, sum(deadlocks)::bigint AS deadlocks,
                     sum(blks_hit)::bigint AS hit, sum(blks_read)::bigint AS read, sum(temp_bytes)::bigint AS temporary,
                     coalesce(sum(checksum_failures), 0)::bigint AS failures
              FROM pg_stat_database) d
        """;

    private const string Slots = "SELECT slot_name, active, wal_status FROM pg_replication_slots WHERE slot_type = 'physical'";

    private const string Clones = """
        SELECT a.application_name, CASE WHEN p.backup_total > 0 THEN least(100, p.backup_streamed * 100 / p.backup_total)::int END
        FROM pg_stat_progress_basebackup p JOIN pg_stat_activity a ON a.pid = p.pid
        """;

    private const string Size = "SELECT sum(pg_database_size(oid))::bigint FROM pg_database";

    private NpgsqlConnection? _connection;
    private NpgsqlCommand? _look;

    /// <summary>Index of its instance.</summary>
    public int Index => index;

    /// <summary>Its port.</summary>
    public int Port => port;

    /// <summary>Why it could not be looked at, the last time; empty if it could.</summary>
    public string Trouble { get; private set; } = "";

    /// <summary>Looks at the server; null: it does not answer.</summary>
    public async Task<ServerLook?> LookAsync(CancellationToken cancellation) => await TryAsync(async connection =>
    {
        if (_look is null)
        {
            _look = new NpgsqlCommand(Look, connection);
            await _look.PrepareAsync(cancellation);
        }

        await using var reader = await _look.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return new ServerLook
        {
            InRecovery = reader.GetBoolean(0),
            Position = (long)reader.GetDecimal(1),
            Received = (long)reader.GetDecimal(2),
            ReplayAge = await reader.IsDBNullAsync(3, cancellation) ? null : reader.GetDouble(3),
            Streams = reader.GetBoolean(4),
            Version = reader.GetInt32(5),
            Active = reader.GetInt64(6),
            Idle = reader.GetInt64(7),
            IdleInTransaction = reader.GetInt64(8),
            Counts = new DatabaseCounts(reader.GetInt64(9), reader.GetInt64(10), reader.GetInt64(11), reader.GetInt64(12), reader.GetInt64(13), reader.GetInt64(14), reader.GetInt64(15)),
        };
    });

    /// <summary>Asks a primary about those who follow it; null: it does not answer.</summary>
    /// <param name="withSize">Also asks for the size, which reads all folders of the data.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<Followers?> FollowersAsync(bool withSize, CancellationToken cancellation) => await TryAsync(async connection =>
    {
        var slots = ImmutableArray.CreateBuilder<SlotLook>();
        var clones = ImmutableDictionary.CreateBuilder<string, int?>(StringComparer.Ordinal);
        long? bytes = null;
        await using var command = new NpgsqlCommand($"{Slots}; {Clones}{(withSize ? $"; {Size}" : "")}", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            slots.Add(new SlotLook(reader.GetString(0), reader.GetBoolean(1), await reader.IsDBNullAsync(2, cancellation) ? null : reader.GetString(2)));
        }

        await reader.NextResultAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            clones[reader.GetString(0)] = await reader.IsDBNullAsync(1, cancellation) ? null : reader.GetInt32(1);
        }

        if (withSize && await reader.NextResultAsync(cancellation) && await reader.ReadAsync(cancellation))
        {
            bytes = reader.GetInt64(0);
        }

        return new Followers(slots.ToImmutable(), clones.ToImmutable(), bytes);
    });

    /// <summary>Drops a slot of a primary. False: it is in use, or the server does not answer.</summary>
    public async Task<bool> DropSlotAsync(string slot, CancellationToken cancellation)
    {
        await using var source = NpgsqlDataSource.Create(Connections.Replicator(port, password));
        try
        {
            return await Postgres.Slots.DropAsync(source, slot, cancellation);
        }
        catch (Exception e) when (IsOfTheServer(e))
        {
            return false;
        }
    }

    /// <summary>The cluster's identifier; null: the server does not answer.</summary>
    public async Task<ulong?> SystemAsync(CancellationToken cancellation)
    {
        var found = await TryAsync(async connection =>
        {
            await using var command = new NpgsqlCommand("SELECT system_identifier FROM pg_control_system()", connection);
            return await command.ExecuteScalarAsync(cancellation);
        });
        return found is long identifier ? unchecked((ulong)identifier) : null;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _look?.Dispose();
        _look = null;
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync();
        }
    }

    /// <summary>True: the server or the way to it is the cause, not we.</summary>
    internal static bool IsOfTheServer(Exception e) => e is NpgsqlException or TimeoutException or IOException or System.Net.Sockets.SocketException;

    private async Task<T?> TryAsync<T>(Func<NpgsqlConnection, Task<T?>> ask) where T : class
    {
        try
        {
            if (_connection is null)
            {
                var connection = new NpgsqlConnection(Connections.Replicator(port, password));
                try
                {
                    await connection.OpenAsync();
                }
                catch
                {
                    await connection.DisposeAsync();
                    throw;
                }

                _connection = connection;
            }

            var result = await ask(_connection);
            Trouble = "";
            return result;
        }
        catch (Exception e) when (IsOfTheServer(e) || e is InvalidOperationException)
        {
            Trouble = e.Message;
            await DisposeAsync();
            return null;
        }
    }
}
