using Npgsql;
using NpgsqlTypes;

namespace Ashlar.Jobs.Queue;

/// <summary>Writes down what has become of attempts, many in one transaction, which is durable before anybody is told.</summary>
internal sealed class FinishStore(NpgsqlConnection connection, long epoch) : IAsyncDisposable
{
    /// <summary>
    /// What follows from the end of attempts, out of <c>gone</c>: rows like those of the leases, with <c>ending</c>, <c>error</c> and <c>retry</c>.
    /// </summary>
    public const string Tail = """
        , later as (insert into ashlar.scheduled (job, queue, due, attempt, delivery, attempts, enqueued, key, trace, error, failed, payload)
            select job, queue, clock_timestamp() + coalesce(make_interval(secs => retry), ashlar.backoff(attempt)), attempt + (ending = 'f')::int, delivery + 1, attempts, enqueued, key, trace, error, clock_timestamp(), payload
            from gone where ending = 'l' or (ending = 'f' and attempt < attempts)),
        again as (insert into ashlar.ready (part, job, attempt, delivery, attempts, enqueued, key, trace, payload)
            select q.id * 4 + q.slot, g.job, g.attempt, g.delivery + 1, g.attempts, g.enqueued, g.key, g.trace, g.payload
            from gone g join ashlar.queues q on q.id = g.queue where g.ending = 'i'),
        died as (insert into ashlar.dead (job, queue, attempt, delivery, attempts, enqueued, key, trace, error, payload)
            select job, queue, attempt, delivery, attempts, enqueued, key, trace, error, payload from gone where ending = 'x' or (ending = 'f' and attempt >= attempts)),
        kept as (insert into ashlar.archive (job, queue, attempt, enqueued, started, ended, trace)
            select job, queue, attempt, enqueued, at, clock_timestamp(), trace from gone where ending = 'd'),
        freed as (delete from ashlar.keys k using gone g where g.key is not null and k.queue = g.queue and k.key = g.key and k.job = g.job
            and (g.ending in ('d', 'x') or (g.ending = 'f' and g.attempt >= g.attempts)))
        select job from gone
        """;

