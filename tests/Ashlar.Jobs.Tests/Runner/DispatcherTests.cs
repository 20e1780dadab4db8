using System.Collections.Concurrent;
using Ashlar.Jobs.Queue;
using Ashlar.Jobs.Runner;
using Npgsql;

namespace Ashlar.Jobs.Tests.Runner;

[Collection(OnPostgres.Name)]
public sealed class DispatcherTests(PostgresServer server)
{
    private static readonly QueueSettings Emails = new() { Name = "emails", Concurrency = 50, Url = "http://none/" };

    [Fact]
    public async Task A_job_is_done_once_its_transaction_commits_and_never_if_it_rolls_back()
    {
        var settings = await server.NewAsync(Emails);
        var delivery = new FunctionDelivery((_, _) => Task.FromResult<Outcome?>(Outcome.Done));
        await using var rig = new RunnerRig(settings, delivery);
        await rig.LeadsAsync();
        await using var app = await server.OpenAsync("app", settings.Database);
        await using (var transaction = await app.BeginTransactionAsync())
        {
            await RunnerRig.EnqueueAsync(app, "emails", """{"to": 1}""");
            await transaction.RollbackAsync();
        }

        var id = await RunnerRig.EnqueueAsync(app, "emails", """{"to": 2}""");
        await rig.EndedAsync(1);
        var job = Assert.Single(delivery.Handed);
        Assert.Equal(id, job.Id);
        Assert.Equal("""{"to": 2}""", job.Payload);
        Assert.Equal(1, job.Attempt);
    }

    [Fact]
    public async Task Many_jobs_are_each_done_once_in_order_of_their_transactions()
    {
        var settings = await server.NewAsync(Emails);
        var delivery = new FunctionDelivery((_, _) => Task.FromResult<Outcome?>(Outcome.Done));
        await using var app = await server.OpenAsync("app", settings.Database);
        await using var owner = await server.OpenAsync("ashlar", settings.Database);
        await using var rig = new RunnerRig(settings, delivery, new DispatchOptions { Holder = "test", Enough = 1000, Receipts = 5 });
        await rig.LeadsAsync();
        for (var i = 0; i < 10; i++)
        {
            await PostgresServer.ExecuteAsync(app, "select ashlar.enqueue_many('emails', array(select to_jsonb(i) from generate_series(1, 1000) i))");
        }

        await rig.EndedAsync(10_000);
        Assert.Equal(10_000, delivery.Handed.Select(job => job.Id).Distinct().Count());
        Assert.Equal(10_000, rig.Endings.Count);
        Assert.DoesNotContain(rig.Endings, ending => ending.Lost);

        // The ring turns and what is done leaves nothing behind.
        await RunnerRig.Until(async () => !rig.Said.IsEmpty || await PostgresServer.AskAsync<long>(owner, "select count(*) from ashlar.ready") < 10_000, "a table is emptied");
        Assert.Empty(rig.Said);
        Assert.Equal(10_000L, await PostgresServer.AskAsync<long>(owner, "select count(*) from ashlar.archive"));
    }

    [Fact]
    public async Task A_transaction_that_is_open_for_long_neither_hides_nor_loses_its_job_and_delays_no_other()
    {
        var settings = await server.NewAsync(Emails);
        var delivery = new FunctionDelivery((_, _) => Task.FromResult<Outcome?>(Outcome.Done));
        await using var rig = new RunnerRig(settings, delivery, new DispatchOptions { Holder = "test", OpenForLong = TimeSpan.FromMilliseconds(200) });
        await rig.LeadsAsync();
        await using var slow = await server.OpenAsync("app", settings.Database);
        await using var quick = await server.OpenAsync("app", settings.Database);
        await using var transaction = await slow.BeginTransactionAsync();
        var late = await RunnerRig.EnqueueAsync(slow, "emails");
        for (var i = 1; i <= 100; i++)
        {
            await RunnerRig.EnqueueAsync(quick, "emails");
            await rig.EndedAsync(i);
        }

        Assert.DoesNotContain(delivery.Handed, job => job.Id == late);
        var session = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Session {slow.ProcessID} ");
        await RunnerRig.Until(() => rig.Said.Any(error => error.Code == "ASH3217" && error.Message.StartsWith(session, StringComparison.Ordinal)), "the open transaction is told");
        await transaction.CommitAsync();
        await rig.EndedAsync(101);
        Assert.Contains(delivery.Handed, job => job.Id == late);
        Assert.Equal(101, delivery.Handed.Select(job => job.Id).Distinct().Count());
    }

