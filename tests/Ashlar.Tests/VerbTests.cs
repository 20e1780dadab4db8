using System.Collections.Immutable;
using System.Text.Json;
using Ashlar.Agent.Api;

namespace Ashlar;

public sealed class VerbTests : IDisposable
{
    private readonly CliRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task Ps_as_JSON_has_all_that_the_tree_has()
    {
        _rig.Agent.Reports(CliRig.Storefront);
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("ps", "--json"));
        using var report = JsonDocument.Parse(_rig.Out.ToString());
        var web = report.RootElement.GetProperty("tiers")[1].GetProperty("services")[0].GetProperty("instances")[0];
        Assert.Equal("web.1", web.GetProperty("name").GetString());
        Assert.Equal("Healthy", web.GetProperty("state").GetString());
        Assert.Equal([4731, 4735, 4736], web.GetProperty("pids").EnumerateArray().Select(pid => pid.GetInt32()));
    }

    [Fact]
    public async Task Status_ends_with_the_code_of_an_unhealthy_stack()
    {
        _rig.Agent.Reports(CliRig.Storefront);
        Assert.Equal(ExitCodes.Unhealthy, await _rig.RunAsync("status"));
        _rig.Agent.Reports(CliRig.Storefront with { Healthy = true });
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("status"));
    }

    [Fact]
    public async Task Pg_on_a_stopped_database_says_how_to_start_it()
    {
        _rig.Agent.Reports(CliRig.Storefront with { Tiers = [new("database", [new("database", 0, false, [], [])])] });
        Assert.Equal(ExitCodes.NotRunning, await _rig.RunAsync("pg", "info"));
        Assert.Contains("ASH7027", _rig.Error.ToString());
        Assert.Contains("ashlar start database.", _rig.Error.ToString());
    }

    [Theory]
    [InlineData("scale web=3 worker=0", "scale", """{"counts":{"web":3,"worker":0}}""")]
    [InlineData("restart", "restart", """{"targets":[]}""")]
    [InlineData("restart web.1 worker", "restart", """{"targets":["web.1","worker"]}""")]
    [InlineData("stop web", "stop", """{"targets":["web"]}""")]
    [InlineData("start web", "start", """{"targets":["web"]}""")]
    [InlineData("down", "down", """{"now":false}""")]
    [InlineData("down --now", "down", """{"now":true}""")]
    [InlineData("maintenance on", "maintenance", """{"on":true,"services":[]}""")]
    [InlineData("maintenance off web", "maintenance", """{"on":false,"services":["web"]}""")]
    [InlineData("maintenance:on web", "maintenance", """{"on":true,"services":["web"]}""")]
    [InlineData("config unset A B", "config", """{"changes":{"A":null,"B":null}}""")]
    public async Task A_verb_sends_what_was_typed(string words, string verb, string arguments)
    {
        _rig.Agent.Answers(AgentVerbs.Config, FakeAgent.Done(new ConfigResult(ImmutableSortedDictionary<string, string>.Empty, null), AgentJson.Default.ConfigResult));
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync(words.Split(' ')));
        Assert.Equal([(verb, arguments)], _rig.Agent.Asked);
    }

    [Theory]
    [InlineData("rollback", null)]
    [InlineData("rollback v3", "v3")]
    [InlineData("rollback 3", "v3")]
    public async Task Rollback_takes_a_release_or_the_one_before(string words, string? release)
    {
        _rig.Agent.Answers(AgentVerbs.Rollback, FakeAgent.Progress("web.1 starts v3"),
            FakeAgent.Done(new UpResult("v13", true, ["http://127.0.0.1:8080"]), AgentJson.Default.UpResult));
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync(words.Split(' ')));
        Assert.Equal("v13 is up: http://127.0.0.1:8080\n", _rig.Out.ToString());
        Assert.Equal("· web.1 starts v3\n", _rig.Error.ToString());
        Assert.Contains(release ?? "{}", _rig.Agent.Asked[0].Arguments);
    }

    [Fact]
    public async Task Releases_are_listed_with_their_age()
    {
        _rig.Agent.Answers(AgentVerbs.Releases, FakeAgent.Done(new ReleasesResult(
        [
            new("v2", CliRig.Now.AddMinutes(-5), "config: set A", "current"), new("v1", CliRig.Now.AddDays(-3), "up", "ready"),
        ]), AgentJson.Default.ReleasesResult));
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("releases"));
        Assert.Equal("""
            RELEASE  STATUS     AGE  DESCRIPTION
            v2       current  5m 0s  config: set A
            v1       ready    3d 0h  up

            """, _rig.Out.ToString());
    }

    [Fact]
    public async Task A_secret_is_read_from_standard_input_and_shown_nowhere()
    {
        _rig.Input = "s3cr=et\n";
        _rig.Agent.Answers(AgentVerbs.Config, FakeAgent.Done(
            new ConfigResult(ImmutableSortedDictionary<string, string>.Empty.Add("KEY", "s3cr=et"), "v2"), AgentJson.Default.ConfigResult));
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("config", "set", "KEY=-"));
        Assert.Equal("""{"changes":{"KEY":"s3cr=et"}}""", _rig.Agent.Asked[0].Arguments);
        Assert.DoesNotContain("s3cr", _rig.Out.ToString() + _rig.Error);
    }

    [Theory]
    [InlineData("1A=x")]
    [InlineData("A B=x")]
    [InlineData("=x")]
    public async Task A_bad_name_of_a_variable_is_refused_without_showing_the_value(string pair)
    {
        Assert.Equal(ExitCodes.Usage, await _rig.RunAsync("config", "set", pair.Replace("x", "hunter2")));
        Assert.DoesNotContain("hunter2", _rig.Error.ToString());
        Assert.Empty(_rig.Agent.Asked);
    }

    [Fact]
    public async Task Config_get_prints_the_value_alone_and_fails_where_there_is_none()
    {
        _rig.Agent.Answers(AgentVerbs.Config, FakeAgent.Done(
            new ConfigResult(ImmutableSortedDictionary<string, string>.Empty.Add("A", "1").Add("B", "2"), null), AgentJson.Default.ConfigResult));
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("config", "get", "B"));
        Assert.Equal("2\n", _rig.Out.ToString());
        Assert.Equal(ExitCodes.Failed, await _rig.RunAsync("config", "get", "C"));
        Assert.Contains("C is not set.", _rig.Error.ToString());
    }

    [Fact]
    public async Task Wait_ends_when_the_stack_is_healthy()
    {
        _rig.Agent.Reports(CliRig.Storefront with { Healthy = true });
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("wait"));
        Assert.Equal("storefront  v12  healthy  http://127.0.0.1:8080\n", _rig.Out.ToString());
    }

    [Fact]
    public async Task Wait_names_what_it_waited_for_in_vain()
    {
        _rig.Agent.Reports(CliRig.Storefront);
        Assert.Equal(ExitCodes.Unhealthy, await _rig.RunAsync("wait", "--timeout", "50ms"));
        Assert.Contains("not healthy after 50ms: web.2 is backoff.", _rig.Error.ToString());
    }

    [Fact]
    public async Task Destroy_deletes_only_what_was_confirmed_and_stops_first()
    {
        var state = Directory.CreateDirectory(Path.Combine(_rig.Folder.Path, ".ashlar/logs"));
        Assert.Equal(ExitCodes.Refused, await _rig.RunAsync("destroy"));
        Assert.Empty(_rig.Agent.Asked);

        (_rig.Interactive, _rig.Input) = (true, "no\n");
        Assert.Equal(ExitCodes.Refused, await _rig.RunAsync("destroy"));
        Assert.True(state.Exists);

        _rig.Input = "yes\n";
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("destroy"));
        Assert.Equal(["down"], _rig.Agent.Asked.Select(asked => asked.Verb));
        Assert.False(Directory.Exists(Path.Combine(_rig.Folder.Path, ".ashlar")));
        Assert.True(File.Exists(Path.Combine(_rig.Folder.Path, "Procfile")));
    }

    [Fact]
    public async Task Destroy_does_not_follow_a_link()
    {
        using var elsewhere = new Testing.TempFolder();
        elsewhere.Write("precious", "data");
        Directory.CreateSymbolicLink(Path.Combine(_rig.Folder.Path, ".ashlar"), elsewhere.Path);
        Assert.Equal(ExitCodes.Refused, await _rig.RunAsync("destroy", "--yes"));
        Assert.True(File.Exists(Path.Combine(elsewhere.Path, "precious")));
    }

    [Fact]
    public async Task Package_explains_where_it_can_be_done()
    {
        Assert.Equal(ExitCodes.Refused, await _rig.RunAsync("package"));
        Assert.Contains("./ashlar package", _rig.Error.ToString());
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task Completion_knows_every_verb(string shell)
    {
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("completion", shell));
        Assert.All(Verbs.All, verb => Assert.Contains(verb.Name, _rig.Out.ToString()));
    }
}
