using System.Collections.Immutable;
using Ashlar.Catalog;
using Ashlar.Stack;

namespace Ashlar.Dashboard.Tests;

public sealed class PlanTests
{
    private const string Token = "the-token-that-nobody-may-see-123";

    private static PlanContext Context(Func<StackDefinition, StackDefinition>? change = null)
    {
        var stack = new StackDefinition { Name = "shop", Directory = "/srv/shop", Services = [new ServiceDefinition { Name = "web", Run = "x" }] };
        return new PlanContext
        {
            Stack = change?.Invoke(stack) ?? stack,
            Release = "v1",
            ReleaseFolder = "/srv/shop",
            StateFolder = "/srv/shop/.ashlar",
            Program = "/usr/bin/ashlar",
            ProgramVersion = "p1",
            User = "shop",
            Secrets = ImmutableSortedDictionary<string, string>.Empty.Add(DashboardPlan.TokenSecret, Token),
        };
    }

    private static DesiredInstance? Plan(PlanContext context) => DashboardPlan.Plan(context).SingleOrDefault();

    [Fact]
    public void It_runs_as_the_services_user_behind_the_edge_and_its_token_is_never_in_argv_or_fingerprint()
    {
        var instance = Plan(Context())!;
        Assert.Equal("dashboard.1", instance.Name);
        Assert.True(instance.HasEndpoint);
        Assert.Equal(Readiness.Http, instance.Readiness);
        Assert.Equal("shop", instance.Launch.User);
        Assert.Equal(Token, instance.Launch.Environment[DashboardOptions.TokenVariable]);
        Assert.DoesNotContain(instance.Launch.Command, argument => argument.Contains(Token, StringComparison.Ordinal));
        Assert.DoesNotContain(Token, instance.Fingerprint, StringComparison.Ordinal);
    }

    [Fact]
    public void Off_stopped_or_without_services_nothing_runs()
    {
        Assert.Null(Plan(Context(s => s with { Dashboard = new DashboardDefinition { Enabled = false } })));
        Assert.Null(Plan(Context(s => s with { Services = [] })));
        Assert.Null(Plan(Context() with { Stopped = ["dashboard"] }));
        Assert.Null(Plan(Context() with { Stopped = ["dashboard.1"] }));
        Assert.Empty(DashboardPlan.Needs(Context(s => s with { Dashboard = new DashboardDefinition { Enabled = false } })).Secrets);
        Assert.Equal(DashboardPlan.TokenSecret, Assert.Single(DashboardPlan.Needs(Context()).Secrets));
    }

    [Fact]
    public void It_is_replaced_by_another_program_token_address_user_or_an_order_and_by_no_release()
    {
        var now = Plan(Context())!.Fingerprint;
        Assert.Equal(now, Plan(Context() with { Release = "v2" })!.Fingerprint);
        Assert.NotEqual(now, Plan(Context() with { ProgramVersion = "p2" })!.Fingerprint);
        Assert.NotEqual(now, Plan(Context() with { User = "other" })!.Fingerprint);
        Assert.NotEqual(now, Plan(Context() with { Secrets = ImmutableSortedDictionary<string, string>.Empty.Add(DashboardPlan.TokenSecret, "another") })!.Fingerprint);
        Assert.NotEqual(now, Plan(Context() with { RestartCounts = ImmutableSortedDictionary<string, int>.Empty.Add("dashboard", 1) })!.Fingerprint);
        var listening = Plan(Context(s => s with { Dashboard = new DashboardDefinition { Listen = new ListenAddress("10.0.0.1", 9000) } }))!;
        Assert.NotEqual(now, listening.Fingerprint);
        Assert.Equal("--listen 10.0.0.1", string.Join(' ', listening.Launch.Command[^2..]));
    }

    [Theory]
    [InlineData("--instance a --state")]
    [InlineData("--instance a")]
    [InlineData("--state /x")]
    [InlineData("--instance a --state /x --listen here")]
    [InlineData("--instance a --state /x --more 1")]
    public void Arguments_that_are_not_understood_are_refused(string arguments) =>
        Assert.Equal("ASH7201", Assert.Throws<Errors.AshlarException>(() =>
            DashboardOptions.Parse(arguments.Split(' '), name => name == "PORT" ? "1234" : Token)).Error.Code);

    [Fact]
    public void Without_token_or_port_it_does_not_start()
    {
        string[] arguments = ["--instance", "a", "--state", "/x"];
        Assert.Throws<Errors.AshlarException>(() => DashboardOptions.Parse(arguments, name => name == "PORT" ? "1234" : null));
        Assert.Throws<Errors.AshlarException>(() => DashboardOptions.Parse(arguments, name => name == "PORT" ? "99999" : Token));
        Assert.Equal(1234, DashboardOptions.Parse(arguments, name => name == "PORT" ? "1234" : Token).Port);
    }
}
