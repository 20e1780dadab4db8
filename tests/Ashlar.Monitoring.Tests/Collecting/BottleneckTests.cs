using System.Collections.Immutable;

namespace Ashlar.Monitoring.Tests.Collecting;

public sealed class BottleneckTests
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Nothing_known_has_none() => Assert.Null(Bottleneck.Find([]));

    [Theory]
    [InlineData(0.3, 0.2, 0.1, "web", "cpu", false)]
    [InlineData(0.95, 0.2, 0.5, "web", "cpu", true)]
    [InlineData(0.3, 0.95, 0.5, "database", "connections", true)]
    [InlineData(0.85, 0.9, 0.5, "database", "connections", true)]
    public void The_nearest_to_its_limit_is_named(double web, double database, double machine, string service, string limit, bool limiting)
    {
        var found = Find(
            Node("services", "web", web, "cpu", "a"), Node("database", "database", database, "connections", "b"), Node("machine", "machine", machine, "cpu", "c"));
        Assert.Equal((service, limit, limiting), (found!.Service, found.Limit, found.IsLimiting));
        Assert.Contains(limit == "cpu" ? "a" : "b", found.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void What_waits_for_a_full_database_is_not_the_cause()
    {
        var found = Find(Node("services", "web", 1, "waiting", "12 requests wait for an instance"), Node("database", "database", 0.9, "connections", "90 of 100 connections"));
        Assert.Equal("database", found!.Service);
        Assert.Equal("database is nearly at its limit (90 of 100 connections), and web waits for it (12 requests wait for an instance).", found.Reason);
    }

    [Fact]
    public void On_a_full_machine_it_is_who_uses_most_of_it()
    {
        var found = Find(
            Node("edge", "edge", 0.3, "cpu", "0.6 of 2 cores", cpu: 0.6), Node("services", "web", 0.6, "cpu", "1.2 of 2 cores", cpu: 1.2),
            Node("machine", "machine", 0.98, "cpu", "1.96 of 2 cores", cpu: 1.96));
        Assert.Equal(("web", "machine", true), (found!.Service, found.Limit, found.IsLimiting));
        Assert.Equal("The machine's CPU is 98 % busy (1.96 of 2 cores), and web uses most of it (1.2 cores).", found.Reason);
    }

    [Fact]
    public void On_a_machine_that_others_fill_the_stack_is_not_blamed()
    {
        var found = Find(Node("edge", "edge", 0.1, "cpu", "0.2 of 2 cores", cpu: 0.2), Node("machine", "machine", 0.95, "cpu", "1.9 of 2 cores", cpu: 1.9));
        Assert.Equal(("machine", true), (found!.Service, found.IsLimiting));
        Assert.Equal("The machine's CPU is 95 % busy (1.9 of 2 cores), and what runs beside the stack uses most of it (1.7 cores).", found.Reason);
    }

    [Fact]
    public void A_second_of_load_in_a_minute_is_no_limit()
    {
        ImmutableArray<Moment> moments = [.. Enumerable.Range(0, 60).Select(second => At(second, Node("services", "web", second == 0 ? 1 : 0.1, "cpu", "x")))];
        Assert.False(Bottleneck.Find(moments)!.IsLimiting);
    }

    [Fact]
    public void What_the_agent_and_the_dashboard_use_limits_nobody() =>
        Assert.Null(Find(Node("agent", "agent", 1, "cpu", "x"), Node("dashboard", "dashboard", 1, "cpu", "x")));

    private static Bottleneck? Find(params Sample[] samples) => Bottleneck.Find([At(1, samples), At(0, samples)]);

    private static Moment At(int second, params Sample[] samples) => new(Noon.AddSeconds(second), TimeSpan.FromSeconds(1), [.. samples], []);

    private static Sample Node(string tier, string service, double share, string limit, string reason, double cpu = 0) => new(tier, service)
    {
        Saturation = new Saturation(share, limit, reason),
        Process = new ProcessFigures { Cpu = cpu },
    };
}
