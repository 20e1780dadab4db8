using System.Globalization;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Ashlar.Jobs.Queue;

/// <summary>
/// What the dispatcher alone does to the queues: claims jobs, and keeps the tables small. On one connection, which also holds the lock that makes
/// it the only one; every write proves the epoch, so that one who has lost the lock and does not know it yet writes nothing.
/// </summary>
internal sealed partial class ClaimStore(NpgsqlConnection connection) : IAsyncDisposable
{
    private const long DispatcherLock = 0x4153484C_44495350;

    private long _epoch;
    private long _lastReceipt;
    private List<QueueState> _queues = [];

    /// <summary>Which of the two tables takes receipts.</summary>
    public int Receipts { get; private set; }

    /// <summary>Receipts written since the last checkpoint.</summary>
    public int SinceCheckpoint { get; set; }

    /// <summary>Tries to become the dispatcher; null: another is. Gives the epoch.</summary>
    /// <param name="before">The epoch that this process held last: it is kept where nobody has taken over meanwhile.</param>
    /// <param name="holder">Who it is, for people.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<long?> TryLeadAsync(long before, string holder, CancellationToken cancellation)
    {
        if (!await AskAsync<bool>($"select pg_try_advisory_lock({DispatcherLock})", cancellation))
        {
            return null;
        }

        await using var command = new NpgsqlCommand(
            "update ashlar.state set epoch = case when epoch = $1 then epoch else epoch + 1 end, holder = $2, since = clock_timestamp() returning epoch", connection)
        {
            Parameters = { new() { Value = before }, new() { Value = holder } },
        };
        _epoch = (long)(await command.ExecuteScalarAsync(cancellation))!;
        // A receipt that is lost with the server only has its jobs handed out again.
        await RunAsync("set synchronous_commit = off", cancellation);
        return _epoch;
    }

    /// <summary>Has all queues there that are declared, and gives all that there are with how far they are claimed and what is open.</summary>
    public async Task<List<QueueState>> LoadAsync(IReadOnlyCollection<QueueSettings> declared, CancellationToken cancellation)
    {
        await Rebasing.IfNeededAsync(connection, cancellation);
        await DeclareAsync(declared, cancellation);
        var queues = new Dictionary<int, QueueState>();
        await using (var command = new NpgsqlCommand("select id, name, slot, paused, born::text from ashlar.queues order by id", connection))
        await using (var reader = await command.ExecuteReaderAsync(cancellation))
        {
            while (await reader.ReadAsync(cancellation))
            {
                var queue = new QueueState(reader.GetInt32(0), reader.GetString(1), new Cursor(TransactionSnapshot.Parse(reader.GetString(4))))
                {
                    Slot = reader.GetInt32(2),
                    Paused = reader.GetBoolean(3),
                };
                queues.Add(queue.Id, queue);
            }
        }

        await ReplayAsync(queues, cancellation);
        _queues = [.. queues.Values];
        return _queues;
    }

    /// <summary>What the server's transactions see now.</summary>
    public async Task<TransactionSnapshot> LookAsync(CancellationToken cancellation) =>
        TransactionSnapshot.Parse(await AskAsync<string>("select pg_current_snapshot()::text", cancellation));

    /// <summary>Claims from each queue's window up to so many jobs. Gives them in order, and moves the cursors under the gate.</summary>
    public async Task<List<Job>> ClaimAsync(IReadOnlyList<(QueueState Queue, Cursor Window, int Limit, TimeSpan? Lease)> wanted, Lock gate, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Hold());
        foreach (var (queue, window, limit, lease) in wanted)
        {
            batch.BatchCommands.Add(Claim(queue, window, limit, lease));
        }

        var jobs = new List<Job>();
        var moves = new List<(QueueState Queue, Cursor Cursor, List<Job> Jobs)>();
        await using (var reader = await batch.ExecuteReaderAsync(cancellation))
        {
            foreach (var (queue, window, limit, lease) in wanted)
            {
                await reader.NextResultAsync(cancellation);
                var claimed = new List<Job>();
                while (await reader.ReadAsync(cancellation))
                {
                    claimed.Add(Read(reader, queue.Id));
                }

                moves.Add((queue, claimed.Count < limit ? window.Exhausted() : window with { At = claimed[^1].Place!.Value }, claimed));
                jobs.AddRange(lease is null ? claimed : claimed.Select(job => job with { Place = null }));
            }

            await reader.NextResultAsync(cancellation);
        }

