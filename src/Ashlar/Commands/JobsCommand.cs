using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text;
using Ashlar.Jobs;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar jobs …</c>: the queues in the stack's database.</summary>
internal static class JobsCommand
{
    private static readonly string[] States = ["ready", "scheduled", "retry", "running", "dead"];

    public static Verb Verb { get; } = new("jobs", VerbGroup.Run, "The queues: depth, jobs, dead letters, schedule", Create,
        "ashlar jobs", "ashlar jobs list --state dead", "ashlar jobs show 812", "ashlar jobs retry 812", "ashlar jobs retry --all emails",
        "ashlar jobs enqueue emails '{\"to\": 7}'", "ashlar jobs pause emails", "ashlar jobs schedule");

    private static Command Create(Cli cli)
    {
        var (queue, state, most) = (new Option<string?>("--queue") { Description = "only this queue", HelpName = "QUEUE" },
            new Option<string?>("--state") { Description = $"only those: {string.Join(", ", States)}", HelpName = "STATE" },
            new Option<int>("--limit") { Description = "how many at most", HelpName = "N", DefaultValueFactory = _ => 50 });
        var (delay, key) = (new Option<string?>("--delay") { Description = "ready only after this time, such as 10m", HelpName = "TIME" },
            new Option<string?>("--key") { Description = "unique key: while a job of the queue has it, no other is made", HelpName = "KEY" });
        var to = new Argument<string>("QUEUE") { Description = "name of a queue" };
        var payload = new Argument<string?>("PAYLOAD") { Description = "one JSON value; default: {}", Arity = ArgumentArity.ZeroOrOne };
        return VerbCall.Command(cli, Verb,
        [
            VerbCall.Command(cli, "list", "list jobs that are not done, the newest first", [queue, state, most],
                (call, cancellation) => ListAsync(call, call.Value(queue), call.Value(state), call.Value(most), cancellation)),
            VerbCall.Command(cli, "show", "show what is known of a job", [Id(out var shown)], (call, cancellation) => ShowAsync(call, call.Value(shown), cancellation)),
            VerbCall.Command(cli, "retry", "have a dead letter, or one that waits, done now, with all its attempts before it", [Ids(out var retried), All(out var retryAll)],
                (call, cancellation) => EachAsync(call, "retry", call.Value(retried)!, call.Value(retryAll), "ready again", static (jobs, id, c) => jobs.RetryAsync(id, c), static (jobs, name, c) => jobs.RetryAllAsync(name, c), cancellation)),
            VerbCall.Command(cli, "discard", "remove a dead letter, or a job whose time has not come", [Ids(out var discarded), All(out var discardAll)],
                (call, cancellation) => EachAsync(call, "discard", call.Value(discarded)!, call.Value(discardAll), "removed", static (jobs, id, c) => jobs.DiscardAsync(id, c), static (jobs, name, c) => jobs.DiscardAllAsync(name, c), cancellation)),
            VerbCall.Command(cli, "pause", "hand out nothing more of a queue, or stop a schedule's clock", [Name(out var paused)], (call, cancellation) => PauseAsync(call, call.Value(paused)!, true, cancellation)),
            VerbCall.Command(cli, "resume", "let a paused queue or schedule go on", [Name(out var resumed)], (call, cancellation) => PauseAsync(call, call.Value(resumed)!, false, cancellation)),
            VerbCall.Command(cli, "enqueue", "put a job into a queue", [to, payload, delay, key],
                (call, cancellation) => EnqueueAsync(call, call.Value(to)!, call.Value(payload), call.Value(delay), call.Value(key), cancellation)),
            VerbCall.Command(cli, "schedule", "show what is done by the clock, when next and when last", [], ScheduleAsync),
        ], QueuesAsync);
    }

    private static Argument<long> Id(out Argument<long> id) => id = new Argument<long>("ID") { Description = "id of a job" };

