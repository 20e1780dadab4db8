using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Ashlar.Catalog;
using Ashlar.Jobs.Queue;
using Ashlar.Jobs.Schedule;
using Ashlar.Stack;
using Npgsql;

namespace Ashlar.Jobs;

/// <summary>A queue as people see it.</summary>
/// <param name="Queue">Its name.</param>
/// <param name="Ready">Jobs that wait for their turn; more than <see cref="JobsAdministration.MostCounted"/> are not counted.</param>
/// <param name="OldestSeconds">How long the first of them has been ready; null: none is.</param>
/// <param name="InFlight">Jobs that are being done.</param>
/// <param name="Scheduled">Jobs that have not been tried, and whose time has not come.</param>
/// <param name="Retries">Jobs that have failed and wait for their next attempt.</param>
/// <param name="Dead">Dead letters.</param>
/// <param name="Done">Jobs done in the last hour.</param>
/// <param name="Paused">True: a person has paused it.</param>
/// <param name="Declared">False: the stack file names it no more, and nothing of it is handed out.</param>
/// <param name="DoneLately">Jobs done in the last minute.</param>
public sealed record QueueReport(
    string Queue, long Ready, double? OldestSeconds, long InFlight, long Scheduled, long Retries, long Dead, long Done, bool Paused, bool Declared, long DoneLately);

/// <summary>A job as people see it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Queue">Its queue.</param>
/// <param name="State"><c>ready</c>, <c>scheduled</c>, <c>retry</c>, <c>running</c>, <c>dead</c> or <c>done</c>.</param>
/// <param name="Attempt">The attempt that comes, runs or was the last.</param>
/// <param name="Attempts">Attempts that it may have; 0: not known any more.</param>
/// <param name="Enqueued">When it was enqueued.</param>
/// <param name="At">When it is due, began, died or was done, by its state.</param>
/// <param name="Error">What its last attempt failed of.</param>
/// <param name="Key">Its unique key.</param>
/// <param name="Payload">Its payload as JSON; null: not kept of done ones.</param>
public sealed record JobReport(
    long Id, string Queue, string State, int Attempt, int Attempts, DateTime Enqueued, DateTime? At, string? Error, string? Key, string? Payload);

/// <summary>An attempt that has failed, of a job that is tried again.</summary>
/// <param name="Id">Id of the job.</param>
/// <param name="Queue">Its queue.</param>
/// <param name="Attempt">Which attempt comes next.</param>
/// <param name="Attempts">Attempts that it may have.</param>
/// <param name="Failed">When it failed.</param>
/// <param name="Due">When it is tried again.</param>
/// <param name="Error">Of what.</param>
public sealed record FailureReport(long Id, string Queue, int Attempt, int Attempts, DateTime Failed, DateTime Due, string? Error);

/// <summary>A job that a traced request has enqueued.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Queue">Its queue.</param>
/// <param name="State"><c>ready</c> (or in hand), <c>scheduled</c>, <c>retry</c>, <c>running</c>, <c>dead</c> or <c>done</c>.</param>
/// <param name="Attempt">The attempt that comes, runs or was the last.</param>
/// <param name="Attempts">Attempts that it may have; 0: not known any more.</param>
/// <param name="Enqueued">When it was enqueued, by the database's clock.</param>
/// <param name="Started">When its attempt began; null: it has not, or it is not known.</param>
/// <param name="Ended">When that ended; null: it has not.</param>
/// <param name="Due">When it is its turn; null: now, or never more.</param>
/// <param name="Error">What its last attempt failed of.</param>
public sealed record TracedJobReport(
    long Id, string Queue, string State, int Attempt, int Attempts, DateTime Enqueued, DateTime? Started, DateTime? Ended, DateTime? Due, string? Error);

