using System.Text.Json;
using Ashlar.EndToEnd.BadInput;

namespace Ashlar.EndToEnd.Tests.Jobs;

/// <summary>Jobs of a running stack, from the app's transaction to who does them, through everything that dies on the way.</summary>
[Trait("Length", "Full")]
public sealed class JobsOfAStackTests(RunningJobs stack) : IClassFixture<RunningJobs>
{
    [Fact]
    public async Task What_commits_is_done_by_service_and_command_with_signature_payload_and_one_trace_and_what_rolls_back_never_is()
    {
        // Enqueued by the release command of the very first up.
        var first = Assert.Single(await stack.SeenAsync(seen => PayloadOf(seen, "from") == "release", 1, "the release's job ran"));
        Assert.Equal("commands", first.GetProperty("queue").GetString());
        await stack.EnqueueAsync("emails", """{"to": "nobody"}""", "rollback");
        using var trace = JsonDocument.Parse(await stack.Rig.DoAsync("trace", $"/enqueue?queue=emails&payload={Uri.EscapeDataString("""{"to": "7"}""")}", "--json"));
        var id = trace.RootElement.GetProperty("trace").GetString()!;
        var steps = trace.RootElement.GetProperty("steps").EnumerateArray().ToArray();
        Assert.Contains("and is done, attempt 1", steps.Single(step => step.GetProperty("step").GetString() == "job").GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Contains("to web", steps.Single(step => step.GetProperty("step").GetString() == "route").GetProperty("text").GetString(), StringComparison.Ordinal);
        var email = Assert.Single(await stack.SeenAsync(seen => PayloadOf(seen, "to") is not null, 1, "the email is sent"));
        Assert.Equal("7", PayloadOf(email, "to"));
        Assert.True(email.GetProperty("right").GetBoolean(), "the signature is not the specification's");
        Assert.Contains(id, email.GetProperty("trace").GetString(), StringComparison.Ordinal);

        using var run = JsonDocument.Parse(await stack.Rig.DoAsync("trace", $"/enqueue?queue=commands&payload={Uri.EscapeDataString("""{"size": "40x40"}""")}", "--json"));
        var command = Assert.Single(await stack.SeenAsync(seen => PayloadOf(seen, "size") == "40x40", 1, "the command ran"));
        Assert.Contains(run.RootElement.GetProperty("trace").GetString()!, command.GetProperty("trace").GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, first.GetProperty("trace").ValueKind);
    }

    [Fact]
    public async Task What_fails_is_tried_again_and_is_a_dead_letter_that_can_be_retried_and_a_lease_that_ran_out_completes_nothing()
    {
        var job = await stack.EnqueueAsync("emails", """{"fails": true}""");
        var leased = await stack.EnqueueAsync("long", """{"long": "yes"}""");
        await stack.IsAsync(job, "dead");
        using var dead = JsonDocument.Parse(await stack.Rig.DoAsync("jobs", "list", "--state", "dead", "--json"));
        Assert.Equal((job, 2, "answered 500: not well"), dead.RootElement.EnumerateArray().Select(d => (d.GetProperty("id").GetInt64(), d.GetProperty("attempt").GetInt32(), d.GetProperty("error").GetString())).Single());
        await stack.Rig.GetAsync("/well");
        await stack.Rig.DoAsync("jobs", "retry", $"{job}");
        await stack.IsAsync(job, "done");
        Assert.Single((await stack.SeenAsync(seen => IdOf(seen) == $"job_{job}", 3, "both attempts and the one after")).Select(IdOf).Distinct());

        // No heartbeat comes in time: another has the job then.
        var hands = await stack.SeenAsync(seen => IdOf(seen) == $"job_{leased}", 2, "the leased job is handed out again");
        Assert.Contains("ASH3215", await stack.SqlAsync($"select ashlar.complete('{hands[0].GetProperty("lease").GetString()}')"), StringComparison.Ordinal);
        await stack.Until(async () => await stack.SqlAsync($"select ashlar.complete('{await LatestLeaseAsync()}')") == "", () => "who holds the lease completes the job");
        await stack.IsAsync(leased, "done");
        async Task<string?> LatestLeaseAsync() => (await stack.SeenAsync(seen => IdOf(seen) == $"job_{leased}", 2, "it is handed out"))[^1].GetProperty("lease").GetString();
    }

    [Fact]
    public async Task Killed_runner_and_killed_database_lose_nothing_that_was_acknowledged_and_the_clock_fires_each_time_once()
    {
        await stack.PsqlAsync("update ashlar.schedules set since = since - interval '3 minutes'");
        var hangs = await stack.EnqueueAsync("slow", """{"hangs": "until go"}""");
        await stack.SeenAsync(seen => IdOf(seen) == $"job_{hangs}", 1, "it is in hand");
        await stack.KillAsync("jobs.1");
        var hands = await stack.SeenAsync(seen => IdOf(seen) == $"job_{hangs}", 2, "it is handed out again");
        Assert.Equal(["1", "2"], hands.Select(hand => hand.GetProperty("attempt").GetString()));
        var many = new List<long>();
        for (var i = 0; i < 10; i++)
        {
            many.Add(await stack.EnqueueAsync("slow", $$"""{"one of": {{i}}}"""));
        }

        await stack.KillAsync("database.1");
        await stack.Rig.GetAsync("/go");
        foreach (var job in many.Append(hangs))
        {
            await stack.IsAsync(job, "done");
        }

        await stack.SeenAsync(seen => seen.TryGetProperty("queue", out var queue) && queue.GetString() == "schedule.minutely", 1, "the schedule fired");
        Assert.Equal("t", await stack.PsqlAsync("select count(*) = count(distinct at) and count(job) = count(distinct job) and count(*) > 0 from ashlar.ticks"));
    }

    private static string? PayloadOf(JsonElement seen, string name) => seen.GetProperty("payload").TryGetProperty(name, out var value) ? value.GetString() : null;

    private static string? IdOf(JsonElement seen) => seen.TryGetProperty("id", out var id) ? id.GetString() : null;
}
