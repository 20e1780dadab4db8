using Ashlar.Jobs.Queue;
using Ashlar.Stack;
using Npgsql;

namespace Ashlar.Jobs.Tests.Runner;

[Collection(OnPostgres.Name)]
public sealed class FaultTests(PostgresServer server)
{
    private static readonly QueueSettings Emails = new() { Name = "emails", Concurrency = 20, Url = "http://none/" };

    [Fact]
    public async Task When_all_sessions_are_terminated_it_goes_on_and_each_job_is_done()
    {
        var settings = await server.NewAsync(Emails);
        var delivery = new FunctionDelivery((_, _) => Task.FromResult<Outcome?>(Outcome.Done));
        await using var rig = new RunnerRig(settings, delivery);
        await rig.LeadsAsync();
        await using var app = await server.OpenAsync("app", settings.Database);
        await using var admin = await server.OpenAsync("ashlar", "postgres");
        for (var i = 0; i < 20; i++)
        {
            await PostgresServer.ExecuteAsync(app, "select ashlar.enqueue_many('emails', array_fill('{}'::jsonb, array[200]))");
            await PostgresServer.ExecuteAsync(admin, $"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{settings.Database}' and application_name = 'ashlar jobs'");
        }

        await RunnerRig.Until(() => Task.FromResult(delivery.Handed.Select(job => job.Id).Distinct().Count() == 4000 && rig.Endings.Select(e => e.Job.Id).Distinct().Count() == 4000),
            () => $"4000 are done, not {rig.Endings.Select(e => e.Job.Id).Distinct().Count()}: {string.Join(' ', rig.Said.Select(s => s.Message).Distinct())}");
        await using var owner = await server.OpenAsync("ashlar", settings.Database);
        await RunnerRig.Until(async () => await PostgresServer.AskAsync<long>(owner, "select count(distinct job) from ashlar.archive") == 4000, "4000 are archived");
        Assert.Equal(0L, await PostgresServer.AskAsync<long>(owner, "select count(*) from ashlar.scheduled"));
    }

    [Fact]
    public async Task A_second_dispatcher_stands_by_and_takes_over_what_the_first_gives_back()
    {
        var settings = await server.NewAsync(Emails with { Concurrency = 1 });
        var block = new TaskCompletionSource<Outcome?>();
        var slow = new FunctionDelivery((_, cancellation) => block.Task.WaitAsync(cancellation));
        var first = new RunnerRig(settings, slow, grace: TimeSpan.FromSeconds(20));
        await first.LeadsAsync();
        await using var app = await server.OpenAsync("app", settings.Database);
        for (var i = 0; i < 10; i++)
        {
            await RunnerRig.EnqueueAsync(app, "emails");
        }

        await RunnerRig.Until(() => slow.Handed.Count == 1, "one is in hand");
        var quick = new FunctionDelivery((_, _) => Task.FromResult<Outcome?>(Outcome.Done));
        await using var second = new RunnerRig(settings, quick);
        var stopping = first.StopAsync();

        // The second does the nine that had not begun, while the first finishes its own.
        await second.EndedAsync(9);
        Assert.True(second.Epoch > first.Epoch);
        Assert.False(stopping.IsCompleted);
        block.SetResult(Outcome.Done);
        await stopping;
        Assert.Equal([(1, false)], first.Endings.Where(e => e.Outcome.Ending == Ending.Done).Select(e => (e.Job.Attempt, e.Lost)));
        Assert.All(quick.Handed, job => Assert.Equal(1, job.Attempt));
        Assert.DoesNotContain(slow.Handed.Single().Id, quick.Handed.Select(job => job.Id));
    }

    [Fact]
    public async Task What_is_broken_off_by_a_stop_is_handed_out_again_and_no_attempt_is_charged()
    {
        var settings = await server.NewAsync(Emails);
        var hangs = new FunctionDelivery(async (_, cancellation) =>
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return Outcome.Done;
        });
        var first = new RunnerRig(settings, hangs, grace: TimeSpan.FromMilliseconds(300));
        await first.LeadsAsync();
        await using var app = await server.OpenAsync("app", settings.Database);
        await RunnerRig.EnqueueAsync(app, "emails");
        await RunnerRig.Until(() => hangs.Handed.Count == 1, "it is in hand");
        await first.StopAsync();
        var quick = new FunctionDelivery((_, _) => Task.FromResult<Outcome?>(Outcome.Done));
        await using var second = new RunnerRig(settings, quick);
        await second.EndedAsync(1);
        Assert.Equal((1, 2), (quick.Handed.Single().Attempt, quick.Handed.Single().Delivery));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_that_was_overtaken_writes_nothing_and_what_it_had_is_done_again_with_an_attempt_charged(bool ends)
    {
        var settings = await server.NewAsync(Emails);
        var block = new TaskCompletionSource<Outcome?>();
        var slow = new FunctionDelivery((_, _) => block.Task);
        await using var first = new RunnerRig(settings, slow);
        await first.LeadsAsync();
        await using var app = await server.OpenAsync("app", settings.Database);
        var id = await RunnerRig.EnqueueAsync(app, "emails");
        await RunnerRig.Until(() => slow.Handed.Count == 1, "it is in hand");

        // As if the server had given the lock to another: the epoch moves on, and the first does not know yet.
        await using var owner = await server.OpenAsync("ashlar", settings.Database);
        await PostgresServer.ExecuteAsync(owner, "update ashlar.state set epoch = epoch + 1");
        if (ends)
        {
            block.SetResult(Outcome.Done);
        }
        else
        {
            await RunnerRig.EnqueueAsync(app, "emails"); // To be claimed, which is refused.
        }

        await RunnerRig.Until(() => first.Said.Any(error => error.Code == "ASH3203"), "it is refused");
        await RunnerRig.Until(() => slow.Handed.Count(job => job.Id == id) == 2, "it is handed out again");
        Assert.Equal(2, slow.Handed.Last(job => job.Id == id).Attempt);
        block.TrySetResult(Outcome.Done);
    }

