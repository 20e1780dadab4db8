using Ashlar.Agent.Api;
using Ashlar.Errors;
using Ashlar.Testing;

namespace Ashlar;

public sealed class ExitCodeTests : IDisposable
{
    private readonly CliRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData("nonsense", ExitCodes.Usage)]
    [InlineData("up one two", ExitCodes.Usage)]
    [InlineData("up --nonsense", ExitCodes.Usage)]
    [InlineData("down now", ExitCodes.Usage)]
    [InlineData("scale", ExitCodes.Usage)]
    [InlineData("scale web", ExitCodes.Usage)]
    [InlineData("scale web=-1", ExitCodes.Usage)]
    [InlineData("scale web=1001", ExitCodes.Usage)]
    [InlineData("scale web=two", ExitCodes.Usage)]
    [InlineData("config set", ExitCodes.Usage)]
    [InlineData("config set A", ExitCodes.Usage)]
    [InlineData("config set 1A=x", ExitCodes.Usage)]
    [InlineData("config unset", ExitCodes.Usage)]
    [InlineData("config nonsense", ExitCodes.Usage)]
    [InlineData("config get", ExitCodes.Usage)]
    [InlineData("logs nobody", ExitCodes.NotRunning)]
    [InlineData("logs -n many", ExitCodes.Usage)]
    [InlineData("logs --since yesterday", ExitCodes.Usage)]
    [InlineData("wait --timeout soon", ExitCodes.Usage)]
    [InlineData("maintenance", ExitCodes.Usage)]
    [InlineData("maintenance perhaps", ExitCodes.Usage)]
    [InlineData("completion csh", ExitCodes.Usage)]
    [InlineData("run", ExitCodes.Usage)]
    [InlineData("exec", ExitCodes.Usage)]
    [InlineData("pg nonsense", ExitCodes.Usage)]
    [InlineData("redis nonsense", ExitCodes.Usage)]
    [InlineData("redis info disk", ExitCodes.Usage)]
    [InlineData("top --sort size", ExitCodes.Usage)]
    [InlineData("service nonsense", ExitCodes.Usage)]
    [InlineData("help nonsense", ExitCodes.Usage)]
    [InlineData("up nowhere", ExitCodes.StackInvalid)]
    [InlineData("ps -a nowhere", ExitCodes.StackInvalid)]
    [InlineData("check nowhere", ExitCodes.StackInvalid)]
    [InlineData("init nowhere", ExitCodes.StackInvalid)]
    [InlineData("package", ExitCodes.Refused)]
    [InlineData("config get NOT_SET", ExitCodes.Failed)]
    public async Task What_is_typed_wrongly_or_refused_ends_with_the_code_of_its_kind(string words, int code)
    {
        _rig.Agent.Answers(AgentVerbs.Config, FakeAgent.Done(new ConfigResult(System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty, null), AgentJson.Default.ConfigResult));
        Assert.Equal(code, await _rig.RunAsync(words.Split(' ')));
    }

    [Theory]
    [InlineData("ASH3100", ExitCodes.StackInvalid)]
    [InlineData("ASH3101", ExitCodes.Failed)]
    [InlineData("ASH3107", ExitCodes.Usage)]
    [InlineData("ASH3108", ExitCodes.Usage)]
    [InlineData("ASH3109", ExitCodes.Refused)]
    [InlineData("ASH3110", ExitCodes.Refused)]
    [InlineData("ASH3111", ExitCodes.Refused)]
    public void An_error_of_the_dns_ends_with_the_code_of_its_kind(string error, int code) => Assert.Equal(code, ExitCodes.Of(new AshlarError(error, "dns", "x", "y")));

    [Theory]
    [InlineData("ps", ExitCodes.NotRunning)]
    [InlineData("status", ExitCodes.NotRunning)]
    [InlineData("top --once", ExitCodes.NotRunning)]
    [InlineData("down", ExitCodes.NotRunning)]
    [InlineData("scale web=2", ExitCodes.NotRunning)]
    [InlineData("restart", ExitCodes.NotRunning)]
    [InlineData("stop web", ExitCodes.NotRunning)]
    [InlineData("start web", ExitCodes.NotRunning)]
    [InlineData("run true", ExitCodes.NotRunning)]
    [InlineData("exec web.1 true", ExitCodes.NotRunning)]
    [InlineData("rollback", ExitCodes.NotRunning)]
    [InlineData("maintenance on", ExitCodes.NotRunning)]
    [InlineData("dashboard", ExitCodes.NotRunning)]
    [InlineData("pg info", ExitCodes.NotRunning)]
    [InlineData("redis info", ExitCodes.NotRunning)]
    [InlineData("wait --timeout 1s", ExitCodes.NotRunning)]
    [InlineData("logs", ExitCodes.Ok)]
    [InlineData("releases", ExitCodes.Ok)]
    [InlineData("config", ExitCodes.Ok)]
    public async Task Of_a_stack_that_does_not_run_every_verb_says_so_with_the_same_code(string words, int code)
    {
        _rig.Agent.Running = false;
        Assert.Equal(code, await _rig.RunAsync(words.Split(' ')));
    }

    [Theory]
    [InlineData("scale nobody=2", AgentVerbs.Scale, "ASH4012", ExitCodes.Usage)]
    [InlineData("scale database.replicas=9", AgentVerbs.Scale, "ASH7010", ExitCodes.Usage)]
    [InlineData("restart nobody", AgentVerbs.Restart, "ASH4012", ExitCodes.Usage)]
    [InlineData("restart web", AgentVerbs.Restart, "ASH4025", ExitCodes.Refused)]
    [InlineData("rollback v99", AgentVerbs.Rollback, "ASH5006", ExitCodes.Usage)]
    [InlineData("rollback", AgentVerbs.Rollback, "ASH5007", ExitCodes.Refused)]
    [InlineData("config set PORT=1", AgentVerbs.Config, "ASH5010", ExitCodes.Usage)]
    [InlineData("dashboard", AgentVerbs.Dashboard, "ASH7203", ExitCodes.Refused)]
    [InlineData("dashboard", AgentVerbs.Dashboard, "ASH7204", ExitCodes.NotRunning)]
    [InlineData("up --detach", AgentVerbs.Up, "ASH4015", ExitCodes.Refused)]
    [InlineData("up --detach", AgentVerbs.Up, "ASH5008", ExitCodes.StackInvalid)]
    [InlineData("up --detach", AgentVerbs.Up, "ASH2017", ExitCodes.Unhealthy)]
    [InlineData("up --detach", AgentVerbs.Up, "ASH7101", ExitCodes.NotReady)]
    [InlineData("up --detach", AgentVerbs.Up, "ASH5001", ExitCodes.Failed)]
    public async Task What_the_agent_refuses_ends_with_the_code_of_its_kind(string words, string verb, string error, int code)
    {
        _rig.Agent.Reports(CliRig.Storefront).Answers(verb, FakeAgent.Fails(error, "It cannot be.", "Do something."));
        Assert.Equal(code, await _rig.RunAsync(words.Split(' ')));
        Assert.Contains($"error {error} (agent): It cannot be.", _rig.Error.ToString());
    }

    [Fact]
    public void Every_error_has_one_exit_code_and_there_is_every_error()
    {
        var named = ExitCodes.Errors.SelectMany(pair => pair.Value).ToList();
        var page = File.ReadAllText(Path.Combine(Checkout.Root, "docs/errors.md"));
        Assert.Equal(named.Distinct(), named);
        Assert.All(named, code => Assert.Contains($"### {code}", page));
        Assert.All(ExitCodes.Errors.Values, codes => Assert.Equal(codes.Order(StringComparer.Ordinal), codes));
        Assert.Equal(ExitCodes.Failed, ExitCodes.Of(new AshlarError("ASH5001", "", "", "")));
        Assert.Equal(ExitCodes.StackInvalid, ExitCodes.Of(new AshlarError("ASH1006", "", "", "")));
    }
}
