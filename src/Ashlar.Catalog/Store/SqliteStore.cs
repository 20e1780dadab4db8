using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Ashlar.Errors;
using Microsoft.Data.Sqlite;

namespace Ashlar.Catalog.Store;

/// <summary>
/// The store of one machine: one SQLite file, one process, one writer. Every acknowledged change is on the disk
/// (write-ahead log, synchronous FULL). Leases count monotonic time; after a restart each begins anew with its whole length,
/// so that a lease is never shorter than granted. Changes are kept for watchers until compacted, the newest 10,000 at least.
/// </summary>
public sealed partial class SqliteStore : IStore
{
    private const int WatchBatch = 256;
    private const int CompactEvery = 1000;
    private const int KeptRevisions = 10_000;
    private static readonly TimeSpan RetryExpiry = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteCommand> _commands = [];
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Dictionary<long, Lease> _leases = [];
    private readonly ITimer _expiry;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _revision;
    private long _oldest;
    private bool _disposed;

    private SqliteStore(string path, TimeProvider time, SqliteConnection connection)
    {
        _path = path;
        _time = time;
        _connection = connection;
        _expiry = time.CreateTimer(_ => _ = ExpireAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Opens the store, making the file (mode 0600) if there is none; its folder exists.</summary>
    /// <exception cref="AshlarException">ASH4060 to ASH4066; ASH4077 if its state was moved elsewhere.</exception>
    public static SqliteStore Open(string path, TimeProvider? time = null)
    {
        var store = new SqliteStore(path, time ?? TimeProvider.System, SqliteFile.Open(path));
        try
        {
            store.Load();
            return store;
        }
        catch (SqliteException e)
        {
            store._connection.Dispose();
            throw SqliteFile.Translate(e, path);
        }
    }

    /// <inheritdoc />
    public ValueTask<StoreEntry?> GetAsync(string key, CancellationToken cancellation = default)
    {
        StoreLimits.CheckKey(key);
        return LockedAsync(() => Find(key), cancellation);
    }

    /// <summary>Writes a copy of the store as it is at one moment into an empty file.</summary>
    /// <returns>Its revision.</returns>
    /// <exception cref="AshlarException">ASH4060 to ASH4066.</exception>
    public ValueTask<long> CopyToAsync(string path, CancellationToken cancellation = default) => LockedAsync(
        () =>
        {
            Command("VACUUM INTO $path", ("$path", path)).ExecuteNonQuery();
            return _revision;
        },
        cancellation);

    /// <inheritdoc />
    public ValueTask<StoreRange> ListAsync(string prefix, CancellationToken cancellation = default)
    {
        StoreLimits.CheckPrefix(prefix);
        return LockedAsync(
            () =>
            {
                const string sql = """
                    SELECT key, value, create_revision, mod_revision, lease FROM entry WHERE key >= $from AND key < $to ORDER BY key
                    """;
                using var reader = Command(sql, ("$from", prefix), ("$to", PrefixEnd(prefix))).ExecuteReader();
                var entries = ImmutableArray.CreateBuilder<StoreEntry>();
                while (reader.Read())
                {
                    entries.Add(ReadEntry(reader));
                }

                return new StoreRange(entries.ToImmutable(), _revision);
            },
            cancellation);
    }

    /// <inheritdoc />
    public ValueTask<CommitResult> CommitAsync(StoreTransaction transaction, CancellationToken cancellation = default)
    {
        StoreLimits.Check(transaction);
        return LockedAsync(
            () =>
            {
                if (!transaction.Conditions.All(Holds))
                {
                    return new CommitResult(false, _revision);
                }

                foreach (var write in transaction.Writes)
                {
                    if (write is { Value: not null, Lease: not 0 } && !_leases.ContainsKey(write.Lease))
                    {
                        throw new LeaseLostException(write.Lease);
                    }
                }

                Write(transaction.Writes);
                return new CommitResult(true, _revision);
            },
            cancellation);
    }

    /// <inheritdoc />
    public async IAsyncEnumerable<StoreEvent> WatchAsync(
        string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        StoreLimits.CheckPrefix(prefix);
        var position = (Revision: Math.Max(fromRevision, 1) - 1, Sequence: long.MaxValue);
        while (true)
        {
            var (events, next, changed) = await LockedAsync(() => ReadChanges(prefix, position), cancellation).ConfigureAwait(false);
            foreach (var change in events)
            {
                yield return change;
            }

            if (events.Count == 0)
            {
                await changed.WaitAsync(cancellation).ConfigureAwait(false);
            }

            position = next;
        }
    }

    /// <inheritdoc />
    public ValueTask<Leadership> CampaignAsync(string election, string candidate, long lease, CancellationToken cancellation = default) =>
        Election.CampaignAsync(this, election, candidate, lease, cancellation);

    /// <inheritdoc />
    public async ValueTask CompactAsync(long revision, CancellationToken cancellation = default) =>
        await LockedAsync(
            () =>
            {
                ArgumentOutOfRangeException.ThrowIfGreaterThan(revision, _revision);
                Compact(revision);
                return true;
            },
            cancellation).ConfigureAwait(false);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            await _expiry.DisposeAsync().ConfigureAwait(false);
            _changed.TrySetException(new ObjectDisposedException(nameof(SqliteStore)));
            _ = _changed.Task.Exception; // observed: there may be no watcher
            foreach (var command in _commands.Values)
            {
                await command.DisposeAsync().ConfigureAwait(false);
            }

            await _connection.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    private void Load()
    {
        using (var mark = Command("SELECT revision, oldest FROM mark").ExecuteReader())
        {
            mark.Read();
            (_revision, _oldest) = (mark.GetInt64(0), mark.GetInt64(1));
        }

        using (var leases = Command("SELECT id, milliseconds FROM lease").ExecuteReader())
        {
            while (leases.Read())
            {
                Renew(leases.GetInt64(0), TimeSpan.FromMilliseconds(leases.GetInt64(1)));
            }
        }
    }

    // Everything goes through here: one at a time, leases that are due ended first.
    private async ValueTask<T> LockedAsync<T>(Func<T> action, CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            EndDueLeases();
            return action();
        }
        catch (SqliteException e)
        {
            throw SqliteFile.Translate(e, _path);
        }
        finally
        {
            _gate.Release();
        }
    }

    private bool Holds(StoreCondition condition)
    {
        var entry = Find(condition.Key);
        return (condition.ModRevision is null || condition.ModRevision == (entry?.ModRevision ?? 0))
            && (condition.CreateRevision is null || condition.CreateRevision == (entry?.CreateRevision ?? 0));
    }

    private StoreEntry? Find(string key)
    {
        const string sql = "SELECT key, value, create_revision, mod_revision, lease FROM entry WHERE key = $key";
        using var reader = Command(sql, ("$key", key)).ExecuteReader();
        return reader.Read() ? ReadEntry(reader) : null;
    }

    private void Write(IReadOnlyList<StoreWrite> writes, IReadOnlyList<long>? endedLeases = null)
    {
        var revision = _revision + 1;
        var changes = 0;
        InTransaction(() =>
        {
            foreach (var write in writes)
            {
                if (Apply(write, revision))
                {
                    Command(
                        "INSERT INTO change VALUES($revision, $sequence, $key, $value)",
                        ("$revision", revision), ("$sequence", (long)changes++), ("$key", write.Key), ("$value", write.Value?.ToArray()))
                        .ExecuteNonQuery();
                }
            }

            foreach (var lease in endedLeases ?? [])
            {
                Command("DELETE FROM lease WHERE id = $id", ("$id", lease)).ExecuteNonQuery();
            }

            if (changes > 0)
            {
                Command("UPDATE mark SET revision = $revision", ("$revision", revision)).ExecuteNonQuery();
            }
        });
        if (changes == 0)
        {
            return;
        }

        _revision = revision;
        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        if (revision % CompactEvery == 0 && revision - KeptRevisions > _oldest)
        {
            Compact(revision - KeptRevisions);
        }
    }

    private bool Apply(StoreWrite write, long revision)
    {
        const string put = """
            INSERT INTO entry VALUES($key, $value, $revision, $revision, $lease)
            ON CONFLICT(key) DO UPDATE SET value = excluded.value, mod_revision = excluded.mod_revision, lease = excluded.lease
            """;
        if (write.Value is not { } value)
        {
            return Command("DELETE FROM entry WHERE key = $key", ("$key", write.Key)).ExecuteNonQuery() > 0;
        }

        Command(put, ("$key", write.Key), ("$value", value.ToArray()), ("$revision", revision), ("$lease", write.Lease)).ExecuteNonQuery();
        return true;
    }

    private void InTransaction(Action action)
    {
        Command("BEGIN IMMEDIATE").ExecuteNonQuery();
        try
        {
            action();
            Command("COMMIT").ExecuteNonQuery();
        }
        catch
        {
            try
            {
                Command("ROLLBACK").ExecuteNonQuery();
            }
            catch (SqliteException)
            {
                // SQLite has rolled back by itself, as it does when the disk is full.
            }

            throw;
        }
    }

    // The position after the events; with none, that of the newest revision, and what to wait for then.
    private (List<StoreEvent> Events, (long Revision, long Sequence) Next, Task Changed) ReadChanges(
        string prefix, (long Revision, long Sequence) after)
    {
        if (after.Revision < _oldest - 1 || (after.Revision == _oldest - 1 && after.Sequence != long.MaxValue))
        {
            throw new CompactedException(_oldest);
        }

        const string sql = """
            SELECT revision, sequence, key, value FROM change
            WHERE (revision, sequence) > ($revision, $sequence) AND key >= $from AND key < $to
            ORDER BY revision, sequence LIMIT $limit
            """;
        using var reader = Command(
            sql, ("$revision", after.Revision), ("$sequence", after.Sequence), ("$from", prefix), ("$to", PrefixEnd(prefix)), ("$limit", WatchBatch))
            .ExecuteReader();
        var events = new List<StoreEvent>();
        var next = after;
        while (reader.Read())
        {
            next = (reader.GetInt64(0), reader.GetInt64(1));
            events.Add(new StoreEvent(
                reader.GetString(2), reader.IsDBNull(3) ? (ReadOnlyMemory<byte>?)null : reader.GetFieldValue<byte[]>(3), next.Revision));
        }

        if (events.Count < WatchBatch && next.Revision < _revision)
        {
            next = (_revision, long.MaxValue);
        }

        return (events, next, _changed.Task);
    }

    private void Compact(long revision)
    {
        if (revision <= _oldest)
        {
            return;
        }

        InTransaction(() =>
        {
            Command("DELETE FROM change WHERE revision < $revision", ("$revision", revision)).ExecuteNonQuery();
            Command("UPDATE mark SET oldest = $revision", ("$revision", revision)).ExecuteNonQuery();
        });
        _oldest = revision;
    }

    // Keys are printable ASCII, so DEL comes after all that begin with the prefix.
    private static string PrefixEnd(string prefix) => prefix + '\x7f';

    private static StoreEntry ReadEntry(SqliteDataReader reader) => new(
        reader.GetString(0), reader.GetFieldValue<byte[]>(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4));

    // Prepared once each, used under the gate only.
    private SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        if (!_commands.TryGetValue(sql, out var command))
        {
            command = _connection.CreateCommand();
            command.CommandText = sql;
            _commands.Add(sql, command);
        }

        command.Parameters.Clear();
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        return command;
    }
}