    private static Argument<long[]> Ids(out Argument<long[]> ids) => ids = new Argument<long[]>("ID") { Description = "ids of jobs", Arity = ArgumentArity.ZeroOrMore };

    private static Option<string?> All(out Option<string?> all) => all = new Option<string?>("--all") { Description = "all dead letters of this queue", HelpName = "QUEUE" };

    private static Argument<string> Name(out Argument<string> name) => name = new Argument<string>("NAME") { Description = "name of a queue or a schedule" };

    private static async Task<JobsAdministration> OpenAsync(VerbCall call, CancellationToken cancellation)
    {
        var access = await PgCommand.AccessAsync(call, cancellation);
        return await JobsAdministration.OpenAsync(access, Path.GetFileName(call.StackFolder), cancellation);
    }

    private static async Task<int> QueuesAsync(VerbCall call, CancellationToken cancellation)
    {
        await using var jobs = await OpenAsync(call, cancellation);
        call.Print(await jobs.QueuesAsync(cancellation), CliJson.Default.ImmutableArrayQueueReport, Render);
        return ExitCodes.Ok;
    }

    private static async Task<int> ListAsync(VerbCall call, string? queue, string? state, int most, CancellationToken cancellation)
    {
        if (state is not null && !States.Contains(state))
        {
            throw CliErrors.Usage("jobs", $"'{state}' is no state; there are {string.Join(", ", States)}.");
        }

        await using var jobs = await OpenAsync(call, cancellation);
        call.Print(await jobs.ListAsync(queue, state, Math.Clamp(most, 1, 10_000), cancellation), CliJson.Default.ImmutableArrayJobReport, Render);
        return ExitCodes.Ok;
    }

    private static async Task<int> ShowAsync(VerbCall call, long id, CancellationToken cancellation)
    {
        await using var jobs = await OpenAsync(call, cancellation);
        call.Print(await jobs.ShowAsync(id, cancellation) ?? throw JobsErrors.NoJob(id, "is known"), CliJson.Default.JobReport, Render);
        return ExitCodes.Ok;
    }

    private static async Task<int> EachAsync(
        VerbCall call, string verb, long[] ids, string? all, string done, Func<JobsAdministration, long, CancellationToken, Task> each,
        Func<JobsAdministration, string, CancellationToken, Task<int>> every, CancellationToken cancellation)
    {
        if (ids.Length == 0 == (all is null))
        {
            throw CliErrors.Usage("jobs", $"{verb} takes ids of jobs, or --all QUEUE.");
        }

        await using var jobs = await OpenAsync(call, cancellation);
        foreach (var id in ids)
        {
            await each(jobs, id, cancellation);
        }

        var count = all is null ? ids.Length : await every(jobs, all, cancellation);
        return call.Done($"jobs {verb}", $"{count} {(count == 1 ? "job" : "jobs")} {done}");
    }

    private static async Task<int> PauseAsync(VerbCall call, string name, bool paused, CancellationToken cancellation)
    {
        await using var jobs = await OpenAsync(call, cancellation);
        await jobs.PauseAsync(name, paused, cancellation);
        return call.Done(paused ? "jobs pause" : "jobs resume", paused ? $"{name} is paused; ashlar jobs resume {name} lets it go on" : $"{name} goes on");
    }

    private static async Task<int> EnqueueAsync(VerbCall call, string queue, string? payload, string? delay, string? key, CancellationToken cancellation)
    {
        TimeSpan? wait = delay is null ? null : Units.ParseDuration(delay) ?? throw CliErrors.Usage("jobs", $"'{delay}' is no time such as 10m.");
        await using var jobs = await OpenAsync(call, cancellation);
        var id = await jobs.EnqueueAsync(queue, payload ?? "{}", wait, key, cancellation);
        call.Print(new JobEnqueued(id, queue), CliJson.Default.JobEnqueued, static (_, job) => $"job {job.Id} is in {job.Queue}\n");
        return ExitCodes.Ok;
    }