    private const string OfReceipts = "with gone as (select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        + " g(job, queue, attempt, delivery, attempts, at, enqueued, key, trace, payload, ending, error, retry)) " + Tail;

    private const string OfLeases = "with gone as (delete from ashlar.leases l using unnest($1, $2, $3, $4, $5) u(j, d, ending, error, retry)"
        + " where l.job = u.j and l.delivery = u.d returning l.*, u.ending, u.error, u.retry) " + Tail;

    private const int LongestError = 2000;

    /// <summary>Writes them down; gives the ids of those with a lease that had lost it, of which nothing was written.</summary>
    /// <param name="finished">The attempts; each job at most once.</param>
    /// <param name="receipts">Which table takes receipts.</param>
    /// <param name="number">Gives numbers for receipts.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<HashSet<long>> WriteAsync(IReadOnlyList<Finished> finished, int receipts, Func<long> number, CancellationToken cancellation)
    {
        var claimed = finished.Where(f => f.Job.Place is not null).ToArray();
        var leased = finished.Where(f => f.Job.Place is null).ToArray();
        await using var batch = new NpgsqlBatch(connection);
        if (claimed.Length > 0)
        {
            batch.BatchCommands.Add(new("select ashlar.hold($1)") { Parameters = { new() { Value = epoch } } });
            foreach (var queue in claimed.GroupBy(f => f.Job.Queue))
            {
                batch.BatchCommands.Add(Done(receipts, number(), queue.Key, [.. queue.Select(f => f.Job.Place!.Value.Number)]));
            }

            batch.BatchCommands.Add(Claimed(claimed));
        }

        var lost = leased.Select(f => f.Job.Id).ToHashSet();
        if (leased.Length > 0)
        {
            batch.BatchCommands.Add(Leased(leased));
        }

        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        var set = claimed.Length > 0 ? -2 : 0;
        do
        {
            while (await reader.ReadAsync(cancellation))
            {
                if (set == 0)
                {
                    lost.Remove(reader.GetInt64(0));
                }
            }

            set++;
        }
        while (await reader.NextResultAsync(cancellation));

        return lost;
    }

    /// <summary>Gives claimed jobs rows among the leases, held by this runner: whoever claims from now on need not know of them.</summary>
    public async Task LeaseAsync(IReadOnlyList<Job> jobs, TimeSpan span, int receipts, Func<long> number, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new("select ashlar.hold($1)") { Parameters = { new() { Value = epoch } } });
        foreach (var queue in jobs.GroupBy(job => job.Queue))
        {
            batch.BatchCommands.Add(Done(receipts, number(), queue.Key, [.. queue.Select(job => job.Place!.Value.Number)]));
        }

        var insert = new NpgsqlBatchCommand("insert into ashlar.leases (job, queue, attempt, delivery, attempts, at, enqueued, key, trace, payload, until, runner)"
            + " select u.*, clock_timestamp() + make_interval(secs => $11), $12 from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) u");
        Rows(insert, jobs, payloads: true);
        insert.Parameters.Add(new() { Value = span.TotalSeconds });
        insert.Parameters.Add(new() { Value = epoch });
        batch.BatchCommands.Add(insert);
        await batch.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>Keeps what this runner holds by lease.</summary>
    public async Task RenewAsync(TimeSpan span, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("update ashlar.leases set until = clock_timestamp() + make_interval(secs => $2) where runner = $1", connection)
        {
            Parameters = { new() { Value = epoch }, new() { Value = span.TotalSeconds } },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private static NpgsqlBatchCommand Done(int receipts, long number, int queue, long[] places) =>
        new($"insert into ashlar.receipts_{receipts} (n, queue, kind, places) values ($1, $2, 'd', $3)")
        {
            Parameters = { new() { Value = number }, new() { Value = queue }, new() { Value = places } },
        };

    private static NpgsqlBatchCommand Claimed(Finished[] finished)
    {
        var command = new NpgsqlBatchCommand(OfReceipts);
        Rows(command, [.. finished.Select(f => f.Job with { At = f.Started, Payload = f.Outcome.Ending == Ending.Done ? "" : f.Job.Payload })], payloads: false);
        Endings(command, finished);
        return command;
    }

    private static NpgsqlBatchCommand Leased(Finished[] finished)
    {
        var command = new NpgsqlBatchCommand(OfLeases)
        {
            Parameters = { new() { Value = finished.Select(f => f.Job.Id).ToArray() }, new() { Value = finished.Select(f => f.Job.Delivery).ToArray() } },
        };
        Endings(command, finished);
        return command;
    }

    private static void Rows(NpgsqlBatchCommand command, IReadOnlyList<Job> jobs, bool payloads)
    {
        command.Parameters.Add(new() { Value = jobs.Select(job => job.Id).ToArray() });
        command.Parameters.Add(new() { Value = jobs.Select(job => job.Queue).ToArray() });
        command.Parameters.Add(new() { Value = jobs.Select(job => job.Attempt).ToArray() });
        command.Parameters.Add(new() { Value = jobs.Select(job => job.Delivery).ToArray() });
        command.Parameters.Add(new() { Value = jobs.Select(job => job.Attempts).ToArray() });
        command.Parameters.Add(new() { Value = jobs.Select(job => job.At).ToArray() });
        command.Parameters.Add(new() { Value = jobs.Select(job => job.Enqueued).ToArray() });
        command.Parameters.Add(new() { Value = jobs.Select(job => job.Key).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = jobs.Select(job => job.Trace).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        command.Parameters.Add(new()
        {
            Value = jobs.Select(job => job.Payload.Length == 0 && !payloads ? null : job.Payload).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb,
        });
    }

    private static void Endings(NpgsqlBatchCommand command, Finished[] finished)
    {
        command.Parameters.Add(new() { Value = finished.Select(f => Letter(f.Outcome.Ending)).ToArray() });
        command.Parameters.Add(new()
        {
            Value = finished.Select(f => f.Outcome.Error is { Length: > LongestError } error ? error[..LongestError] : f.Outcome.Error).Select(WithoutNul).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
        });
        command.Parameters.Add(new()
        {
            Value = finished.Select(f => f.Outcome.RetryIn?.TotalSeconds).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Double,
        });
    }

    // PostgreSQL's text has no NUL, and half a surrogate pair is no UTF-8.
    private static string? WithoutNul(string? text) => text is null ? null : System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text.Replace('\0', ' ')));

    private static string Letter(Ending ending) => ending switch
    {
        Ending.Done => "d",
        Ending.Failed => "f",
        Ending.Later => "l",
        Ending.Interrupted => "i",
        _ => "x",
    };
}
