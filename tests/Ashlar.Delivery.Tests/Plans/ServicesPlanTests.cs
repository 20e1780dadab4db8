using System.Collections.Immutable;
using Ashlar.Catalog;
using Ashlar.Delivery.Plans;
using Ashlar.Stack;

namespace Ashlar.Delivery.Tests.Plans;

public sealed class ServicesPlanTests
{
    private static readonly ImmutableSortedDictionary<string, string> Agent = Vars(("PATH", "/usr/bin"), ("HOME", "/root"));

    private static readonly ServiceDefinition Web = new()
    {
        Name = "web",
        Run = "python3 web.py --port $PORT",
        Interface = ServiceInterface.Http,
        Instances = 2,
        Routes = [new RouteDefinition(null, "/")],
        Env = Vars(("A", "service"), ("B", "service"), ("C", "service"), ("D", "service")),
    };

    private static readonly ServiceDefinition Worker = new() { Name = "back-office", Run = "a; b", Folder = "office" };

    private static readonly PlanContext Context = new()
    {
        Stack = new StackDefinition
        {
            Name = "s",
            Directory = "/app",
            Services = [Web, Worker],
            Env = Vars(("A", "stack"), ("S", "stack")),
            DotEnv = Vars(("B", "dotenv"), ("C", "dotenv")),
        },
        Release = "v3",
        ReleaseFolder = "/app/.ashlar/releases/v3",
        Contents = Vars(("web", "1111"), ("back-office", "2222")),
        ConfigVars = Vars(("C", "config"), ("ASHLAR_RELEASE", "forged")),
        Listeners = [new("http", "127.0.0.1", 8080, null), new("service:web", "127.0.0.1", 4001, "web"), new("service:back-office", "::1", 4002, "back-office")],
        StateFolder = "/app/.ashlar",
        Program = "/usr/bin/ashlar",
        ProgramVersion = "1",
        User = "nobody",
    };

    [Fact]
    public void There_are_as_many_instances_as_the_stack_says_or_scale_says_otherwise()
    {
        Assert.Equal(["web.1", "web.2", "back-office.1"], Names(Context));
        var scale = Context.Scale.Add("web", 0).Add("back-office", 3);
        Assert.Equal(["back-office.1", "back-office.2", "back-office.3"], Names(Context with { Scale = scale }));
    }

    [Fact]
    public void Scripts_have_a_host_of_ours_that_is_told_what_to_run()
    {
        var scripts = new ServiceDefinition { Name = "web", Run = "", Interface = ServiceInterface.Cgi, Root = "cgi", Limits = new LimitsDefinition { Requests = 4 } };
        var instance = Assert.Single(ServicesPlan.Plan(Context with { Stack = Context.Stack with { Services = [scripts] } }, Agent));
        Assert.Equal(["/usr/bin/ashlar", "cgi", "--instance", "web.1", "--processes", "4", "--time", "300", "--root", "cgi"], instance.Launch.Command.ToArray());
        Assert.True(instance.HasEndpoint);
        var one = ServicesPlan.Plan(Context with { Stack = Context.Stack with { Services = [scripts with { Root = null, Run = "./it $X" }] } }, Agent).Single();
        Assert.Equal(["--run", "./it $X"], one.Launch.Command[^2..].ToArray());
        Assert.NotEqual(instance.Fingerprint, one.Fingerprint);
    }

    [Fact]
    public void What_was_stopped_is_not_wanted()
    {
        Assert.Equal(["back-office.1"], Names(Context with { Stopped = ["web"] }));
        Assert.Equal(["web.1", "back-office.1"], Names(Context with { Stopped = ["web.2"] }));
    }

    [Fact]
    public void The_environment_follows_the_precedence_and_holds_nothing_else()
    {
        var environment = Plan(Context)["web.1"].Launch.Environment;
        Assert.Equal(
            Vars(
                ("A", "service"), ("B", "dotenv"), ("C", "config"), ("D", "service"), ("S", "stack"), ("PATH", "/usr/bin"), ("HOME", "/root"),
                ("PYTHONUNBUFFERED", "1"), ("ASHLAR_RELEASE", "v3"), ("ASHLAR_SERVICE", "web"), ("ASHLAR_INSTANCE", "web.1"),
                ("BACK_OFFICE_URL", "http://[::1]:4002")),
            environment);
        Assert.Equal("http://127.0.0.1:4001", Plan(Context)["back-office.1"].Launch.Environment["WEB_URL"]);
    }

    [Fact]
    public void An_address_that_is_set_by_hand_wins_over_the_one_that_is_found()
    {
        var context = Context with { ConfigVars = Vars(("WEB_URL", "https://elsewhere.test")) };
        Assert.Equal("https://elsewhere.test", Plan(context)["back-office.1"].Launch.Environment["WEB_URL"]);
    }

