using Ashlar.Agent.Hosting;
using Ashlar.Catalog;

namespace Ashlar.Agent.Tests;

/// <summary>The agent dies, is started twice, becomes another build: what runs goes on, and nothing runs twice.</summary>
public sealed class AdoptionTests
{
    [Fact]
    public async Task KillingTheAgentFailsNoRequestAndTheNextOneAdoptsEveryProcess()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web(2) + "worker:\n  run: while true; do sleep 1; done\n");
        int[] before;
        await using (var client = await rig.AgentAsync())
        {
            await rig.UpAsync(client);
            before = Pids(await client.StatusAsync());
            await using var asking = new Asking(rig.Url);
            await asking.MoreAsync(50);
            await AgentRig.KillAsync(client.AgentPid);
            await asking.MoreAsync(50);
            await using (var next = await rig.AgentAsync())
            {
                await rig.UpAsync(next);
                await asking.MoreAsync(50);
            }

            Assert.Empty(await asking.StopAsync());
        }

        var status = await rig.WhenAsync(s => s.Healthy, "healthy again");
        Assert.Equal(before, Pids(status));
    }

    [Fact]
    public async Task AnEdgeThatDiesAfterTheFilesOfTheRunFolderWereDeletedComesBack()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web());
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        foreach (var file in Directory.GetFiles(rig.State.Run))
        {
            File.Delete(file);
        }

        await AgentRig.KillAsync((await AgentRig.InstancesAsync(client, "edge"))[0].Pids[0]);
        using var http = new HttpClient { Timeout = AgentRig.Patience };
        Assert.StartsWith("web.1 ", await http.GetStringAsync(rig.Url), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatEndedWhileNoAgentWasThereIsStartedAgainOnce()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web(2));
        await using (var client = await rig.AgentAsync())
        {
            await rig.UpAsync(client);
            var web = await AgentRig.InstancesAsync(client, "web");
            await AgentRig.KillAsync(client.AgentPid);
            System.Diagnostics.Process.GetProcessById(web[0].Pids[0]).Kill();
        }

        await (await rig.AgentAsync()).DisposeAsync();
        var status = await rig.WhenAsync(
            s => s.Healthy && AgentRig.Of(s, "web").All(i => AgentRig.IsAlive(i.Pids[0])), "both are healthy again");
        Assert.Equal([1, 0], AgentRig.Of(status, "web").Select(i => i.Restarts));
    }

    [Fact]
    public async Task ASecondAgentIsRefusedAndSaysWhoHasTheStack()
    {
        await using var rig = new AgentRig();
        rig.Services("worker:\n  run: sleep 1000\n");
        await using var client = await rig.AgentAsync();
        var log = new StringWriter();
        var second = await AgentHost.RunAsync(new AgentOptions { StackFolder = rig.Folder, Program = TestProgram.Path, Log = log });
        Assert.True(second == AgentHost.AlreadyRunningExitCode, $"exit {second}: {log}");
        Assert.Contains("ASH4002", log.ToString(), StringComparison.Ordinal);
        Assert.Contains($"pid {client.AgentPid}", log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherBuildTakesOverInPlaceWithoutAFailedRequestAndReplacesTheEdge()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web(1));
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        var before = await client.StatusAsync();
        var build = Copy(AppContext.BaseDirectory, Path.Combine(rig.Folder, "build"));

        await using var asking = new Asking(rig.Url);
        await asking.MoreAsync(50);
        await using var next = await rig.AgentAsync(Path.Combine(build, Path.GetFileName(TestProgram.Path)));
        Assert.Equal(client.AgentPid, next.AgentPid);
        var after = await rig.WhenAsync(
            s => s.Healthy && AgentRig.Of(s, "edge").Single().Pids[0] != AgentRig.Of(before, "edge").Single().Pids[0], "the edge is replaced");
        await asking.MoreAsync(50);
        Assert.Empty(await asking.StopAsync());
        Assert.NotEqual(before.ProgramVersion, after.ProgramVersion);
        Assert.Equal(AgentRig.Of(before, "web").Single().Pids[0], AgentRig.Of(after, "web").Single().Pids[0]);
    }

    private static int[] Pids(StatusReport status) =>
        [.. status.Tiers.SelectMany(t => t.Services).SelectMany(s => s.Instances).Select(i => i.Pids[0]).Order()];

    private static string Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
            File.SetLastWriteTimeUtc(target, DateTime.UtcNow);
        }

        return to;
    }
}
