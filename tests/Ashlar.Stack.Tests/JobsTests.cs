namespace Ashlar.Stack.Tests;

/// <summary>The keys <c>jobs</c> and <c>schedule</c>: what they say, and what is said about mistakes in them.</summary>
public sealed class JobsTests : StackTest
{
    private const string Head = """
        services:
          web: {run: x, route: /}
          idle: {run: y}
        database: {}

        """;

    [Fact]
    public void Queues_and_schedules_are_read_with_what_is_usual_where_nothing_is_said()
    {
        var stack = Valid(Head + """
            jobs:
              emails: {to: web, path: /jobs/emails, concurrency: 20, attempts: 5, timeout: 30s, lease: 1m}
              thumbnails: {run: bin/thumbnail}
            schedule:
              nightly: {cron: "0 3 * * *", zone: Europe/Berlin, run: bin/report, overlap: allow, catchup: none, timeout: 2h}
              digest: {cron: "@hourly", queue: emails, payload: '{"kind": "digest"}'}
            """);
        Assert.Equal(
            new JobQueueDefinition { Name = "emails", To = "web", Path = "/jobs/emails", Concurrency = 20, Attempts = 5, Timeout = TimeSpan.FromSeconds(30), Lease = TimeSpan.FromMinutes(1) }, stack.Jobs[0]);
        Assert.Equal(new JobQueueDefinition { Name = "thumbnails", Run = "bin/thumbnail" }, stack.Jobs[1]);
        Assert.Equal(
            new ScheduleDefinition { Name = "nightly", Cron = "0 3 * * *", Zone = "Europe/Berlin", Run = "bin/report", Overlap = OverlapPolicy.Allow, CatchUp = CatchUpPolicy.None, Timeout = TimeSpan.FromHours(2) },
            stack.Schedule[0]);
        Assert.Equal(new ScheduleDefinition { Name = "digest", Cron = stack.Schedule[1].Cron, Queue = "emails", Payload = """{"kind": "digest"}""" }, stack.Schedule[1]);
    }

    [Theory]
    [InlineData("jobs:\n  emails: {}", 6, "says nobody who does its jobs")]
    [InlineData("jobs:\n  emails: {to: web, run: x}", 6, "has both to and run")]
    [InlineData("jobs:\n  emails: web", 6, "{to: SERVICE, path: /PATH} or {run: COMMAND}")]
    [InlineData("jobs: [emails]", 5, "jobs")]
    [InlineData("jobs:\n  emails: {to: wbe}", 6, "web")]
    [InlineData("jobs:\n  emails: {to: idle}", 6, "interface: http")]
    [InlineData("jobs:\n  E mails: {to: web}", 6, "the queue")]
    [InlineData("jobs:\n  emails: {to: web, path: jobs}", 6, "/jobs/emails")]
    [InlineData("jobs:\n  emails:\n    to: web\n    path: '/a b'", 8, "/jobs/emails")]
    [InlineData("jobs:\n  emails:\n    to: web\n    concurrency: 0", 8, "concurrency")]
    [InlineData("jobs:\n  emails:\n    to: web\n    attempts: 1001", 8, "1000")]
    [InlineData("jobs:\n  emails:\n    to: web\n    timeout: 2d", 8, "timeout")]
    [InlineData("jobs:\n  emails:\n    to: web\n    lease: soon", 8, "lease")]
    [InlineData("jobs:\n  emails:\n    to: web\n    retries: 3", 8, "retries")]
    [InlineData("schedule:\n  nightly: {run: x}", 6, "cron is missing")]
    [InlineData("schedule:\n  nightly: {cron: '0 3 * * *'}", 6, "says nothing to do")]
    [InlineData("schedule:\n  nightly: {cron: '0 3 * * *', run: x, queue: emails}", 6, "has both run and queue")]
    [InlineData("schedule:\n  nightly:\n    run: x\n    cron: '0 3 * *'", 8, "4 fields")]
    [InlineData("schedule:\n  nightly:\n    run: x\n    cron: '0 25 * * *'", 8, "hour")]
    [InlineData("schedule:\n  nightly:\n    run: x\n    cron: '0 0 31 2 *'", 8, "no year")]
    [InlineData("schedule:\n  nightly:\n    run: x\n    cron: '@daily'\n    zone: Berlin", 9, "Europe/Berlin")]
    [InlineData("schedule:\n  nightly:\n    cron: '@daily'\n    queue: emails", 8, "a queue under jobs")]
    [InlineData("schedule:\n  nightly:\n    cron: '@daily'\n    run: x\n    payload: '{\"a\"'", 9, "JSON")]
    [InlineData("schedule:\n  nightly:\n    cron: '@daily'\n    run: x\n    overlap: wait", 9, "skip")]
    [InlineData("schedule:\n  nightly:\n    cron: '@daily'\n    run: x\n    catchup: most", 9, "none")]
    [InlineData("schedule:\n  nightly: 0 3 * * *", 6, "cron")]
    public void A_mistake_is_told_with_its_line_and_what_would_be_right(string lines, int line, string says)
    {
        var result = Yaml(Head + lines + "\n");
        Assert.Null(result.Stack);
        var told = result.Diagnostics.Where(d => d.Line == line && d.ToString().Contains(says, StringComparison.Ordinal));
        Assert.True(told.Any(), $"line {line}: {says}\n{string.Join('\n', result.Diagnostics)}");
    }

    [Fact]
    public void Without_a_database_there_are_none()
    {
        var error = OneError(Yaml("services:\n  web: {run: x, route: /}\njobs: {emails: {to: web}}\n"));
        Assert.Equal((3, "ASH1060"), (error.Line, error.Code));
        Assert.Contains("database: {}", error.ToString(), StringComparison.Ordinal);
    }
}