    [Fact]
    public void It_starts_in_its_folder_of_the_release_by_its_own_command_and_limits()
    {
        var office = Plan(Context)["back-office.1"];
        Assert.Equal("/app/.ashlar/releases/v3/office", office.Launch.WorkingDirectory);
        Assert.Equal<string>(["/bin/sh", "-c", "a; b"], office.Launch.Command);
        Assert.Equal((Readiness.Alive, false, "nobody", "v3"), (office.Readiness, office.HasEndpoint, office.Launch.User, office.Release));

        var limits = new LimitsDefinition { Memory = 1 << 20, Cpu = 0.5, Files = 99 };
        var web = Plan(With(Web with { Limits = limits, StopGrace = TimeSpan.FromSeconds(3), StartTimeout = TimeSpan.FromSeconds(4) }))["web.2"];
        Assert.Equal((Readiness.Http, true, "/app/.ashlar/releases/v3"), (web.Readiness, web.HasEndpoint, web.Launch.WorkingDirectory));
        Assert.Equal((1L << 20, 0.5, 99), (web.Launch.Memory, web.Launch.Cpu, web.Launch.OpenFiles));
        Assert.Equal((TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(4)), (web.StopGrace, web.StartTimeout));
    }

    public static TheoryData<string, Func<PlanContext, PlanContext>> Replacing => new()
    {
        { "content", c => c with { Contents = c.Contents.SetItem("web", "3333") } },
        { "run", c => With(Web with { Run = "python3 other.py" }) },
        { "build", c => With(Web with { Build = "make" }) },
        { "folder", c => With(Web with { Folder = "sub" }) },
        { "env", c => With(Web with { Env = Web.Env.SetItem("D", "x") }) },
        { "config var", c => c with { ConfigVars = Vars(("C", "x")) } },
        { "dotenv", c => c with { Stack = c.Stack with { DotEnv = Vars(("B", "x")) } } },
        { "memory", c => With(Web with { Limits = new LimitsDefinition { Memory = 5 } }) },
        { "cpu", c => With(Web with { Limits = new LimitsDefinition { Cpu = 5 } }) },
        { "files", c => With(Web with { Limits = new LimitsDefinition { Files = 5 } }) },
        { "user", c => c with { User = "www-data" } },
        { "restart of the service", c => c with { RestartCounts = c.RestartCounts.Add("web", 1) } },
        { "restart of the instance", c => c with { RestartCounts = c.RestartCounts.Add("web.1", 1) } },
        { "address of another service", c => c with { Listeners = [new("service:back-office", "::1", 5, "back-office")] } },
    };

    [Theory]
    [MemberData(nameof(Replacing))]
    public void What_needs_a_new_process_changes_the_fingerprint(string what, Func<PlanContext, PlanContext> change) =>
        Assert.True(Plan(Context)["web.1"].Fingerprint != Plan(change(Context))["web.1"].Fingerprint, what);

    public static TheoryData<string, Func<PlanContext, PlanContext>> Keeping => new()
    {
        { "release", c => c with { Release = "v4", ReleaseFolder = "/app/.ashlar/releases/v4" } },
        { "content of another", c => c with { Contents = c.Contents.SetItem("back-office", "3333") } },
        { "count", c => With(Web with { Instances = 9 }) },
        { "scale", c => c with { Scale = c.Scale.Add("web", 5) } },
        { "route", c => With(Web with { Routes = [] }) },
        { "health", c => With(Web with { Health = new HealthDefinition { Path = "/up" } }) },
        { "balance", c => With(Web with { Balance = BalancePolicy.RoundRobin }) },
        { "requests at once", c => With(Web with { Limits = new LimitsDefinition { Requests = 5 } }) },
        { "waiting", c => With(Web with { Waiting = new WaitingDefinition { Room = 1 } }) },
        { "grace", c => With(Web with { StopGrace = TimeSpan.FromSeconds(1) }) },
        { "restart of another instance", c => c with { RestartCounts = c.RestartCounts.Add("web.2", 1) } },
        { "program", c => c with { ProgramVersion = "2" } },
    };

    [Theory]
    [MemberData(nameof(Keeping))]
    public void What_needs_none_keeps_it(string what, Func<PlanContext, PlanContext> change) =>
        Assert.True(Plan(Context)["web.1"].Fingerprint == Plan(change(Context))["web.1"].Fingerprint, what);

    [Fact]
    public void An_agent_that_was_started_from_another_shell_replaces_nothing()
    {
        var elsewhere = ServicesPlan.Plan(Context, Vars(("PATH", "/bin"), ("LANG", "C"))).First();
        Assert.Equal(Plan(Context)["web.1"].Fingerprint, elsewhere.Fingerprint);
    }

    [Fact]
    public void Only_a_few_variables_of_the_agent_are_passed_on()
    {
        Environment.SetEnvironmentVariable("ASHLAR_TEST_SECRET", "x");
        Assert.DoesNotContain("ASHLAR_TEST_SECRET", ServiceEnvironment.FromAgent().Keys);
        Assert.Contains("PATH", ServiceEnvironment.FromAgent().Keys);
    }

    private static PlanContext With(ServiceDefinition web) => Context with { Stack = Context.Stack with { Services = [web, Worker] } };

    private static Dictionary<string, DesiredInstance> Plan(PlanContext context) =>
        ServicesPlan.Plan(context, Agent).ToDictionary(instance => instance.Name);

    private static IEnumerable<string> Names(PlanContext context) => ServicesPlan.Plan(context, Agent).Select(instance => instance.Name);

    private static ImmutableSortedDictionary<string, string> Vars(params (string Name, string Value)[] pairs) =>
        pairs.ToImmutableSortedDictionary(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal);
}