/// <summary>A schedule as people see it.</summary>
/// <param name="Schedule">Its name.</param>
/// <param name="Cron">When, and in which zone.</param>
/// <param name="Next">When it fires next; null: never, or it is paused.</param>
/// <param name="Last">The last time that it fired for.</param>
/// <param name="LastJob">The job that it made then; null: it was left out.</param>
/// <param name="LeftOut">Why it was left out.</param>
/// <param name="Paused">True: a person has paused it.</param>
public sealed record ScheduleReport(string Schedule, string Cron, DateTime? Next, DateTime? Last, long? LastJob, string? LeftOut, bool Paused);

/// <summary>What the dashboard is told, in one file.</summary>
/// <param name="At">When it was true.</param>
/// <param name="Queues">The queues.</param>
/// <param name="Dead">The latest dead letters, without payloads.</param>
/// <param name="Schedules">The schedules.</param>
/// <param name="Failures">The latest attempts that failed, of jobs that are tried again.</param>
public sealed record JobsPicture(
    DateTime At, ImmutableArray<QueueReport> Queues, ImmutableArray<JobReport> Dead, ImmutableArray<ScheduleReport> Schedules, ImmutableArray<FailureReport> Failures);

/// <summary>What people ask of the queues and do to them, straight in the database: it works while no jobs process runs.</summary>
public sealed class JobsAdministration : IAsyncDisposable
{
    /// <summary>Jobs that are counted at most.</summary>
    public const int MostCounted = 100_000;

    private const int MostPictured = 50;
    private const string Receipts = "(select * from ashlar.receipts_0 union all select * from ashlar.receipts_1)";
    private readonly NpgsqlConnection _connection;

    private JobsAdministration(NpgsqlConnection connection) => _connection = connection;

    /// <summary>Connects.</summary>
    /// <param name="access">The primary, with all rights.</param>
    /// <param name="stack">Name of the stack, for errors.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="Errors.AshlarException">ASH3202, ASH3205.</exception>
    public static Task<JobsAdministration> OpenAsync(TierAccess access, string stack, CancellationToken cancellation) => OpenAsync(
        Database.Of(new JobsSettings { Port = access.Port, Database = access.Database, User = access.User, Password = access.Password, Secret = "" }), access.Port, stack, cancellation);

    internal static async Task<JobsAdministration> OpenAsync(Database database, int port, string stack, CancellationToken cancellation)
    {
        try
        {
            var connection = await database.OpenAsync(cancellation);
            if (await Schema.VersionAsync(connection, cancellation) == 0)
            {
                await connection.DisposeAsync();
                throw JobsErrors.NoJobs(stack);
            }

            return new JobsAdministration(connection);
        }
        catch (Exception e) when (Database.IsOfTheServer(e))
        {
            throw JobsErrors.Unreachable(port, e.Message);
        }
    }

    /// <summary>All queues.</summary>
    public async Task<ImmutableArray<QueueReport>> QueuesAsync(CancellationToken cancellation)
    {
        // Once for all queues: these tables have no index by queue. The archive's index is one for bitmaps, which are off elsewhere for the sake of plans
        // that never go wrong (Database.cs); now(), and not the clock, so that it is used.
        var waiting = (await ListAsync("select queue, count(*), count(error) from ashlar.scheduled group by queue", r => (Queue: r.GetInt32(0), All: r.GetInt64(1), Retries: r.GetInt64(2)), cancellation))
            .ToDictionary(row => row.Queue);
        var done = (await ListAsync("""
            set enable_bitmapscan = on; select queue, count(*), count(*) filter (where ended > now() - interval '1 minute') from ashlar.archive
                where ended > now() - interval '1 hour' group by queue; set enable_bitmapscan = off
            """, r => (Queue: r.GetInt32(0), All: r.GetInt64(1), Lately: r.GetInt64(2)), cancellation)).ToDictionary(row => row.Queue);
        var queues = await ListAsync("select id, name, paused, declared from ashlar.queues order by name", r => (Id: r.GetInt32(0), Name: r.GetString(1), Paused: r.GetBoolean(2), Declared: r.GetBoolean(3)), cancellation);
        var reports = ImmutableArray.CreateBuilder<QueueReport>();
        foreach (var (id, name, paused, declared) in queues)
        {
            var row = (await ListAsync($"""
                select (select count(*) from (select 1 {Unclaimed(id)} limit {MostCounted + 1}) x),
                    (select extract(epoch from clock_timestamp() - min(at))::float8 from (select t.at {Unclaimed(id)} order by t.xid, t.place limit 1) x),
                    (select coalesce(sum(case when kind = 'd' then -cardinality(places) else cardinality(places) end), 0)::bigint from {Receipts} r where queue = {id})
                        + (select count(*) from ashlar.leases where queue = {id}),
                    (select count(*) from ashlar.dead where queue = {id})
                """, r => (Ready: r.GetInt64(0), Oldest: r.IsDBNull(1) ? (double?)null : Math.Round(r.GetDouble(1), 3), InFlight: Math.Max(0, r.GetInt64(2)), Dead: r.GetInt64(3)), cancellation))[0];
            var (later, past) = (waiting.GetValueOrDefault(id), done.GetValueOrDefault(id));
            reports.Add(new QueueReport(name, row.Ready, row.Oldest, row.InFlight, later.All - later.Retries, later.Retries, row.Dead, past.All, paused, declared, past.Lately));
        }

        return reports.ToImmutable();
    }

