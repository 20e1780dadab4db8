using Ashlar.Catalog;
using Ashlar.Jobs.Queue;
using Ashlar.Stack;

namespace Ashlar.Jobs.Tests;

/// <summary>What people and the dashboard are told, and what a release command finds.</summary>
[Collection(OnPostgres.Name)]
public sealed class AdministrationTests(PostgresServer server)
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string Parent = $"00-{Trace}-00f067aa0ba902b7-01";

    [Fact]
    public async Task The_picture_has_every_queue_with_its_figures_its_failures_and_its_dead_letters()
    {
        var settings = await server.NewAsync(new QueueSettings { Name = "emails", Attempts = 2 }, new QueueSettings { Name = "images" });
        var delivery = new FunctionDelivery((job, _) => Task.FromResult(job.Payload switch
        {
            "\"dead\"" => new Outcome(Ending.Dead, "answered 410"),
            "\"fails\"" => new Outcome(Ending.Failed, "answered 500: no", TimeSpan.FromHours(1)),
            _ => Outcome.Done,
        })!);
        await using var rig = new RunnerRig(settings, delivery);
        await rig.LeadsAsync();
        await using var app = await server.OpenAsync("app", settings.Database);
        var done = await RunnerRig.EnqueueAsync(app, "emails", "\"done\"");
        var dead = await RunnerRig.EnqueueAsync(app, "emails", "\"dead\"");
        var fails = await RunnerRig.EnqueueAsync(app, "emails", "\"fails\"");
        await RunnerRig.EnqueueAsync(app, "emails", more: ", delay => '1 hour'");
        await rig.EndedAsync(3);
        await using var administration = await JobsAdministration.OpenAsync(Database.Of(settings), settings.Port, "shop", CancellationToken.None);
        var picture = await administration.PictureAsync(CancellationToken.None);
        Assert.Equal(["emails", "images"], picture.Queues.Select(queue => queue.Queue));
        Assert.Equal(new QueueReport("emails", 0, null, 0, 1, 1, 1, 1, false, true, 1), picture.Queues[0]);
        Assert.Equal((dead, "answered 410", (string?)null), picture.Dead.Select(job => (job.Id, job.Error, job.Payload)).Single());
        Assert.Equal((fails, 2, 2, "answered 500: no"), picture.Failures.Select(failure => (failure.Id, failure.Attempt, failure.Attempts, failure.Error)).Single());
        Assert.Equal("done", (await administration.ShowAsync(done, CancellationToken.None))?.State);
    }

    [Fact]
    public async Task A_traced_request_finds_its_jobs_wherever_they_are()
    {
        var settings = await server.NewAsync(new QueueSettings { Name = "emails" }, new QueueSettings { Name = "long", Lease = TimeSpan.FromMinutes(1) });
        var delivery = new FunctionDelivery((job, _) => Task.FromResult<Outcome?>(job.Payload switch
        {
            "\"dead\"" => new Outcome(Ending.Dead, "answered 410"),
            "\"fails\"" => new Outcome(Ending.Failed, "answered 500", TimeSpan.FromHours(1)),
            "\"long\"" => null,
            _ => Outcome.Done,
        }));
        await using var app = await server.OpenAsync("app", settings.Database);
        await using var rig = new RunnerRig(settings, delivery);
        await rig.LeadsAsync();
        var since = DateTimeOffset.UtcNow.AddMinutes(-1);
        var traced = $", trace => '{Parent}'";
        await RunnerRig.EnqueueAsync(app, "emails", "\"done\"", traced);
        await RunnerRig.EnqueueAsync(app, "emails", "\"dead\"", traced);
        await RunnerRig.EnqueueAsync(app, "emails", "\"fails\"", traced);
        await RunnerRig.EnqueueAsync(app, "emails", "\"later\"", $"{traced}, delay => '1 hour'");
        await RunnerRig.EnqueueAsync(app, "long", "\"long\"", traced);
        var leased = await RunnerRig.EnqueueAsync(app, "long", "\"long\"", traced);
        await RunnerRig.EnqueueAsync(app, "emails", "\"done\"", ", trace => '00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-00f067aa0ba902b7-01'");
        await rig.EndedAsync(4);
        await RunnerRig.Until(() => delivery.Handed.Count == 6, "all but the later one are handed out");
        await PostgresServer.ExecuteAsync(app, $"select ashlar.complete('{leased}.1')");
        await using var administration = await JobsAdministration.OpenAsync(Database.Of(settings), settings.Port, "shop", CancellationToken.None);
        var jobs = await administration.TracedAsync(Trace, since, CancellationToken.None);
        Assert.Equal(["done", "dead", "retry", "scheduled", "running", "done"], jobs.Select(job => job.State));
        Assert.Equal([null, "answered 410", "answered 500", null, null, null], jobs.Select(job => job.Error));
        Assert.All(jobs.Where(job => job.State == "done"), job => Assert.True(job.Enqueued <= job.Started && job.Started <= job.Ended));
        Assert.Empty(await administration.TracedAsync(Trace, DateTimeOffset.UtcNow.AddMinutes(1), CancellationToken.None));
        Assert.All(delivery.Handed.Where(job => job.Payload != "\"done\""), job => Assert.Equal(Parent, job.Trace));
    }

    [Fact]
    public async Task A_release_command_finds_the_queues_before_any_jobs_process_has_run_and_takes_none_away()
    {
        var empty = await server.NewAsync();
        await using (var owner = await server.OpenAsync("ashlar", empty.Database))
        {
            await PostgresServer.ExecuteAsync(owner, "drop schema ashlar cascade");
        }

        var access = new TierAccess("127.0.0.1", empty.Port, "ashlar", "none", empty.Database) { App = new TierAccess("127.0.0.1", empty.Port, "app", "none", empty.Database) };
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => JobsPreparation.MakeAsync(Context("emails"), access, CancellationToken.None)));
        await using var app = await server.OpenAsync("app", empty.Database);
        var id = await RunnerRig.EnqueueAsync(app, "emails");
        await JobsPreparation.MakeAsync(Context("images"), access, CancellationToken.None);
        await RunnerRig.EnqueueAsync(app, "emails");
        await RunnerRig.EnqueueAsync(app, "images");
        await using var rig = new RunnerRig(empty with { Queues = [new QueueSettings { Name = "emails" }] }, FunctionDelivery.Done);
        await rig.EndedAsync(2);
        Assert.Contains(rig.Endings, ending => ending.Job.Id == id);
    }

    private static PlanContext Context(string queue) => new()
    {
        Stack = new StackDefinition { Name = "shop", Directory = "/", Database = new DatabaseDefinition(), Jobs = [new JobQueueDefinition { Name = queue, Run = "true" }] },
        Release = "v1",
        ReleaseFolder = "/",
        StateFolder = "/",
        Program = "",
        ProgramVersion = "",
    };
}
