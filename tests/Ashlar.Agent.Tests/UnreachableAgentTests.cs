using System.Diagnostics;
using Ashlar.Agent.Api;
using Ashlar.Errors;

namespace Ashlar.Agent.Tests;

public sealed class UnreachableAgentTests
{
    [Fact]
    public async Task AnAgentWhoseSocketIsDeletedListensAgain()
    {
        await using var rig = new AgentRig();
        rig.Services("worker:\n  run: sleep 1000\n");
        await using var client = await rig.AgentAsync();
        for (var i = 0; i < 3; i++)
        {
            File.Delete(rig.State.ApiSocket);
            await using var again = (await AgentClient.FindAsync(rig.Folder))!;
            Assert.Equal(client.AgentPid, again.AgentPid);
            Assert.Equal(rig.Folder, (await again.StatusAsync()).Directory);
        }

        Assert.NotNull(await client.StatusAsync());
    }

    [Fact]
    public async Task AnAgentWhoseSocketIsRenamedListensAgain()
    {
        await using var rig = new AgentRig();
        rig.Services("worker:\n  run: sleep 1000\n");
        await using var client = await rig.AgentAsync();
        File.Move(rig.State.ApiSocket, rig.State.ApiSocket + ".old");
        await using var again = (await AgentClient.FindAsync(rig.Folder))!;
        Assert.Equal(client.AgentPid, again.AgentPid);
    }

    [Fact]
    public async Task AStoppedAgentIsNamedWithItsPidAndWhatToDo()
    {
        await using var rig = new AgentRig();
        rig.Services("worker:\n  run: sleep 1000\n");
        await using var client = await rig.AgentAsync();
        Send("STOP", client.AgentPid);
        try
        {
            var silent = await Assert.ThrowsAsync<AshlarException>(() => client.StatusAsync()).WaitAsync(AgentRig.Patience);
            Assert.Equal("ASH4022", silent.Error.Code);
            Assert.Contains($"pid {client.AgentPid}", silent.Error.Message, StringComparison.Ordinal);
            Assert.Contains("it is stopped", silent.Error.Message, StringComparison.Ordinal);
            Assert.Contains($"kill -CONT {client.AgentPid}", silent.Error.NextStep, StringComparison.Ordinal);

            // Its socket is gone too, and it cannot listen again: the lock alone says that it has the stack.
            File.Delete(rig.State.ApiSocket);
            var gone = await Assert.ThrowsAsync<AshlarException>(() => AgentClient.FindAsync(rig.Folder)).WaitAsync(AgentRig.Patience);
            Assert.Equal("ASH4022", gone.Error.Code);
            Assert.Contains($"pid {client.AgentPid}", gone.Error.Message, StringComparison.Ordinal);
        }
        finally
        {
            Send("CONT", client.AgentPid);
        }

        await using var again = (await AgentClient.FindAsync(rig.Folder))!;
        Assert.NotNull(await again.StatusAsync());
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task AnOrderThatTakesLongIsWaitedForWhileTheAgentLives()
    {
        await using var rig = new AgentRig();
        rig.Services("worker:\n  build: sleep 25\n  run: sleep 1000\n");
        await using var client = await rig.AgentAsync();
        Assert.Contains("worker.1 healthy (v1)", await rig.UpAsync(client));
    }

    private static void Send(string signal, int pid)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{pid}"]);
        kill.WaitForExit();
    }
}