    /// <summary>Jobs that are not done, those in a state or all, the newest first.</summary>
    /// <param name="queue">Name of a queue; null: all.</param>
    /// <param name="state">One of the states; null: all but done.</param>
    /// <param name="most">How many at most.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<ImmutableArray<JobReport>> ListAsync(string? queue, string? state, int most, CancellationToken cancellation)
    {
        var id = queue is null ? 0 : await QueueAsync(queue, cancellation);
        var of = id == 0 ? "true" : string.Create(CultureInfo.InvariantCulture, $"queue = {id}");
        var jobs = new List<JobReport>();
        async Task AddAsync(string name, string sql)
        {
            if (state is null || state == name)
            {
                jobs.AddRange(await JobsAsync(sql, cancellation));
            }
        }

        await AddAsync("running", $"select job, queue, 'running', attempt, attempts, enqueued, at, null, key, payload::text from ashlar.leases where {of} limit {most}");
        await AddAsync("retry", $"select job, queue, 'retry', attempt, attempts, enqueued, due, error, key, payload::text from ashlar.scheduled where {of} and error is not null order by due limit {most}");
        await AddAsync("scheduled", $"select job, queue, 'scheduled', attempt, attempts, enqueued, due, error, key, payload::text from ashlar.scheduled where {of} and error is null order by due limit {most}");
        foreach (var known in await ListAsync("select id from ashlar.queues order by id", r => r.GetInt32(0), cancellation))
        {
            if (id == 0 || id == known)
            {
                await AddAsync("dead", $"select job, queue, 'dead', attempt, attempts, enqueued, died, error, key, payload::text from ashlar.dead where queue = {known} order by died desc limit {most}");
                await AddAsync("ready", $"select t.job, {known}, 'ready', t.attempt, t.attempts, t.enqueued, t.at, null, t.key, t.payload::text {Unclaimed(known)} order by t.xid, t.place limit {most}");
                await AddAsync("running", $"""
                    select t.job, {known}, 'running', t.attempt, t.attempts, t.enqueued, t.at, null, t.key, t.payload::text from ashlar.ready t
                    join (select unnest(xids) x, unnest(places) p from {Receipts} r where r.queue = {known} and kind in ('c', 'k')
                        except select x, p from (select unnest(places) p from {Receipts} r where r.queue = {known} and kind = 'd') d
                        join (select unnest(xids) x, unnest(places) p2 from {Receipts} r where r.queue = {known} and kind in ('c', 'k')) c on c.p2 = d.p) o on o.x = t.xid and o.p = t.place
                    where t.part between {known * Schema.Slots} and {(known * Schema.Slots) + Schema.Slots - 1} limit {most}
                    """);
            }
        }

        return [.. jobs.OrderByDescending(job => job.Id).Take(most)];
    }