    [Fact]
    public async Task A_job_that_fails_comes_back_with_the_next_attempt_and_is_dead_after_the_last()
    {
        var settings = await server.NewAsync(Emails with { Attempts = 3 });
        var delivery = new FunctionDelivery((_, _) => Task.FromResult<Outcome?>(new Outcome(Ending.Failed, "no", TimeSpan.Zero)));
        await using var rig = new RunnerRig(settings, delivery);
        await rig.LeadsAsync();
        await using var app = await server.OpenAsync("app", settings.Database);
        var id = await RunnerRig.EnqueueAsync(app, "emails", """{"a": "b"}""");
        await rig.EndedAsync(3);
        Assert.Equal([1, 2, 3], delivery.Handed.Select(job => job.Attempt));
        Assert.All(delivery.Handed, job => Assert.Equal((id, """{"a": "b"}"""), (job.Id, job.Payload)));
        await using var owner = await server.OpenAsync("ashlar", settings.Database);
        Assert.Equal("3 no", await PostgresServer.AskAsync<string>(owner, "select attempt || ' ' || error from ashlar.dead"));
    }

    [Fact]
    public async Task A_delayed_job_waits_for_its_time()
    {
        var settings = await server.NewAsync(Emails);
        await using var rig = new RunnerRig(settings, FunctionDelivery.Done);
        await rig.LeadsAsync();
        await using var app = await server.OpenAsync("app", settings.Database);
        var late = await RunnerRig.EnqueueAsync(app, "emails", more: ", delay => '700 ms'");
        var now = await RunnerRig.EnqueueAsync(app, "emails");
        await rig.EndedAsync(2);
        Assert.Equal([now, late], rig.Endings.Select(ending => ending.Job.Id));
        var job = rig.Endings.Last().Job;
        Assert.InRange(job.At - job.Enqueued, TimeSpan.FromMilliseconds(690), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Of_64_clients_that_enqueue_one_key_at_once_one_makes_a_job_and_all_get_its_id()
    {
        var settings = await server.NewAsync(Emails);
        await using (var first = new RunnerRig(settings, FunctionDelivery.Done))
        {
            await first.LeadsAsync();
        }

        var ids = new ConcurrentBag<long>();
        await Task.WhenAll(Enumerable.Range(0, 64).Select(async _ =>
        {
            await using var app = await server.OpenAsync("app", settings.Database);
            ids.Add(await RunnerRig.EnqueueAsync(app, "emails", more: ", key => 'welcome 7'"));
        }));
        Assert.Single(ids.Distinct());

        // Once it is done, the key is free.
        var delivery = new FunctionDelivery((_, _) => Task.FromResult<Outcome?>(Outcome.Done));
        await using var rig = new RunnerRig(settings, delivery);
        await rig.EndedAsync(1);
        Assert.Single(delivery.Handed);
        await using var again = await server.OpenAsync("app", settings.Database);
        Assert.NotEqual(ids.First(), await RunnerRig.EnqueueAsync(again, "emails", more: ", key => 'welcome 7'"));
    }

    [Fact]
    public async Task Payloads_beyond_a_mebibyte_unknown_queues_and_tables_are_refused_to_the_app()
    {
        var settings = await server.NewAsync(Emails);
        await using (var first = new RunnerRig(settings, FunctionDelivery.Done))
        {
            await first.LeadsAsync();
        }

        await using var app = await server.OpenAsync("app", settings.Database);
        await using var owner = await server.OpenAsync("ashlar", settings.Database);
        var before = await PostgresServer.AskAsync<decimal>(owner, "select pg_current_wal_insert_lsn() - '0/0'");
        var large = await Assert.ThrowsAsync<PostgresException>(() => RunnerRig.EnqueueAsync(app, "emails", $"\"{new string('x', 100 << 20)}\""));
        Assert.StartsWith("ASH3210", large.MessageText, StringComparison.Ordinal);
        Assert.InRange(await PostgresServer.AskAsync<decimal>(owner, "select pg_current_wal_insert_lsn() - '0/0'") - before, 0, 1 << 20);
        var unknown = await Assert.ThrowsAsync<PostgresException>(() => RunnerRig.EnqueueAsync(app, "emials"));
        Assert.StartsWith("ASH3213", unknown.MessageText, StringComparison.Ordinal);
        Assert.Contains("emails", unknown.Hint, StringComparison.Ordinal);
        foreach (var when in new[] { "run_at => 'infinity'", "run_at => '-infinity'", "delay => '101 years'" })
        {
            var never = await Assert.ThrowsAsync<PostgresException>(() => PostgresServer.ExecuteAsync(app, $"select ashlar.enqueue('emails', '{{}}', {when})"));
            Assert.StartsWith("ASH3212", never.MessageText, StringComparison.Ordinal);
        }

        foreach (var sql in new[] { "select * from ashlar.ready", "insert into ashlar.dead select * from ashlar.dead", "select ashlar.fire('a', now(), 'emails', '{}', false)", "select ashlar.hold(1)", "drop schema ashlar cascade" })
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => PostgresServer.ExecuteAsync(app, sql));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        }
    }
}