    [Fact]
    public async Task A_worker_whose_lease_has_run_out_cannot_complete_the_job()
    {
        var settings = await server.NewAsync(Emails with { Lease = TimeSpan.FromSeconds(1), Attempts = 5 });
        var accepts = new FunctionDelivery((_, _) => Task.FromResult<Outcome?>(null));
        await using var rig = new RunnerRig(settings, accepts);
        await rig.LeadsAsync();
        await using var app = await server.OpenAsync("app", settings.Database);
        await RunnerRig.EnqueueAsync(app, "emails");
        await RunnerRig.Until(() => accepts.Handed.Count == 1, "it is accepted");
        var first = accepts.Handed.Single();
        Assert.True(await PostgresServer.AskAsync<bool>(app, $"select ashlar.heartbeat('{first.Lease}')"));

        // No heartbeat any more: another gets it, and the first comes too late.
        await RunnerRig.Until(() => accepts.Handed.Count == 2, "another gets it");
        var second = accepts.Handed.Last();
        Assert.Equal((first.Id, 2), (second.Id, second.Attempt));
        var late = await Assert.ThrowsAsync<PostgresException>(() => PostgresServer.ExecuteAsync(app, $"select ashlar.complete('{first.Lease}')"));
        Assert.StartsWith("ASH3215", late.MessageText, StringComparison.Ordinal);
        Assert.False(await PostgresServer.AskAsync<bool>(app, $"select ashlar.heartbeat('{first.Lease}')"));
        await PostgresServer.ExecuteAsync(app, $"select ashlar.complete('{second.Lease}')");
        await Assert.ThrowsAsync<PostgresException>(() => PostgresServer.ExecuteAsync(app, $"select ashlar.complete('{second.Lease}')"));
    }

    [Fact]
    public async Task Two_schedulers_that_try_each_time_a_thousand_times_make_one_job_each()
    {
        var settings = await server.NewAsync(Emails);
        await using (var rig = new RunnerRig(settings, FunctionDelivery.Done))
        {
            await rig.LeadsAsync();
        }

        await Task.WhenAll(Enumerable.Range(0, 2).Select(async _ =>
        {
            await using var connection = await server.OpenAsync("ashlar", settings.Database);
            for (var i = 0; i < 1000; i++)
            {
                await PostgresServer.ExecuteAsync(connection, $"select ashlar.fire('nightly', '2026-01-01 00:00Z'::timestamptz + interval '1 minute' * {i}, 'emails', '{{}}', false)");
            }
        }));
        await using var owner = await server.OpenAsync("ashlar", settings.Database);
        Assert.Equal(1000L, await PostgresServer.AskAsync<long>(owner, "select count(*) from ashlar.ready"));
        Assert.Equal(1000L, await PostgresServer.AskAsync<long>(owner, "select count(distinct job) from ashlar.ticks"));
    }

    [Fact]
    public async Task Times_that_passed_while_nothing_ran_are_made_up_for_as_the_policy_says()
    {
        var schedules = Enum.GetValues<CatchUpPolicy>().Select(policy => new ScheduleDefinition { Name = policy.ToString().ToLowerInvariant(), Cron = "* * * * *", Queue = "emails", CatchUp = policy, Overlap = OverlapPolicy.Allow });
        var settings = await server.NewAsync(Emails) with { Schedules = [.. schedules] };
        await using var owner = await server.OpenAsync("ashlar", settings.Database);
        await PostgresServer.ExecuteAsync(owner, "insert into ashlar.schedules (name, since, text) select n, date_trunc('minute', clock_timestamp()) - interval '9 minutes 30 seconds', '* * * * * UTC' from unnest(array['none', 'one', 'all']) n");
        await using var rig = new RunnerRig(settings, FunctionDelivery.Done);
        await RunnerRig.Until(() => rig.Ticks.Count(tick => tick.Schedule == "all") >= 10 && rig.Ticks.Any(tick => tick.Schedule == "one"), "they are made up for");
        Assert.InRange(rig.Ticks.Count(tick => tick.Schedule == "none"), 0, 2);
        Assert.InRange(rig.Ticks.Count(tick => tick.Schedule == "one"), 1, 2);
        Assert.InRange(rig.Ticks.Count(tick => tick.Schedule == "all"), 10, 12);
    }