    /// <summary>All that is known of a job; null: nothing.</summary>
    public async Task<JobReport?> ShowAsync(long id, CancellationToken cancellation)
    {
        var now = (await JobsAsync($"""
            select job, queue, 'dead', attempt, attempts, enqueued, died, error, key, payload::text from ashlar.dead where job = {id}
            union all select job, queue, case when error is null then 'scheduled' else 'retry' end, attempt, attempts, enqueued, due, error, key, payload::text from ashlar.scheduled where job = {id}
            union all select job, queue, 'running', attempt, attempts, enqueued, at, null, key, payload::text from ashlar.leases where job = {id}
            union all select job, queue, 'done', attempt, 0, enqueued, ended, null, null, null from ashlar.archive where job = {id}
            """, cancellation)).FirstOrDefault();
        return now ?? (await JobsAsync($"select job, part / {Schema.Slots}, 'ready', attempt, attempts, enqueued, at, null, key, payload::text from ashlar.ready where job = {id} order by delivery desc limit 1", cancellation)).FirstOrDefault();
    }

    /// <summary>Has a dead letter, or a job that waits for its next attempt, ready now, with all its attempts before it.</summary>
    /// <exception cref="Errors.AshlarException">ASH3207.</exception>
    public async Task RetryAsync(long id, CancellationToken cancellation)
    {
        if (await ReviveAsync($"job = {id}", $"job = {id}", cancellation) == 0)
        {
            throw JobsErrors.NoJob(id, "is dead or waits for its next attempt");
        }
    }

    /// <summary>Has all dead letters of a queue ready; gives how many.</summary>
    public async Task<int> RetryAllAsync(string queue, CancellationToken cancellation)
    {
        var id = await QueueAsync(queue, cancellation);
        return await ReviveAsync($"queue = {id}", "false", cancellation);
    }

    /// <summary>Removes a dead letter, or a job whose time has not come.</summary>
    /// <exception cref="Errors.AshlarException">ASH3207.</exception>
    public async Task DiscardAsync(long id, CancellationToken cancellation)
    {
        if (await RunAsync($"""
            with gone as (delete from ashlar.dead where job = {id} returning job, queue, key), also as (delete from ashlar.scheduled where job = {id} returning job, queue, key),
            freed as (delete from ashlar.keys k using (select * from gone union all select * from also) g where k.queue = g.queue and k.key = g.key and k.job = g.job)
            select job from gone union all select job from also
            """, cancellation) == 0)
        {
            throw JobsErrors.NoJob(id, "is dead or waits for its time");
        }
    }

    /// <summary>Removes all dead letters of a queue; gives how many.</summary>
    public async Task<int> DiscardAllAsync(string queue, CancellationToken cancellation) =>
        await RunAsync($"delete from ashlar.dead where queue = {await QueueAsync(queue, cancellation)} returning job", cancellation);

