using Npgsql;
using NpgsqlTypes;

namespace Ashlar.Jobs.Queue;

/// <summary>What is there at the beginning: the queues that are declared, and how far the receipts say that they are.</summary>
internal sealed partial class ClaimStore
{
    /// <summary>Has the queues there that are declared, each with its ring of tables, as they are declared.</summary>
    public async Task DeclareAsync(IReadOnlyCollection<QueueSettings> declared, CancellationToken cancellation)
    {
        await PutAsync(connection, declared, """
            do update set attempts = excluded.attempts, lease = excluded.lease, declared = true
                where q.attempts <> excluded.attempts or q.lease is distinct from excluded.lease or not q.declared
            """, cancellation);
        await using var command = new NpgsqlCommand("update ashlar.queues set declared = false where declared and name <> all($1)", connection)
        {
            Parameters = { new() { Value = declared.Select(queue => queue.Name).ToArray() } },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>Adds the queues that are not there, and leaves those that are.</summary>
    public static Task AddAsync(NpgsqlConnection connection, IReadOnlyCollection<QueueSettings> queues, CancellationToken cancellation) =>
        PutAsync(connection, queues, "do nothing", cancellation);

    private static async Task PutAsync(NpgsqlConnection connection, IReadOnlyCollection<QueueSettings> queues, string conflict, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"insert into ashlar.queues as q (name, attempts, lease) select n, a, make_interval(secs => l) from unnest($1, $2, $3) u(n, a, l) on conflict (name) {conflict}", connection)
        {
            Parameters =
            {
                new() { Value = queues.Select(queue => queue.Name).ToArray() },
                new() { Value = queues.Select(queue => queue.Attempts).ToArray() },
                new() { Value = queues.Select(queue => queue.Lease?.TotalSeconds).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Double },
            },
        };
        await command.ExecuteNonQueryAsync(cancellation);

        // Attached, not made as a part: that would wait for every transaction that has enqueued something. One process at a time, as the schema is made.
        await using var rings = new NpgsqlCommand($$"""
            do $$ declare p int; begin
                perform pg_advisory_xact_lock({{Schema.Lock}});
                for p in select q.id * 4 + s from ashlar.queues q, generate_series(0, 3) s where to_regclass('ashlar.ready_' || (q.id * 4 + s)) is null loop
                    execute format('create table ashlar.ready_%1$s (like ashlar.ready including defaults, constraint part check (part = %1$s)) with (autovacuum_enabled = false)', p);
                    execute format('create index on ashlar.ready_%1$s (xid, place)', p);
                    execute format('alter table ashlar.ready attach partition ashlar.ready_%1$s for values in (%1$s)', p);
                end loop;
            end $$
            """, connection);
        await rings.ExecuteNonQueryAsync(cancellation);
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
}