    [Fact]
    public async Task A_queue_that_was_restored_into_another_cluster_keeps_what_was_not_done()
    {
        var settings = await server.NewAsync(Emails);
        await using (var rig = new RunnerRig(settings, FunctionDelivery.Done))
        {
            await rig.LeadsAsync();
            await using var app = await server.OpenAsync("app", settings.Database);
            await RunnerRig.EnqueueAsync(app, "emails");
            await rig.EndedAsync(1);
        }

        await using var owner = await server.OpenAsync("ashlar", settings.Database);
        var left = await RunnerRig.EnqueueAsync(owner, "emails");
        await PostgresServer.ExecuteAsync(owner, "update ashlar.state set system = 1; update ashlar.ready set xid = '9000000000000'::xid8 where job = (select max(job) from ashlar.ready)");
        await using var again = new RunnerRig(settings, FunctionDelivery.Done);
        await again.EndedAsync(1);
        Assert.Equal([left], again.Endings.Select(e => e.Job.Id));
    }
}

/// <summary>Tests that kill their server.</summary>
[Trait("Length", "Full")]
public sealed class ServerDeathTests
{
    [Fact]
    public async Task A_killed_server_loses_no_job_that_was_acknowledged()
    {
        var server = new PostgresServer();
        await server.InitializeAsync();
        try
        {
            var settings = await server.NewAsync(new QueueSettings { Name = "emails", Concurrency = 20, Url = "http://none/" });
            var delivery = new FunctionDelivery((_, _) => Task.FromResult<Outcome?>(Outcome.Done));
            await using var rig = new RunnerRig(settings, delivery);
            await rig.LeadsAsync();
            var acknowledged = new List<long>();
            for (var round = 0; round < 2; round++)
            {
                await using var app = await server.OpenAsync("app", settings.Database);
                for (var i = 0; i < 300; i++)
                {
                    acknowledged.Add(await RunnerRig.EnqueueAsync(app, "emails"));
                }

                await server.KillAsync();
                await server.StartAsync();
            }

            // What the server says is done: the dispatcher is not told of what was written just as the server died.
            await using var owner = await server.OpenAsync("ashlar", settings.Database);
            await using var archive = new NpgsqlCommand("select count(distinct job) from ashlar.archive where job = any($1)", owner) { Parameters = { new() { Value = acknowledged.ToArray() } } };
            await RunnerRig.Until(
                async () => (long)(await archive.ExecuteScalarAsync())! == acknowledged.Count, () => $"all are done: {string.Join(' ', rig.Said.Select(s => s.Message).Distinct())}");
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Jobs_that_end_while_the_server_is_dead_are_archived_once_when_it_is_back(bool losesClaims)
    {
        var server = new PostgresServer();
        await server.InitializeAsync();
        try
        {
            if (losesClaims)
            {
                await server.WriteLateAsync();
            }

            var settings = await server.NewAsync(new QueueSettings { Name = "emails", Concurrency = 20, Url = "http://none/" });
            var ended = new TaskCompletionSource();
            var delivery = new FunctionDelivery(async (_, cancellation) =>
            {
                await ended.Task.WaitAsync(cancellation);
                return Outcome.Done;
            });
            await using var rig = new RunnerRig(settings, delivery);
            await rig.LeadsAsync();
            var jobs = new List<long>();
            await using (var app = await server.OpenAsync("app", settings.Database))
            {
                // What is enqueued is durable, and what was claimed before with it.
                await using var together = losesClaims ? await app.BeginTransactionAsync() : null;
                for (var i = 0; i < 10; i++)
                {
                    jobs.Add(await RunnerRig.EnqueueAsync(app, "emails", more: $", key => 'once {i}'"));
                }

                await (together?.CommitAsync() ?? Task.CompletedTask);
            }

            await RunnerRig.Until(() => delivery.Handed.Count >= 10, "all are in hand");
            await server.KillAsync();
            ended.SetResult();
            await server.StartAsync();
            await using var owner = await server.OpenAsync("ashlar", settings.Database);
            await RunnerRig.Until(async () => await PostgresServer.AskAsync<long>(owner, "select count(distinct job) from ashlar.archive") == 10, "all are archived");

            // Done by which delivery ever, it is told once, and the keys are free.
            await RunnerRig.Until(() => jobs.TrueForAll(job => rig.Endings.Any(ending => ending.Job.Id == job && !ending.Lost)), "each is told");
            Assert.Equal(10L, await PostgresServer.AskAsync<long>(owner, "select count(*) from ashlar.archive"));
            Assert.Equal(0L, await PostgresServer.AskAsync<long>(owner, "select count(*) from ashlar.keys"));
            Assert.All(jobs, job => Assert.Single(rig.Endings, ending => ending.Job.Id == job && !ending.Lost));
        }
        finally
        {
            await server.DisposeAsync();
        }
    }
}
