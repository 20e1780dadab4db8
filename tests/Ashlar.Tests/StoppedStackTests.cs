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
