using Npgsql;

namespace Ashlar.Jobs.Queue;

/// <summary>
/// A queue that was dumped and restored into another cluster carries the ids of that one's transactions, which mean nothing here. What is open
/// or was never claimed is put in anew, and everything begins from now.
/// </summary>
internal static class Rebasing
{
    private const string Sql = """
        do $$ declare q record; r record; begin
            create temporary table kept on commit drop as select * from ashlar.ready limit 0;
            for q in select * from ashlar.queues loop
                select * into r from (select * from ashlar.receipts_0 union all select * from ashlar.receipts_1) x where x.queue = q.id and x.kind in ('c', 'k') order by n desc limit 1;
                insert into kept select t.* from ashlar.ready t where t.part between q.id * 4 and q.id * 4 + 3 and (
                    not (pg_visible_in_snapshot(t.xid, coalesce(r.base, q.born)) or (r.upto is not null and pg_visible_in_snapshot(t.xid, r.upto) and (t.xid, t.place) <= (r.xid, r.place)))
                    or (exists (select from (select * from ashlar.receipts_0 union all select * from ashlar.receipts_1) c where c.queue = q.id and c.kind in ('c', 'k') and t.place = any(c.places))
                        and not exists (select from (select * from ashlar.receipts_0 union all select * from ashlar.receipts_1) d where d.queue = q.id and d.kind = 'd' and t.place = any(d.places))));
            end loop;
            truncate ashlar.ready, ashlar.receipts_0, ashlar.receipts_1;
            update ashlar.queues set born = pg_current_snapshot(), slot = 0;
            insert into ashlar.ready (part, job, attempt, delivery, attempts, enqueued, key, trace, payload)
                select part / 4 * 4, job, attempt, delivery + 1, attempts, enqueued, key, trace, payload from kept order by xid, place;
            update ashlar.state set system = (select system_identifier from pg_control_system());
        end $$
        """;

    public static async Task IfNeededAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using (var ask = new NpgsqlCommand("select system <> (select system_identifier from pg_control_system()) from ashlar.state", connection))
        {
            if (!(bool)(await ask.ExecuteScalarAsync(cancellation))!)
            {
                return;
            }
        }

        await using var command = new NpgsqlCommand(Sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
