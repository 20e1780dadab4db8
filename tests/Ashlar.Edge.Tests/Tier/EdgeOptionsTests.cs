using Ashlar.Edge.Tier;
using Ashlar.Errors;

namespace Ashlar.Edge.Tests.Tier;

public sealed class EdgeOptionsTests
{
    [Fact]
    public void What_the_plan_writes_is_read()
    {
        var instance = Assert.Single(EdgePlan.Plan(EdgePlanTests.Context));
        var options = EdgeOptions.Parse([.. instance.Launch.Command.Skip(2)]);
        Assert.Equal(new EdgeOptions("edge.1", "/srv/shop/.ashlar/run/agent.channel", "/srv/shop/.ashlar", TimeSpan.FromSeconds(30)), options);
    }

    [Fact]
    public void On_one_of_many_machines_it_is_told_where_its_identity_lies()
    {
        var instance = Assert.Single(EdgePlan.Plan(EdgePlanTests.Context with { IdentityFolder = "/srv/shop/.ashlar/identity" }));
        Assert.Equal("/srv/shop/.ashlar/identity", EdgeOptions.Parse([.. instance.Launch.Command.Skip(2)]).Identity);
        Assert.NotEqual(EdgePlan.Plan(EdgePlanTests.Context)[0].Fingerprint, instance.Fingerprint);
    }

    [Theory]
    [InlineData("--instance is missing")]
    [InlineData("--channel is missing", "--instance", "edge.1")]
    [InlineData("--state is missing", "--instance", "edge.1", "--channel", "/c")]
    [InlineData("--instance has no value", "--instance")]
    [InlineData("--port 80 is not understood", "--port", "80")]
    [InlineData("--grace never is not understood", "--grace", "never")]
    [InlineData("--grace -1 is not understood", "--grace", "-1")]
    public void Anything_else_is_refused_with_the_reason(string reason, params string[] arguments)
    {
        var error = Assert.Throws<AshlarException>(() => EdgeOptions.Parse(arguments)).Error;
        Assert.Equal("ASH3012", error.Code);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_arguments_end_the_process_with_2() => Assert.Equal(2, await EdgeTier.RunAsync(["--what"]));
}
