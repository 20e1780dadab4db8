using Ashlar.Testing;

namespace Ashlar.EndToEnd.BadInput;

public sealed class VerbsOutOfPlaceTests
{
    private const int NotRunning = 4;
    private const int AgentHasStack = 75;

    [Fact]
    public async Task Verbs_that_need_a_running_stack_say_how_to_start_it()
    {
        await using var rig = StackRig.Web();
        foreach (var verb in (string[][])[["ps"], ["status"], ["down"], ["scale", "web=2"], ["restart"], ["stop", "web"], ["wait"], ["releases"], ["rollback"]])
        {
            var error = Refusal.Of(await rig.AshlarAsync(verb), NotRunning);
            error.Is("ASH6013", "cli", rig.Folder).Advises("ashlar up");
        }
        rig.IsGone();
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