    /// <summary>Pauses a queue or a schedule, or has it go on.</summary>
    /// <exception cref="Errors.AshlarException">ASH3206.</exception>
    public async Task PauseAsync(string name, bool paused, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            with q as (update ashlar.queues set paused = $2 where name = $1 returning 1), s as (update ashlar.schedules set paused = $2, since = clock_timestamp() where name = $1 returning 1)
            select count(*) from (select * from q union all select * from s) x
            """, _connection)
        { Parameters = { new() { Value = name }, new() { Value = paused } } };
        if ((long)(await command.ExecuteScalarAsync(cancellation))! == 0)
        {
            throw JobsErrors.Unknown("queue or schedule", name, await NamesAsync(cancellation));
        }
    }

    /// <summary>Puts a job into a queue; gives its id.</summary>
    /// <exception cref="Errors.AshlarException">ASH3208, ASH3209.</exception>
    public async Task<long> EnqueueAsync(string queue, string payload, TimeSpan? delay, string? key, CancellationToken cancellation)
    {
        try
        {
            using var parsed = JsonDocument.Parse(payload);
        }
        catch (JsonException e)
        {
            throw JobsErrors.NotJson(e.Message);
        }

        await using var command = new NpgsqlCommand("select ashlar.enqueue($1, $2::jsonb, make_interval(secs => $3), key => $4)", _connection)
        {
            Parameters =
            {
                new() { Value = queue }, new() { Value = payload },
                new() { Value = delay is { } wait ? wait.TotalSeconds : 0.0 }, new() { Value = (object?)key ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
            },
        };
        try
        {
            return (long)(await command.ExecuteScalarAsync(cancellation))!;
        }
        catch (PostgresException e)
        {
            throw JobsErrors.Refused(e.MessageText, e.Hint);
        }
    }

    /// <summary>The schedules, by name.</summary>
    public async Task<ImmutableArray<ScheduleReport>> SchedulesAsync(CancellationToken cancellation)
    {
        var now = DateTime.UtcNow;
        return await ListAsync("""
            select s.name, s.text, s.paused, t.at, t.job, t.skipped from ashlar.schedules s
            left join lateral (select * from ashlar.ticks t where t.schedule = s.name order by at desc limit 1) t on true where s.declared order by s.name
            """, r => new ScheduleReport(
                r.GetString(0), r.GetString(1), r.GetBoolean(2) ? null : Next(r.GetString(1), now), r.IsDBNull(3) ? null : r.GetDateTime(3),
                r.IsDBNull(4) ? null : r.GetInt64(4), r.IsDBNull(5) ? null : r.GetString(5), r.GetBoolean(2)), cancellation);
    }

    /// <summary>All of it for the dashboard.</summary>
    public async Task<JobsPicture> PictureAsync(CancellationToken cancellation) => new(
        DateTime.UtcNow, await QueuesAsync(cancellation),
        [.. (await ListAsync(null, "dead", MostPictured, cancellation)).Select(job => job with { Payload = null })], await SchedulesAsync(cancellation), await FailuresAsync(MostPictured, cancellation));

    /// <summary>Jobs that were enqueued with this trace since then, in their order. What is done is known of the last day.</summary>
    /// <param name="trace">Id of a trace (W3C): 32 hexadecimal digits.</param>
    /// <param name="since">When the request was sent; what was enqueued before is none of it.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<ImmutableArray<TracedJobReport>> TracedAsync(string trace, DateTimeOffset since, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            select distinct on (j.job) j.job, q.name, j.state, j.attempt, j.attempts, j.enqueued, j.started, j.ended, j.due, j.error from (
                select job, queue, 'done' as state, attempt, 0 as attempts, enqueued, started, ended, null::timestamptz as due, null::text as error, 9 as rank from ashlar.archive where trace like $1 and ended > $2
                union all select job, queue, 'dead', attempt, attempts, enqueued, null, died, null, error, 8 from ashlar.dead where trace like $1
                union all select job, queue, case when error is null then 'scheduled' else 'retry' end, attempt, attempts, enqueued, null, failed, due, error, 7 from ashlar.scheduled where trace like $1
                union all select job, queue, 'running', attempt, attempts, enqueued, at, null, null, null, 6 from ashlar.leases where trace like $1
                union all select job, part / 4, 'ready', attempt, attempts, enqueued, null, null, null, null, 0 from ashlar.ready where trace like $1 and at > $2
            ) j join ashlar.queues q on q.id = j.queue where j.enqueued > $2 order by j.job, j.rank desc
            """, _connection)
        { Parameters = { new() { Value = $"00-{trace}-%" }, new() { Value = since.UtcDateTime } } };
        return await ListAsync(command, r => new TracedJobReport(
            r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetInt32(3), r.GetInt32(4), r.GetDateTime(5), Time(r, 6), Time(r, 7), Time(r, 8), r.IsDBNull(9) ? null : r.GetString(9)), cancellation);
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    // What no claim has passed yet.
    private static string Unclaimed(int queue) => $"""
        from ashlar.ready t, (select coalesce(r.base, q.born) as base, r.upto, r.xid, r.place from ashlar.queues q
            left join lateral (select * from {Receipts} r where r.queue = q.id and r.kind in ('c', 'k') order by n desc limit 1) r on true where q.id = {queue}) c
        where t.part between {queue * Schema.Slots} and {(queue * Schema.Slots) + Schema.Slots - 1} and t.xid >= pg_snapshot_xmin(c.base) and not pg_visible_in_snapshot(t.xid, c.base)
            and not (c.upto is not null and pg_visible_in_snapshot(t.xid, c.upto) and (t.xid, t.place) <= (c.xid, c.place))
        """;