        lock (gate)
        {
            foreach (var (queue, cursor, claimed) in moves)
            {
                queue.Cursor = cursor;
                queue.SinceTurn += claimed.Count;
                foreach (var job in jobs.Where(job => job.Queue == queue.Id && job.Place is not null))
                {
                    queue.Open[job.Place!.Value.Number] = job.Place.Value.Transaction;
                }
            }
        }

        return jobs;
    }

    /// <summary>Time until the next scheduled job is due, by the database's clock; null: there is none.</summary>
    public async Task<TimeSpan?> NextInAsync(CancellationToken cancellation) =>
        await AskAsync<object>("select extract(epoch from min(due) - clock_timestamp())::float8 from ashlar.scheduled", cancellation) is double seconds
            ? TimeSpan.FromSeconds(Math.Min(seconds, 86_400)) : null;

    /// <summary>The database's clock.</summary>
    public async Task<DateTime> NowAsync(CancellationToken cancellation) => await AskAsync<DateTime>("select clock_timestamp()", cancellation);

    /// <summary>Which queues are paused now, by id.</summary>
    public async Task<HashSet<int>> PausedAsync(CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select id from ashlar.queues where paused", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var paused = new HashSet<int>();
        while (await reader.ReadAsync(cancellation))
        {
            paused.Add(reader.GetInt32(0));
        }

        return paused;
    }

    /// <summary>Of jobs whose workers answered 202, those that are still held.</summary>
    public async Task<HashSet<long>> StillLeasedAsync(long[] jobs, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select job from ashlar.leases where job = any($1)", connection) { Parameters = { new() { Value = jobs } } };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var left = new HashSet<long>();
        while (await reader.ReadAsync(cancellation))
        {
            left.Add(reader.GetInt64(0));
        }

        return left;
    }

    /// <summary>Jobs that workers hold by lease, with their queues.</summary>
    public async Task<List<(long Job, int Queue)>> LeasedAsync(CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select job, queue from ashlar.leases where runner is null", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var leased = new List<(long, int)>();
        while (await reader.ReadAsync(cancellation))
        {
            leased.Add((reader.GetInt64(0), reader.GetInt32(1)));
        }

        return leased;
    }

    /// <summary>Reads claimed jobs again, after a start: their rows are there until their table is emptied.</summary>
    public async Task<List<Job>> ReadAsync(QueueState queue, IReadOnlyCollection<KeyValuePair<long, ulong>> places, CancellationToken cancellation)
    {
        var columns = string.Join(" union all ", Enumerable.Range(0, Schema.Slots).Select(slot =>
            $"select {Columns} from ashlar.ready_{queue.Part(slot)} r join unnest($1, $2) u(x, p) on r.xid = u.x and r.place = u.p"));
        await using var command = new NpgsqlCommand(columns, connection)
        {
            Parameters =
            {
                new() { Value = places.Select(p => p.Value).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Xid8 },
                new() { Value = places.Select(p => p.Key).ToArray() },
            },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var jobs = new List<Job>();
        while (await reader.ReadAsync(cancellation))
        {
            jobs.Add(Read(reader, queue.Id));
        }

        return jobs;
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => connection.DisposeAsync();

    /// <summary>A number for a receipt.</summary>
    public long TakeReceipt()
    {
        SinceCheckpoint++;
        return Interlocked.Increment(ref _lastReceipt);
    }

    private const string Columns = "r.xid, r.place, r.part, r.job, r.attempt, r.delivery, r.attempts, r.at, r.enqueued, r.key, r.trace, r.payload::text";

    private static Job Read(NpgsqlDataReader reader, int queue) => new()
    {
        Queue = queue,
        Place = new Place(reader.GetFieldValue<ulong>(0), reader.GetInt64(1)),
        Part = reader.GetInt32(2),
        Id = reader.GetInt64(3),
        Attempt = reader.GetInt32(4),
        Delivery = reader.GetInt32(5),
        Attempts = reader.GetInt32(6),
        At = reader.GetDateTime(7),
        Enqueued = reader.GetDateTime(8),
        Key = reader.IsDBNull(9) ? null : reader.GetString(9),
        Trace = reader.IsDBNull(10) ? null : reader.GetString(10),
        Payload = reader.GetString(11),
    };

    private NpgsqlBatchCommand Hold() => new("select ashlar.hold($1)") { Parameters = { new() { Value = _epoch } } };

    // Two ordered range reads a table: of transactions that are late, by their ids, and of those that are new. One row says what was taken.
    private NpgsqlBatchCommand Claim(QueueState queue, Cursor window, int limit, TimeSpan? lease)
    {
        var late = window.Upto!.Late(window.Base);
        var text = new StringBuilder("with r as materialized (select * from (");
        for (var slot = 0; slot < Schema.Slots; slot++)
        {
            text.Append(slot > 0 ? " union all " : "");
            if (late.Length > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"(select r.* from ashlar.ready_{queue.Part(slot)} r where r.xid = any($10) and (r.xid, r.place) > ($5, $6) order by r.xid, r.place limit $9) union all ");
            }

            text.Append(CultureInfo.InvariantCulture, $"(select r.* from ashlar.ready_{queue.Part(slot)} r where r.xid >= $7 and r.xid < $8 and (r.xid, r.place) > ($5, $6) and pg_visible_in_snapshot(r.xid, $4::pg_snapshot) order by r.xid, r.place limit $9)");
        }

        text.Append(") r order by r.xid, r.place limit $9), i as (insert into ashlar.receipts_").Append(Receipts)
            .Append(" (n, queue, kind, base, upto, xid, place, xids, places) select $1, $2, 'c', $3::pg_snapshot, $4::pg_snapshot, (array_agg(xid order by xid desc, place desc))[1], (array_agg(place order by xid desc, place desc))[1], ")
            .Append(lease is null ? "array_agg(xid), array_agg(place)" : "'{}', '{}'").Append(" from r having count(*) > 0)");
        if (lease is { } span)
        {
            text.Append(CultureInfo.InvariantCulture, $", l as (insert into ashlar.leases (job, queue, until, attempt, delivery, attempts, at, enqueued, key, trace, payload) select job, $2, clock_timestamp() + make_interval(secs => {span.TotalSeconds}), attempt, delivery, attempts, clock_timestamp(), enqueued, key, trace, payload from r)");
        }

        text.Append(" select ").Append(Columns).Append(" from r order by r.xid, r.place");
        var command = new NpgsqlBatchCommand(text.ToString())
        {
            Parameters =
            {
                new() { Value = TakeReceipt() },
                new() { Value = queue.Id },
                new() { Value = window.Base.Text },
                new() { Value = window.Upto.Text },
                new() { Value = window.At.Transaction, NpgsqlDbType = NpgsqlDbType.Xid8 },
                new() { Value = window.At.Number },
                new() { Value = Math.Max(window.Base.Max, window.At.Transaction), NpgsqlDbType = NpgsqlDbType.Xid8 },
                new() { Value = window.Upto.Max, NpgsqlDbType = NpgsqlDbType.Xid8 },
                new() { Value = limit },
            },
        };
        if (late.Length > 0)
        {
            command.Parameters.Add(new() { Value = late, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Xid8 });
        }

        return command;
    }

    private async Task<int> HeldAsync(string sql, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Hold());
        batch.BatchCommands.Add(new(sql));
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        await reader.NextResultAsync(cancellation);
        var rows = 0;
        while (await reader.ReadAsync(cancellation))
        {
            rows++;
        }

        return Math.Max(rows, (int)batch.BatchCommands[1].RecordsAffected);
    }

    private async Task RunAsync(string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private async Task<T> AskAsync<T>(string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(cancellation))!;
    }
}
