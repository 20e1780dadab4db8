using System.Globalization;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Ashlar.Jobs.Queue;

/// <summary>
/// What the dispatcher alone does to the queues: claims jobs, and keeps the tables small. On one connection, which also holds the lock that makes
/// it the only one; every write proves the epoch, so that one who has lost the lock and does not know it yet writes nothing.
/// </summary>
internal sealed class ClaimStore(NpgsqlConnection connection) : IAsyncDisposable
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

    /// <summary>Has what is due ready; gives how much it was.</summary>
    public Task<int> PromoteAsync(CancellationToken cancellation) => HeldAsync("""
        with due as (delete from ashlar.scheduled where job = any(array(
                select job from ashlar.scheduled where due <= clock_timestamp() order by due limit 1000 for update skip locked)) returning *)
        insert into ashlar.ready (part, job, attempt, delivery, attempts, enqueued, key, trace, payload)
            select q.id * 4 + q.slot, d.job, d.attempt, d.delivery, d.attempts, d.enqueued, d.key, d.trace, d.payload
            from due d join ashlar.queues q on q.id = d.queue order by d.due
        """, cancellation);

    /// <summary>Takes jobs from workers that sent no heartbeat in time; gives how many.</summary>
    public Task<int> ExpireAsync(CancellationToken cancellation) => HeldAsync($"""
        with gone as (delete from ashlar.leases l where until < clock_timestamp() returning l.*, 'f'::text as ending,
            case when runner is null then 'its worker sent no heartbeat in time' else 'its runner ended' end as error, null::float8 as retry)
        {FinishStore.Tail}
        """, cancellation);

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

    /// <summary>
    /// Writes down how far all queues are and what is open, in the other table, and empties the one so far. Nothing may be finished meanwhile.
    /// </summary>
    public async Task<bool> CheckpointAsync(CancellationToken cancellation)
    {
        var next = 1 - Receipts;
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(Hold());
        foreach (var queue in _queues)
        {
            batch.BatchCommands.Add(new($"insert into ashlar.receipts_{next} (n, queue, kind, base, upto, xid, place, xids, places) values ($1, $2, 'k', $3::pg_snapshot, $4::pg_snapshot, $5, $6, $7, $8)")
            {
                Parameters =
                {
                    new() { Value = TakeReceipt() },
                    new() { Value = queue.Id },
                    new() { Value = queue.Cursor.Base.Text },
                    new() { Value = (object?)queue.Cursor.Upto?.Text ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
                    new() { Value = queue.Cursor.At.Transaction, NpgsqlDbType = NpgsqlDbType.Xid8 },
                    new() { Value = queue.Cursor.At.Number },
                    new() { Value = queue.Open.Values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Xid8 },
                    new() { Value = queue.Open.Keys.ToArray() },
                },
            });
        }

        batch.BatchCommands.Add(new($"lock table ashlar.receipts_{Receipts} in access exclusive mode nowait"));
        batch.BatchCommands.Add(new($"truncate ashlar.receipts_{Receipts}"));
        try
        {
            await batch.ExecuteNonQueryAsync(cancellation);
            await transaction.CommitAsync(cancellation);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            // Somebody reads it: a dump. Later.
            return false;
        }

        Receipts = next;
        SinceCheckpoint = 0;
        return true;
    }

    /// <summary>
    /// Empties the tables of a queue's ring that hold nothing any more, and turns the ring to an empty one when the present one has taken enough.
    /// </summary>
    public async Task TurnAsync(QueueState queue, Func<HashSet<int>> slotsWithOpen, long enough, CancellationToken cancellation)
    {
        var empty = new List<int>();
        foreach (var slot in Enumerable.Range(0, Schema.Slots).Where(slot => slot != queue.Slot))
        {
            var table = $"ashlar.ready_{queue.Part(slot)}";
            if (!await AskAsync<bool>($"select exists (select from {table})", cancellation))
            {
                empty.Add(slot);
            }
            else if (!slotsWithOpen().Contains(slot) && await EmptyAsync(table, queue.Cursor.Base, cancellation))
            {
                empty.Add(slot);
            }
        }

        if (queue.SinceTurn >= enough && empty.Count > 0)
        {
            var next = empty.Order().FirstOrDefault(slot => slot > queue.Slot, empty.Min());
            await HeldAsync(string.Create(CultureInfo.InvariantCulture, $"update ashlar.queues set slot = {next} where id = {queue.Id}"), cancellation);
            queue.Slot = next;
            queue.SinceTurn = 0;
        }
    }

    /// <summary>Keeps a table of done jobs for each day, and removes old ones.</summary>
    public async Task ArchiveAsync(int days, CancellationToken cancellation)
    {
        var now = await NowAsync(cancellation);
        foreach (var day in new[] { now.Date, now.Date.AddDays(1) })
        {
            await RunAsync(string.Create(CultureInfo.InvariantCulture,
                $"create table if not exists ashlar.archive_{day:yyyyMMdd} partition of ashlar.archive for values from ('{day:yyyy-MM-dd} 00:00Z') to ('{day.AddDays(1):yyyy-MM-dd} 00:00Z') with (autovacuum_enabled = false)"), cancellation);
        }

        await using var old = new NpgsqlCommand("""
            select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'ashlar.archive'::regclass and c.relname < $1
            """, connection)
        { Parameters = { new() { Value = string.Create(CultureInfo.InvariantCulture, $"archive_{now.Date.AddDays(-days):yyyyMMdd}") } } };
        var names = new List<string>();
        await using (var reader = await old.ExecuteReaderAsync(cancellation))
        {
            while (await reader.ReadAsync(cancellation))
            {
                names.Add(reader.GetString(0));
            }
        }

        foreach (var name in names)
        {
            await RunAsync($"drop table ashlar.{Schema.Identifier(name)}", cancellation);
        }

        await RunAsync("delete from ashlar.ticks t where fired < clock_timestamp() - interval '30 days' and exists (select from ashlar.ticks n where n.schedule = t.schedule and n.at > t.at)", cancellation);
    }

    /// <summary>Fires a schedule; true: it was this call that did.</summary>
    public async Task<bool> FireAsync(string schedule, DateTime at, string queue, string payload, bool skip, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Hold());
        batch.BatchCommands.Add(new("select ashlar.fire($1, $2, $3, $4::jsonb, $5)")
        {
            Parameters = { new() { Value = schedule }, new() { Value = at }, new() { Value = queue }, new() { Value = payload }, new() { Value = skip } },
        });
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        await reader.NextResultAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return reader.GetBoolean(0);
    }

    /// <summary>Has the schedules there that are declared; gives since when or from which time on each is to be looked at, and which are paused.</summary>
    public async Task<Dictionary<string, (DateTime Last, bool Paused)>> SchedulesAsync(IEnumerable<(string Name, string Text)> declared, CancellationToken cancellation)
    {
        var all = declared.ToArray();
        await using (var command = new NpgsqlCommand("""
            insert into ashlar.schedules as s (name, text) select * from unnest($1, $2)
                on conflict (name) do update set text = excluded.text, declared = true, since = case when s.declared and s.text = excluded.text then s.since else clock_timestamp() end
            """, connection)
        { Parameters = { new() { Value = all.Select(a => a.Name).ToArray() }, new() { Value = all.Select(a => a.Text).ToArray() } } })
        {
            await command.ExecuteNonQueryAsync(cancellation);
        }

        await using (var command = new NpgsqlCommand("update ashlar.schedules set declared = false where declared and name <> all($1)", connection)
        { Parameters = { new() { Value = all.Select(a => a.Name).ToArray() } } })
        {
            await command.ExecuteNonQueryAsync(cancellation);
        }

        return await LastTicksAsync(cancellation);
    }

    /// <summary>From which time on each schedule is to be looked at, and which are paused.</summary>
    public async Task<Dictionary<string, (DateTime Last, bool Paused)>> LastTicksAsync(CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            "select name, greatest(since, (select max(at) from ashlar.ticks where schedule = name)), paused from ashlar.schedules where declared", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var last = new Dictionary<string, (DateTime, bool)>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellation))
        {
            last[reader.GetString(0)] = (reader.GetDateTime(1), reader.GetBoolean(2));
        }

        return last;
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

    private async Task<bool> EmptyAsync(string table, TransactionSnapshot claimed, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        try
        {
            // Who has put a job in and has not committed holds a lock until then; nobody waits behind ours.
            await RunAsync($"select ashlar.hold({_epoch}); lock table {table} in access exclusive mode nowait", cancellation);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            return false;
        }

        await using var left = new NpgsqlCommand($"select exists (select from {table} where xid >= $1 and not pg_visible_in_snapshot(xid, $2::pg_snapshot))", connection)
        {
            Parameters = { new() { Value = claimed.Min, NpgsqlDbType = NpgsqlDbType.Xid8 }, new() { Value = claimed.Text } },
        };
        if ((bool)(await left.ExecuteScalarAsync(cancellation))!)
        {
            return false;
        }

        await RunAsync($"truncate {table}", cancellation);
        await transaction.CommitAsync(cancellation);
        return true;
    }

    /// <summary>Has the queues there that are declared, each with its ring of tables.</summary>
    public async Task DeclareAsync(IReadOnlyCollection<QueueSettings> declared, CancellationToken cancellation)
    {
        var names = declared.Select(queue => queue.Name).ToArray();
        await using (var command = new NpgsqlCommand("""
            insert into ashlar.queues as q (name, attempts, lease) select n, a, make_interval(secs => l) from unnest($1, $2, $3) u(n, a, l)
                on conflict (name) do update set attempts = excluded.attempts, lease = excluded.lease, declared = true
                where q.attempts <> excluded.attempts or q.lease is distinct from excluded.lease or not q.declared
            """, connection))
        {
            command.Parameters.Add(new() { Value = names });
            command.Parameters.Add(new() { Value = declared.Select(queue => queue.Attempts).ToArray() });
            command.Parameters.Add(new() { Value = declared.Select(queue => queue.Lease?.TotalSeconds).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Double });
            await command.ExecuteNonQueryAsync(cancellation);
        }

        await using (var command = new NpgsqlCommand("update ashlar.queues set declared = false where declared and name <> all($1)", connection) { Parameters = { new() { Value = names } } })
        {
            await command.ExecuteNonQueryAsync(cancellation);
        }

        // Attached, not made as a part: that would wait for every transaction that has enqueued something.
        await RunAsync("""
            do $$ declare p int; begin
                for p in select q.id * 4 + s from ashlar.queues q, generate_series(0, 3) s where to_regclass('ashlar.ready_' || (q.id * 4 + s)) is null loop
                    execute format('create table ashlar.ready_%1$s (like ashlar.ready including defaults, constraint part check (part = %1$s)) with (autovacuum_enabled = false)', p);
                    execute format('create index on ashlar.ready_%1$s (xid, place)', p);
                    execute format('alter table ashlar.ready attach partition ashlar.ready_%1$s for values in (%1$s)', p);
                end loop;
            end $$
            """, cancellation);
    }

    private async Task ReplayAsync(Dictionary<int, QueueState> queues, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            select t, n, queue, kind::text, base::text, upto::text, xid, place, xids, places from (select 0 as t, * from ashlar.receipts_0 union all select 1, * from ashlar.receipts_1) r order by n
            """, connection)
        { CommandTimeout = 300 };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            (Receipts, _lastReceipt, SinceCheckpoint) = (reader.GetInt32(0), reader.GetInt64(1), SinceCheckpoint + 1);
            if (!queues.TryGetValue(reader.GetInt32(2), out var queue))
            {
                continue;
            }

            var kind = reader.GetString(3);
            var places = reader.GetFieldValue<long[]>(9);
            if (kind == "d")
            {
                foreach (var place in places)
                {
                    queue.Open.Remove(place);
                }

                continue;
            }

            if (kind == "k")
            {
                queue.Open.Clear();
            }

            queue.Cursor = new Cursor(
                TransactionSnapshot.Parse(reader.GetString(4)),
                reader.IsDBNull(5) ? null : TransactionSnapshot.Parse(reader.GetString(5)),
                new Place(reader.GetFieldValue<ulong>(6), reader.GetInt64(7)));
            foreach (var (place, xid) in places.Zip(reader.GetFieldValue<ulong[]>(8)))
            {
                queue.Open[place] = xid;
            }
        }
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
