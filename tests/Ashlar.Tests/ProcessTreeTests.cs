using Ashlar.Catalog;
using Ashlar.Output;

namespace Ashlar;

public sealed class ProcessTreeTests
{
    [Fact]
    public void A_service_that_is_stopped_is_shown_and_said_to_be()
    {
        var report = CliRig.Storefront with { Tiers = [new("services", [new("web", 0, false, ["/"], []) { Stopped = true }, new("load", 0, false, [], [])])] };
        var screen = new Screen(TextWriter.Null);
        Assert.Matches(@"services\s*\n├─ web 0/0 +stopped\s*\n└─ load 0/0\s*\n", ProcessTree.Render(screen, report, CliRig.Now));
        Assert.Contains("  web   0/0  stopped\n", HealthSummary.Render(screen, report));
    }

    [Fact]
    public void What_is_stopped_is_named_beside_the_health()
    {
        static ServiceReport Stopped(string name) => new(name, 0, false, [], []) { Stopped = true };
        var report = CliRig.Storefront with { Healthy = true, Tiers = [new("edge", [Stopped("edge")])] };
        var screen = new Screen(TextWriter.Null);
        Assert.Equal("storefront  v12  healthy, edge stopped  http://127.0.0.1:8080\n", ProcessTree.Head(screen, report));
        report = report with { Tiers = [.. report.Tiers, new("cache", [Stopped("cache"), Stopped("memcached")])] };
        Assert.Contains("  healthy, edge, cache and memcached stopped  ", HealthSummary.Render(screen, report));
    }

    [Theory]
    [InlineData("primary", null, null, "healthy primary ")]
    [InlineData("replica", null, null, "healthy replica ")]
    [InlineData("replica", 0L, 0.0, "healthy replica, 0 B behind ")]
    [InlineData("replica", 3_355_443L, 1.4, "healthy replica, 3.20 MiB and 1.4 s behind ")]
    public void A_database_server_says_its_role_and_how_far_it_is_behind(string role, long? bytes, double? seconds, string shown)
    {
        var server = CliRig.Storefront.Tiers[0].Services[0].Instances[0] with { Name = "database.2", Role = role, LagBytes = bytes, LagSeconds = seconds };
        var report = CliRig.Storefront with { Tiers = [new("database", [new("database", 1, false, [], [server])])] };
        Assert.Contains($"database.2  {shown}", ProcessTree.Render(new Screen(TextWriter.Null), report, CliRig.Now));
        var json = System.Text.Json.JsonSerializer.Serialize(server, CliJson.Agent.InstanceReport);
        Assert.Contains($"\"role\": \"{role}\"", json);
        Assert.Contains($"\"lagBytes\": {bytes?.ToString() ?? "null"}", json);
        Assert.Contains("\"lagSeconds\": ", json);
    }

    [Theory]
    [InlineData(null, "")]
    [InlineData(0.0, "  0 req/s")]
    [InlineData(12345.6, "  12,346 req/s")]
    public void The_status_line_says_how_many_requests_there_are(double? rate, string shown) =>
        Assert.Equal($" storefront  v12  3/4 healthy{shown}  http://127.0.0.1:8080", Foreground.StatusLine.Render(CliRig.Storefront with { RequestsPerSecond = rate }));

    [Fact]
    public void Ps_shows_tier_service_instance_and_pids()
    {
        var text = ProcessTree.Render(new Screen(TextWriter.Null), CliRig.Storefront, CliRig.Now);
        Assert.Equal("""
            storefront  v12  not healthy  http://127.0.0.1:8080

            NAME            STATE        RELEASE  UPTIME   PORT   CPU       PSS  RESTARTS  PIDS
            agent           healthy                2h 3m         0.4%  39.0 MiB         0  4711
            edge
            └─ edge 1/1
               └─ edge.1    healthy                2h 3m   8080   31%  61.0 MiB         0  4720
            services
            ├─ web 1/2
            │  ├─ web.1     healthy      v12       2h 3m  20001  125%   210 MiB         0  4731 4735 4736
            │  └─ web.2     backoff      v12              20002                         3
            │       exit 1, next start in 4 s
            └─ worker 1/1   maintenance
               └─ worker.1  healthy      v12       2h 3m         0.0%  1.49 GiB         0  4740

            """, text);
    }

    [Fact]
    public void A_narrow_screen_cuts_lines_and_never_wraps_them()
    {
        var screen = new Screen(TextWriter.Null) { Columns = () => 60 };
        var table = ProcessTree.Render(screen, CliRig.Storefront, CliRig.Now).Split('\n').Skip(2);
        Assert.All(table, line => Assert.True(line.Length <= 60, line));
    }

    [Fact]
    public void Colours_change_nothing_but_the_colours()
    {
        var plain = ProcessTree.Render(new Screen(TextWriter.Null), CliRig.Storefront, CliRig.Now);
        var coloured = ProcessTree.Render(new Screen(TextWriter.Null) { Colour = true }, CliRig.Storefront, CliRig.Now);
        Assert.Contains("\e[32mhealthy\e[0m", coloured);
        Assert.Equal(plain, System.Text.RegularExpressions.Regex.Replace(coloured, "\e\\[[0-9;]*m", ""));
    }

    [Fact]
    public void Status_names_what_is_not_healthy_with_its_last_lines()
    {
        Assert.Equal("""
            storefront  v12  not healthy  http://127.0.0.1:8080
              edge    1/1
              web     1/2
                web.2: backoff, exit 1, next start in 4 s
                  | Traceback:
                  | KeyError: 'DATABASE_URL'
              worker  1/1  maintenance

            """, HealthSummary.Render(new Screen(TextWriter.Null), CliRig.Storefront));
    }
}