    private static DateTime? Next(string text, DateTime now)
    {
        var at = text.LastIndexOf(' ');
        return CronExpression.TryParse(text[..at], out var cron, out _) && TimeZoneInfo.TryFindSystemTimeZoneById(text[(at + 1)..], out var zone)
            ? new CronClock(cron!, zone).Next(now) : null;
    }

    private Task<int> ReviveAsync(string dead, string waiting, CancellationToken cancellation) => RunAsync($"""
        with gone as (delete from ashlar.dead where {dead} returning job, queue, attempts, delivery, enqueued, key, trace, payload),
        also as (delete from ashlar.scheduled where {waiting} returning job, queue, attempts, delivery, enqueued, key, trace, payload)
        insert into ashlar.ready (part, job, attempt, delivery, attempts, enqueued, key, trace, payload)
            select q.id * {Schema.Slots} + q.slot, g.job, 1, g.delivery + 1, g.attempts, g.enqueued, g.key, g.trace, g.payload
            from (select * from gone union all select * from also) g join ashlar.queues q on q.id = g.queue returning job
        """, cancellation);

    private async Task<int> QueueAsync(string name, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select id from ashlar.queues where name = $1", _connection) { Parameters = { new() { Value = name } } };
        return await command.ExecuteScalarAsync(cancellation) is int id ? id
            : throw JobsErrors.Unknown("queue", name, await ListAsync("select name from ashlar.queues order by name", r => r.GetString(0), cancellation));
    }

    private async Task<IReadOnlyCollection<string>> NamesAsync(CancellationToken cancellation) =>
        await ListAsync("select name from ashlar.queues union select name from ashlar.schedules order by 1", r => r.GetString(0), cancellation);

    private Task<ImmutableArray<JobReport>> JobsAsync(string sql, CancellationToken cancellation) => ListAsync(
        $"select j.*, q.name from ({sql}) j(job, queue, state, attempt, attempts, enqueued, at, error, key, payload) join ashlar.queues q on q.id = j.queue",
        r => new JobReport(r.GetInt64(0), r.GetString(10), r.GetString(2), r.GetInt32(3), r.GetInt32(4), r.GetDateTime(5), r.IsDBNull(6) ? null : r.GetDateTime(6),
            r.IsDBNull(7) ? null : r.GetString(7), r.IsDBNull(8) ? null : r.GetString(8), r.IsDBNull(9) ? null : r.GetString(9)), cancellation);

    private async Task<int> RunAsync(string sql, CancellationToken cancellation) => (await ListAsync(sql, r => r.GetInt64(0), cancellation)).Length;

    private Task<ImmutableArray<FailureReport>> FailuresAsync(int most, CancellationToken cancellation) => ListAsync(
        $"select s.job, q.name, s.attempt, s.attempts, s.failed, s.due, s.error from ashlar.scheduled s join ashlar.queues q on q.id = s.queue where s.failed is not null order by s.failed desc limit {most}",
        r => new FailureReport(r.GetInt64(0), r.GetString(1), r.GetInt32(2), r.GetInt32(3), r.GetDateTime(4), r.GetDateTime(5), r.IsDBNull(6) ? null : r.GetString(6)), cancellation);

    private static DateTime? Time(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetDateTime(column);

    private async Task<ImmutableArray<T>> ListAsync<T>(string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, _connection);
        return await ListAsync(command, read, cancellation);
    }

    private static async Task<ImmutableArray<T>> ListAsync<T>(NpgsqlCommand command, Func<NpgsqlDataReader, T> read, CancellationToken cancellation)
    {
        var rows = ImmutableArray.CreateBuilder<T>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            rows.Add(read(reader));
        }

        return rows.ToImmutable();
    }
}
