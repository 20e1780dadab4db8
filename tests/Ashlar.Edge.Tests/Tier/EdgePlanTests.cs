using Ashlar.Catalog;
using Ashlar.Stack;

namespace Ashlar.Edge.Tests.Tier;

public sealed class EdgePlanTests
{
    internal static PlanContext Context { get; } = new()
    {
        Stack = new StackDefinition { Name = "shop", Directory = "/srv/shop" },
        Release = "v3",
        ReleaseFolder = "/srv/shop/.ashlar/releases/v3",
        StateFolder = "/srv/shop/.ashlar",
        Program = "/opt/ashlar/ashlar",
        ProgramVersion = "abc",
    };

    [Fact]
    public void One_edge_is_wanted_that_shows_by_the_channel_that_it_is_ready()
    {
        var edge = Assert.Single(EdgePlan.Plan(Context));
        Assert.Equal(("edge.1", "edge", Readiness.Channel, false), (edge.Name, edge.Tier, edge.Readiness, edge.HasEndpoint));
        Assert.Equal(["/opt/ashlar/ashlar", "edge"], edge.Launch.Command.Take(2));
        Assert.True(edge.StopGrace > TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Another_program_and_a_restart_replace_it_and_a_release_does_not()
    {
        var before = Fingerprint(Context);
        Assert.Equal(before, Fingerprint(Context with { Release = "v4", ReleaseFolder = "/elsewhere" }));
        Assert.NotEqual(before, Fingerprint(Context with { ProgramVersion = "abd" }));
        Assert.NotEqual(before, Fingerprint(Context with { RestartCounts = Context.RestartCounts.Add("edge", 1) }));
        Assert.NotEqual(before, Fingerprint(Context with { RestartCounts = Context.RestartCounts.Add("edge.1", 1) }));
    }

    [Theory]
    [InlineData("edge")]
    [InlineData("edge.1")]
    public void A_stopped_edge_is_not_wanted(string stopped) => Assert.Empty(EdgePlan.Plan(Context with { Stopped = [stopped] }));

    [Fact]
    public void It_runs_as_the_user_of_the_tiers() =>
        Assert.Equal("nobody", EdgePlan.Plan(Context with { User = "nobody" })[0].Launch.User);

    private static string Fingerprint(PlanContext context) => EdgePlan.Plan(context)[0].Fingerprint;
}
