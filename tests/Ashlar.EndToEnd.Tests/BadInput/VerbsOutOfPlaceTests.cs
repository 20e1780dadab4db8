using Ashlar.Testing;

namespace Ashlar.EndToEnd.BadInput;

public sealed class VerbsOutOfPlaceTests
{
    private const int NotRunning = 4;
    private const int AgentUnreachable = 7;
    private const int AgentHasStack = 75;

    [Fact]
    public async Task Verbs_that_need_a_running_stack_say_how_to_start_it()
    {
        await using var rig = StackRig.Web();
        foreach (var verb in (string[][])[["ps"], ["status"], ["down"], ["scale", "web=2"], ["restart"], ["stop", "web"], ["wait"], ["rollback"]])
        {
            var error = Refusal.Of(await rig.AshlarAsync(verb), NotRunning);
            error.Is("ASH6013", "cli", rig.Folder).Advises("ashlar up");
        }
        rig.IsGone();
    }

    [Fact]
    public async Task A_secret_that_the_app_requires_is_set_before_the_first_up_and_between_two()
    {
        await using var rig = StackRig.Web();
        rig.Write("app.json", """{"env": {"SECRET": {"description": "needed", "required": true}}}""");
        Assert.Equal("", await rig.DoAsync("config"));
        await rig.DoAsync("config", "set", "SECRET=s3cret");
        Assert.Equal("s3cret\n", await rig.DoAsync("config", "get", "SECRET"));
        Assert.Equal("no release yet\n", await rig.DoAsync("releases"));
        await rig.UpAsync();
        await rig.DoAsync("down");
        await rig.DoAsync("config", "set", "SECRET=other");
        Assert.Contains("v1", await rig.DoAsync("releases"));
        rig.IsGone();
        await rig.UpAsync();
        Assert.Contains("v2", await rig.DoAsync("status"));
        Assert.Equal("other\n", await rig.DoAsync("config", "get", "SECRET"));
    }

    [Fact]
    public async Task An_agent_that_hangs_is_named_with_its_pid_and_one_whose_socket_is_deleted_answers()
    {
        await using var rig = StackRig.Web();
        await rig.UpAsync();
        var agent = await rig.PidAsync("agent");
        File.Delete(Path.Combine(rig.Folder, ".ashlar/agent.sock"));
        Assert.Contains("healthy", await rig.DoAsync("status"));

        await ProgramRun.RunAsync("kill", ["-STOP", $"{agent}"]);
        try
        {
            foreach (var verb in (string[][])[["ps"], ["up", "--detach"]])
            {
                Refusal.Of(await rig.AshlarAsync(verb), AgentUnreachable).Is("ASH4022", "agent", $"pid {agent}", "stopped").Advises($"kill -CONT {agent}");
            }

            await rig.ServesAsync();
        }
        finally
        {
            await ProgramRun.RunAsync("kill", ["-CONT", $"{agent}"]);
        }

        Assert.Contains("healthy", await rig.DoAsync("status"));
    }

    [Theory]
    [InlineData("destroy", "--yes")]
    [InlineData("down")]
    public async Task What_a_killed_agent_has_left_is_told_of_and_ended(params string[] end)
    {
        await using var rig = StackRig.Web();
        await rig.UpAsync();
        var pids = new[] { await rig.PidAsync("web.1"), await rig.PidAsync("edge.1") };
        using (var agent = System.Diagnostics.Process.GetProcessById(await rig.PidAsync("agent")))
        {
            agent.Kill();
            await agent.WaitForExitAsync();
        }

        foreach (var verb in (string[][])[["ps"], ["scale", "web=2"]])
        {
            Refusal.Of(await rig.AshlarAsync(verb), AgentUnreachable).Is("ASH6029", "cli", rig.Folder, "of its processes go on serving").Advises("ashlar up");
        }

        await rig.ServesAsync();
        Assert.All(pids, pid => Assert.Contains(rig.Leftovers(), line => line.StartsWith($"{pid} ", StringComparison.Ordinal)));
        await rig.DoAsync(end);
        rig.IsGone();
        Assert.Equal(end[0] == "down", Directory.Exists(Path.Combine(rig.Folder, ".ashlar")));
    }

    [Fact]
    public async Task A_second_agent_is_refused_and_a_second_up_or_down_changes_nothing()
    {
        await using var rig = StackRig.Web();
        await rig.UpAsync();
        var web = await rig.PidAsync("web.1");
        var edge = await rig.PidAsync("edge.1");
        var agent = await rig.PidAsync("agent");

        var second = await ProgramRun.RunAsync(Checkout.Ashlar, ["agent", "--stack", rig.Folder]);
        Assert.True(second.ExitCode == AgentHasStack, second.ToString());
        Assert.Contains("ASH4002", second.Output + second.Error);
        Assert.Contains($"pid {agent}", second.Output + second.Error);

        await rig.UpAsync();
        Assert.Equal((web, edge, agent), (await rig.PidAsync("web.1"), await rig.PidAsync("edge.1"), await rig.PidAsync("agent")));
        await rig.ServesAsync();

        await rig.DoAsync("down");
        rig.IsGone();
        Refusal.Of(await rig.AshlarAsync("down"), NotRunning).Is("ASH6013", "cli", rig.Folder);
    }

    [Fact]
    public async Task A_stack_lives_in_a_folder_with_blanks_quotes_and_letters_of_many_alphabets()
    {
        await using var rig = new StackRig(
            Stacks.WithWorker("echo \"works in $PWD\"; exec sleep 1000"), "mein schöner 'Stapel' für 東京");
        await rig.UpAsync();
        await rig.ServesAsync();
        Assert.Contains("'Stapel' für 東京", await rig.DoAsync("logs", "worker"));
        await rig.DoAsync("scale", "worker=2");
        await rig.DoAsync("down");
        rig.IsGone();
    }
}
