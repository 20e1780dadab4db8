using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Ashlar.Jobs.Queue;

/// <summary>What keeps the tables small: promotion, expiry, checkpoints, the turning of the rings, the archive.</summary>
internal sealed partial class ClaimStore
{
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

    /// <summary>The session that has held tables of the queues in one transaction for longest; null: none for so long.</summary>
    public async Task<(int Session, string Application, TimeSpan Since)?> OpenForLongAsync(TimeSpan atLeast, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            select a.pid, a.application_name, extract(epoch from clock_timestamp() - a.xact_start)::float8 from pg_stat_activity a
            where a.datname = current_database() and a.pid <> pg_backend_pid() and a.xact_start < clock_timestamp() - make_interval(secs => $1)
                and exists (select from pg_locks l join pg_class c on c.oid = l.relation where l.pid = a.pid and c.relnamespace = 'ashlar'::regnamespace)
            order by a.xact_start limit 1
            """, connection)
        { Parameters = { new() { Value = atLeast.TotalSeconds } } };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? (reader.GetInt32(0), reader.GetString(1), TimeSpan.FromSeconds(reader.GetDouble(2))) : null;
    }

    /// <summary>Has the archive's index know what was archived: no autovacuum comes by, for there is nothing to clean.</summary>
    public Task SummarizeAsync(CancellationToken cancellation) =>
        RunAsync("select brin_summarize_new_values(inhrelid::regclass) from pg_inherits where inhparent = 'ashlar.archive_ended'::regclass", cancellation);

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
}
