using System.Diagnostics;
using Ashlar.Agent.Api;
using Ashlar.Catalog.Channel;

namespace Ashlar.Agent.Tests;

/// <summary>An edge that lives and does nothing, as a signal or a defect may leave it: another takes its place, and who connects meanwhile waits.</summary>
public sealed class HangingEdgeTests
{
    [Fact]
    public async Task ARestartServesWhoConnectedWhileTheEdgeHung()
    {
        await using var rig = new AgentRig();
        await using var client = await UpAsync(rig);
        await StopAsync(await EdgePidAsync(client));
        await using var asking = new Asking(rig.Url);
        var restart = AgentRig.OrderAsync(client, AgentVerbs.Restart, "edge");
        await asking.MoreAsync(50);
        var failures = await asking.StopAsync();
        Assert.True(failures.Count == 0, $"{string.Join("\n", failures)}\n{rig.Log}");
        await restart;
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task TheAgentNoticesByItselfAndReplacesItAndNobodyIsRefused()
    {
        await using var rig = new AgentRig();
        await using var client = await UpAsync(rig);
        var hanging = await EdgePidAsync(client);
        await StopAsync(hanging);
        await using var asking = new Asking(rig.Url);
        await rig.WhenAsync(s => s.Healthy && AgentRig.Of(s, "edge").Single() is { Pids: [var pid, ..], Restarts: 1 } && pid != hanging, "another edge");
        await asking.MoreAsync(50);
        var failures = await asking.StopAsync();
        Assert.True(failures.Count == 0, $"{string.Join("\n", failures)}\n{rig.Log}");
        Assert.Contains("ASH4024", rig.Log, StringComparison.Ordinal);
        Assert.False(AgentRig.IsAlive(hanging));
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task ANewAgentTakesTheSocketsFromAnEdgeThatHangsAndReplacesIt()
    {
        await using var rig = new AgentRig();
        int hanging;
        await using (var client = await UpAsync(rig))
        {
            hanging = await EdgePidAsync(client);
            await StopAsync(hanging);
            await AgentRig.KillAsync(client.AgentPid);
        }

        var allowed = MayTakeFrom(hanging);
        await using var asking = new Asking(rig.Url);
        await using var next = await rig.AgentAsync();
        if (!allowed)
        {
            Assert.Contains("ASH4019", rig.Log, StringComparison.Ordinal);
            Assert.True(AgentRig.IsAlive(hanging));
            return;
        }

        await rig.WhenAsync(s => s.Healthy && AgentRig.Of(s, "edge").Single().Pids is [var pid, ..] && pid != hanging, "another edge");
        await asking.MoreAsync(50);
        var failures = await asking.StopAsync();
        Assert.True(failures.Count == 0, $"{string.Join("\n", failures)}\n{rig.Log}");
        Assert.Contains("listening sockets were taken from it", rig.Log, StringComparison.Ordinal);
    }

    private static async Task<AgentClient> UpAsync(AgentRig rig)
    {
        rig.App();
        rig.Services(rig.Web());
        var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        return client;
    }

    private static async Task<int> EdgePidAsync(AgentClient client) => (await AgentRig.InstancesAsync(client, "edge"))[0].Pids[0];

    private static async Task StopAsync(int pid)
    {
        using var kill = Process.Start("kill", ["-STOP", $"{pid}"]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);

        // What a thread accepts before the signal has reached it would be lost with the process.
        while (!Directory.EnumerateDirectories($"/proc/{pid}/task").All(IsStopped))
        {
            await Task.Delay(1);
        }
    }

    private static bool IsStopped(string task) => File.ReadAllText(Path.Combine(task, "stat")).Split(')')[^1].TrimStart().StartsWith('T');

    // The agent to come has our own rights.
    private static bool MayTakeFrom(int pid)
    {
        try
        {
            foreach (var socket in ListenersOfProcess.Take(pid))
            {
                socket.Dispose();
            }

            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
