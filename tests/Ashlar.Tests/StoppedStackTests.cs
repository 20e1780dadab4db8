using System.Text.Json;

namespace Ashlar;

public sealed class StoppedStackTests : IDisposable
{
    private readonly CliRig _rig = new();

    public StoppedStackTests() => _rig.Agent.Running = false;

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task Config_vars_are_set_got_and_unset_before_the_first_up()
    {
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("config", "set", "A=1", "B=2"));
        Assert.Equal("A set, B set; the next ashlar up runs with it\n", Take());
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("config", "set", "A=1"));
        Assert.Equal("it was so already; nothing has changed\n", Take());
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("config", "unset", "B"));
        Assert.Equal("B unset; the next ashlar up runs with it\n", Take());
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("config", "get", "A"));
        Assert.Equal("1\n", Take());
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("config", "--json"));
        using var vars = JsonDocument.Parse(Take());
        Assert.Equal("""{"A":"1"}""", string.Concat(vars.RootElement.GetProperty("vars").GetRawText().Where(c => !char.IsWhiteSpace(c))));
        Assert.Empty(_rig.Agent.Asked);
        Assert.Equal("*\n", File.ReadAllText(Path.Combine(_rig.Folder.Path, ".ashlar/.gitignore")));
    }

    [Fact]
    public async Task A_question_about_a_stack_that_keeps_nothing_makes_no_folder()
    {
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("config"));
        Assert.Equal("", Take());
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("releases"));
        Assert.Equal("no release yet\n", Take());
        Assert.False(Directory.Exists(Path.Combine(_rig.Folder.Path, ".ashlar")));
    }

    [Fact]
    public async Task A_variable_that_the_stack_gives_itself_is_said_to_hide_it_when_it_is_set()
    {
        _rig.Folder.Write("ashlar.yaml", "services:\n  web: {run: sleep 1000}\ndatabase: {}\ncache: {redis: {}}\n");
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("config", "set", "DATABASE_URL=postgres://elsewhere", "REDIS_QUEUE_URL=x", "REDIS_URL=y"));
        Assert.Equal("""
            warning ASH4026 (agent): DATABASE_URL is set in the config vars, so the services do not use the stack's own database.
            next: ashlar config unset DATABASE_URL gives them that one; or remove database from the stack file.
            warning ASH4026 (agent): REDIS_URL is set in the config vars, so the services do not use the stack's own cache.
            next: ashlar config unset REDIS_URL gives them that one; or remove cache from the stack file.

            """, _rig.Error.ToString());
        _rig.Error.GetStringBuilder().Clear();
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("config", "unset", "DATABASE_URL"));
        Assert.Equal("", _rig.Error.ToString());
    }

    [Fact]
    public async Task Where_there_is_no_stack_file_nothing_is_set_and_nothing_made()
    {
        using var empty = new CliRig(withStack: false);
        empty.Agent.Running = false;
        foreach (var words in (string[][])[["config", "set", "A=1"], ["-a", empty.Folder.Path, "config", "set", "A=1"], ["-a", empty.Folder.Path, "ps"]])
        {
            Assert.Equal(ExitCodes.StackInvalid, await empty.RunAsync(words));
            Assert.Contains("error ASH6014 (cli): there is no ashlar.yaml", empty.Error.ToString());
            empty.Error.GetStringBuilder().Clear();
        }

        Assert.Empty(Directory.GetFileSystemEntries(empty.Folder.Path));
    }

    [Fact]
    public async Task What_a_stack_has_left_whose_file_is_gone_can_be_looked_at_but_not_changed()
    {
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("config", "set", "A=1"));
        Take();
        File.Delete(Path.Combine(_rig.Folder.Path, "Procfile"));
        Assert.Equal(ExitCodes.StackInvalid, await _rig.RunAsync("config", "set", "A=2"));
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("config", "get", "A"));
        Assert.Equal("1\n", Take());
    }

    [Fact]
    public async Task Many_at_once_lose_nothing()
    {
        var codes = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => _rig.RunAsync("config", "set", $"V{i}={i}"))));
        Assert.All(codes, code => Assert.Equal(ExitCodes.Ok, code));
        Take();
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("config"));
        Assert.Equal(20, Take().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Theory]
    [InlineData("PORT")]
    [InlineData("ASHLAR_INSTANCE")]
    public async Task What_Ashlar_gives_each_instance_cannot_be_set(string name)
    {
        Assert.Equal(ExitCodes.Usage, await _rig.RunAsync("config", "set", $"{name}=3000", "A=1"));
        Assert.Contains($"error ASH5010 (releases): {name} cannot be a config var", _rig.Error.ToString());
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("config", "unset", name));
        Take();
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("config"));
        Assert.Equal("", Take());
    }

    private string Take()
    {
        var text = _rig.Out.ToString();
        _rig.Out.GetStringBuilder().Clear();
        return text;
    }
}
