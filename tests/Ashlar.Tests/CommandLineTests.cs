using System.Text.Json;
using Ashlar.Agent.Api;

namespace Ashlar;

public sealed class CommandLineTests : IDisposable
{
    private readonly CliRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData("statu", "status")]
    [InlineData("pss", "ps")]
    [InlineData("rolback", "rollback")]
    [InlineData("maint", "maintenance")]
    [InlineData("scael", "scale")]
    public async Task An_unknown_verb_is_answered_with_the_nearest(string typed, string meant)
    {
        Assert.Equal(ExitCodes.Usage, await _rig.RunAsync(typed));
        Assert.Equal($"error ASH6011 (cli): there is no verb '{typed}'.\nnext: did you mean: ashlar {meant}\n", _rig.Error.ToString());
    }

    [Theory]
    [InlineData("stat", "ashlar status")]
    [InlineData("tail", "ashlar logs -f")]
    [InlineData("certs:auto", "ashlar certificates")]
    [InlineData("deploy", "ashlar up")]
    public async Task What_is_called_otherwise_elsewhere_is_answered_with_what_it_is_here(string typed, string here)
    {
        Assert.Equal(ExitCodes.Usage, await _rig.RunAsync(typed));
        Assert.Equal($"error ASH6011 (cli): there is no verb '{typed.Split(':')[0]}'.\nnext: here it is: {here}\n", _rig.Error.ToString());
    }

    [Theory]
    [InlineData("ps:scale web=2 --json", "scale", "web=2 --json")]
    [InlineData("-a shop ps:restart web", "restart", "-a shop web")]
    [InlineData("releases:rollback r3", "rollback", "r3")]
    [InlineData("config:set A=1", "config", "set A=1")]
    [InlineData("run ps:scale", "run", "ps:scale")]
    public void Verbs_of_Heroku_s_that_take_the_same_words_are_ours(string typed, string verb, string others)
    {
        var (found, rest) = CommandLine.Split(typed.Split(' '));
        Assert.Equal((verb, others), (found, string.Join(' ', rest)));
    }

    [Fact]
    public async Task A_verb_like_nothing_is_answered_with_the_help()
    {
        Assert.Equal(ExitCodes.Usage, await _rig.RunAsync("xyzzyx"));
        Assert.Contains("ashlar --help", _rig.Error.ToString());
    }

    [Theory]
    [InlineData("ps", "--jsn", "there is no option '--jsn'; did you mean --json?")]
    [InlineData("restart", "--wat", "there is no option '--wat'.")]
    [InlineData("ps", "web", "'web' is one word too many.")]
    [InlineData("scale", "web", "'web' is not SERVICE=N with N from 0 to 1000.")]
    [InlineData("scale", "web=-1", "'web=-1' is not SERVICE=N with N from 0 to 1000.")]
    [InlineData("scale", "web=1001", "'web=1001' is not SERVICE=N with N from 0 to 1000.")]
    [InlineData("maintenance", "maybe", "'maybe' is neither on nor off.")]
    [InlineData("config", "set", "KEY=VALUE is missing.")]
    [InlineData("config", "st", "there is no 'config st'; did you mean config set?")]
    [InlineData("service", "xyzzyx", "there is no 'service xyzzyx'; there are install, uninstall, status.")]
    [InlineData("logs", "--since=soon", "'soon' is no time such as 10m, 2h or 1d.")]
    public async Task A_mistake_after_the_verb_is_named(string verb, string word, string cause)
    {
        Assert.Equal(ExitCodes.Usage, await _rig.RunAsync(verb, word));
        Assert.Equal($"error ASH6012 (cli): {cause}\nnext: ashlar help {verb}\n", _rig.Error.ToString());
        Assert.Empty(_rig.Agent.Asked);
    }

    [Theory]
    [InlineData("config:set", "A=1")]
    [InlineData("config", "set", "A=1")]
    [InlineData("config", "set", "--stack", ".", "A=1")]
    [InlineData("-a", ".", "config:set", "A=1")]
    public async Task A_colon_is_as_good_as_a_blank_and_options_stand_anywhere(params string[] words)
    {
        _rig.Agent.Answers(AgentVerbs.Config, FakeAgent.Done(new ConfigResult(EmptyVars.Add("A", "1"), "v2"), AgentJson.Default.ConfigResult));
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync(words));
        Assert.Equal([("config", """{"changes":{"A":"1"}}""")], _rig.Agent.Asked);
        Assert.Equal("A set; v2 runs\n", _rig.Out.ToString());
    }

    [Fact]
    public async Task Without_an_agent_a_verb_says_so_with_the_next_command()
    {
        _rig.Agent.Running = false;
        foreach (var words in new[] { "ps", "status", "down", "scale web=2", "restart", "rollback", "maintenance on", "wait", "run ls" })
        {
            Assert.Equal(ExitCodes.NotRunning, await _rig.RunAsync(words.Split(' ')));
        }

        Assert.Contains($"the stack in {_rig.Folder.Path} does not run.\nnext: ashlar up starts it.", _rig.Error.ToString());
    }

    [Fact]
    public async Task Errors_are_JSON_where_the_verb_was_asked_for_JSON()
    {
        _rig.Agent.Running = false;
        Assert.Equal(ExitCodes.NotRunning, await _rig.RunAsync("ps", "--json"));
        using var error = JsonDocument.Parse(_rig.Error.ToString());
        Assert.Equal("ASH6013", error.RootElement.GetProperty("code").GetString());
        Assert.Equal(4, error.RootElement.GetProperty("exitCode").GetInt32());
        Assert.Empty(_rig.Out.ToString());
    }

    [Fact]
    public async Task Where_there_is_no_stack_the_verb_says_how_to_get_one()
    {
        using var empty = new CliRig(withStack: false);
        Assert.Equal(ExitCodes.StackInvalid, await empty.RunAsync("ps"));
        Assert.Contains("ashlar init", empty.Error.ToString());
    }

    [Fact]
    public async Task A_verb_finds_the_stack_of_the_folder_above()
    {
        _rig.Agent.Reports(CliRig.Storefront);
        Directory.CreateDirectory(Path.Combine(_rig.Folder.Path, "src/deep"));
        Assert.Equal(_rig.Folder.Path, StackLocation.Upwards(Path.Combine(_rig.Folder.Path, "src/deep")));
        Assert.Equal(_rig.Folder.Path, StackLocation.OfPath(_rig.Folder.Path, "Procfile"));
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("ps"));
    }

    [Fact]
    public async Task Every_verb_has_help_by_three_ways_and_each_names_its_options()
    {
        foreach (var verb in Verbs.All)
        {
            var pages = new List<string>();
            foreach (var words in new[] { new[] { "help", verb.Name }, [verb.Name, "--help"], [verb.Name, "-h"] })
            {
                using var rig = new CliRig();
                Assert.Equal(ExitCodes.Ok, await rig.RunAsync(words));
                pages.Add(rig.Out.ToString());
            }

            Assert.Single(pages.Distinct());
            Assert.StartsWith(verb.Summary, pages[0]);
            Assert.Contains("usage: ashlar " + verb.Name, pages[0]);
            Assert.Contains("--stack PATH", pages[0]);
            Assert.NotEmpty(verb.Examples);
        }
    }

    [Fact]
    public async Task The_help_lists_every_verb_and_stands_for_no_words_too()
    {
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync());
        using var asked = new CliRig();
        await asked.RunAsync("--help");
        Assert.Equal(asked.Out.ToString(), _rig.Out.ToString());
        Assert.All(Verbs.All, verb => Assert.Contains($"\n  {verb.Name} ", _rig.Out.ToString()));
        Assert.All(_rig.Out.ToString().Split('\n'), line => Assert.True(line.Length <= 120, line));
    }

    [Fact]
    public async Task The_version_is_one_line()
    {
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("--version"));
        Assert.Matches(@"^ashlar \d+\.\d+\.\d+\n$", _rig.Out.ToString());
    }

    [Theory]
    [InlineData("--version --json")]
    [InlineData("version --json")]
    [InlineData("--json --version")]
    public async Task The_version_is_JSON_where_JSON_is_asked_for(string words)
    {
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync(words.Split(' ')));
        using var version = JsonDocument.Parse(_rig.Out.ToString());
        Assert.Matches(@"^\d+\.\d+\.\d+$", version.RootElement.GetProperty("version").GetString());
    }

    [Theory]
    [InlineData("help --json", 0)]
    [InlineData("--help --json", 0)]
    [InlineData("help scale --json", 1)]
    [InlineData("scale --help --json", 1)]
    public async Task Help_is_JSON_where_JSON_is_asked_for(string words, int count)
    {
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync(words.Split(' ')));
        using var help = JsonDocument.Parse(_rig.Out.ToString());
        var verbs = help.RootElement.GetProperty("verbs").EnumerateArray().ToList();
        Assert.Equal(count == 0 ? Verbs.All.Count : count, verbs.Count);
        var scale = verbs.Single(verb => verb.GetProperty("name").GetString() == "scale");
        Assert.Equal("ashlar scale SERVICE=N…", scale.GetProperty("usage")[0].GetString());
        Assert.True(scale.GetProperty("options").TryGetProperty("--json", out _));
    }

    [Fact]
    public async Task Completion_has_no_JSON_and_says_so()
    {
        Assert.Equal(ExitCodes.Usage, await _rig.RunAsync("completion", "bash", "--json"));
        Assert.Contains("ASH6012", _rig.Error.ToString());
        Assert.Empty(_rig.Out.ToString());
    }

    [Fact]
    public async Task An_error_of_the_agent_is_shown_as_it_says_it()
    {
        _rig.Agent.Answers(AgentVerbs.Restart, FakeAgent.Progress("web.1 restarts"), FakeAgent.Fails("ASH4010", "web.1 does not stay up: exit 1.", "ashlar logs web.1"));
        Assert.Equal(ExitCodes.Unhealthy, await _rig.RunAsync("restart", "web"));
        Assert.Equal("· web.1 restarts\nerror ASH4010 (agent): web.1 does not stay up: exit 1.\nnext: ashlar logs web.1\n", _rig.Error.ToString());
    }

    [Fact]
    public async Task An_agent_that_goes_away_is_an_error_of_its_own()
    {
        _rig.Agent.Answers(AgentVerbs.Scale, FakeAgent.Progress("web.2 starts"));
        Assert.Equal(ExitCodes.AgentUnreachable, await _rig.RunAsync("scale", "web=2"));
        Assert.Contains("ASH4020", _rig.Error.ToString());
    }

    [Fact]
    public async Task A_defect_of_ours_is_an_error_with_a_code_too()
    {
        _rig.Agent.Answers(AgentVerbs.Status, _ => throw new InvalidOperationException("oops"));
        Assert.Equal(ExitCodes.Failed, await _rig.RunAsync("ps"));
        Assert.Contains("error ASH6099 (cli): InvalidOperationException: oops", _rig.Error.ToString());
    }

    private static System.Collections.Immutable.ImmutableSortedDictionary<string, string> EmptyVars =>
        System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty;
}