    private static async Task<int> ScheduleAsync(VerbCall call, CancellationToken cancellation)
    {
        await using var jobs = await OpenAsync(call, cancellation);
        call.Print(await jobs.SchedulesAsync(cancellation), CliJson.Default.ImmutableArrayScheduleReport, Render);
        return ExitCodes.Ok;
    }

    private static string Render(Screen screen, ImmutableArray<QueueReport> queues)
    {
        if (queues.IsEmpty) return "no queues\n";
        var table = new Table(new("QUEUE"), new("READY", Right: true), new("OLDEST", Right: true), new("IN FLIGHT", Right: true), new("SCHEDULED", Right: true),
            new("RETRIES", Right: true), new("DEAD", Right: true), new("DONE/H", Right: true), new(""));
        foreach (var q in queues)
        {
            table.Add(q.Queue, q.Ready > JobsAdministration.MostCounted ? $">{JobsAdministration.MostCounted}" : $"{q.Ready}",
                q.OldestSeconds is { } age ? Units.Duration(TimeSpan.FromSeconds(Math.Max(0, age))) : "", $"{q.InFlight}", $"{q.Scheduled}", $"{q.Retries}", $"{q.Dead}", $"{q.Done}",
                q.Paused ? "paused" : q.Declared ? "" : "not in the stack file: nothing is handed out");
        }

        return table.Render(screen);
    }

    private static string Render(Screen screen, ImmutableArray<JobReport> jobs)
    {
        if (jobs.IsEmpty) return "no jobs\n";
        var table = new Table(new("ID", Right: true), new("QUEUE"), new("STATE"), new("ATTEMPT", Right: true), new("AT"), new("ERROR"));
        foreach (var job in jobs)
        {
            table.Add($"{job.Id}", job.Queue, job.State, $"{job.Attempt}/{job.Attempts}", Time(job.At), PgSessions.OneLine(job.Error is { Length: > 80 } error ? error[..80] + "…" : job.Error ?? ""));
        }

        return table.Render(screen);
    }

    private static string Render(Screen screen, JobReport job)
    {
        var text = new StringBuilder();
        void Line(string name, string? value) => text.Append(value is null ? "" : $"{screen.Paint(name.PadRight(10), Ink.Dim)}{value}\n");
        Line("job", $"{job.Id}");
        Line("queue", job.Queue);
        Line("state", job.State);
        Line("attempt", job.Attempts == 0 ? $"{job.Attempt}" : $"{job.Attempt} of {job.Attempts}");
        Line("enqueued", Time(job.Enqueued));
        Line(job.State is "scheduled" or "retry" ? "due" : job.State == "dead" ? "died" : job.State == "done" ? "done" : "since", Time(job.At));
        Line("key", job.Key is null ? null : PgSessions.OneLine(job.Key));
        Line("error", job.Error is null ? null : PgSessions.OneLine(job.Error));
        Line("payload", job.Payload is null ? null : PgSessions.OneLine(job.Payload));
        return text.ToString();
    }

    private static string Render(Screen screen, ImmutableArray<ScheduleReport> schedules)
    {
        if (schedules.IsEmpty) return "nothing is scheduled\n";
        var table = new Table(new("SCHEDULE"), new("CRON"), new("NEXT"), new("LAST"), new("JOB", Right: true), new(""));
        foreach (var s in schedules) table.Add(s.Schedule, s.Cron, Time(s.Next), Time(s.Last), s.LastJob is { } job ? $"{job}" : "", s.Paused ? "paused" : s.LeftOut ?? "");
        return table.Render(screen);
    }

    private static string Time(DateTime? time) => time is { } at ? string.Create(CultureInfo.InvariantCulture, $"{at:yyyy-MM-dd HH:mm:ss}Z") : "";
}

/// <summary>What <c>jobs enqueue --json</c> writes.</summary>
/// <param name="Id">Id of the job.</param>
/// <param name="Queue">Its queue.</param>
internal sealed record JobEnqueued(long Id, string Queue);
