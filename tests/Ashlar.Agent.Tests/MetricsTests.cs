using Ashlar.Monitoring;

namespace Ashlar.Agent.Tests;

public sealed class MetricsTests
{
    [Fact]
    public async Task WhatInstancesUseIsInTheMetricsAndWhatHappensInTheEvents()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web(1, "limits: {requests: 7}\n"));
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        var collector = new MetricsCollector(rig.State.Metrics, TimeProvider.System);

        var web = await EventuallyAsync(() => collector.Collect().Find("web", "web.1") is { Process: { Memory: > 0, Healthy: 1 } } found ? found : null);
        Assert.Equal("services", web.Tier);
        Assert.NotNull(web.Process!.Started);
        var moment = collector.Collect();
        Assert.Equal("edge", moment.Find("edge", "edge.1")!.Tier);
        Assert.Equal(7, moment.Find("web")!.Requests!.Limit);
        Assert.True(moment.Find("agent", "agent.1")!.Process!.Memory > 0);

        await AgentRig.ScaleAsync(client, "web", 2);
        await EventuallyAsync(() => collector.Collect().Find("web", "web.2"));
        await AgentRig.ScaleAsync(client, "web", 1);
        await EventuallyAsync(() => collector.Collect().Find("web", "web.2") is null ? "gone" : null);

        var pid = (await AgentRig.InstancesAsync(client, "web"))[0].Pids[0];
        using (var process = System.Diagnostics.Process.GetProcessById(pid))
        {
            process.Kill();
        }

        var crash = await EventuallyAsync(() => Array.Find([.. EventFile.Read(rig.State.Events)], e => e.Kind == StackEventKinds.Crash));
        Assert.Equal("web.1", crash.Subject);
        await EventuallyAsync(() => collector.Collect().Find("web", "web.1")?.Process is { Restarts: 1, Healthy: 1 } found ? found : null);
        Assert.Equal(["release", "scale", "scale", "crash"], EventFile.Read(rig.State.Events).Select(e => e.Kind));
        await AgentRig.DownAsync(client);
    }

    private static async Task<T> EventuallyAsync<T>(Func<T?> look) where T : class
    {
        using var patience = new CancellationTokenSource(AgentRig.Patience);
        while (true)
        {
            if (look() is { } found)
            {
                return found;
            }

            await Task.Delay(100, patience.Token);
        }
    }
}
