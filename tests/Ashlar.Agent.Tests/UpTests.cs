using Ashlar.Agent.Api;
using Ashlar.Catalog;

namespace Ashlar.Agent.Tests;

public sealed class UpTests
{
    [Fact]
    public async Task UpStartsTheServicesOfAProcfileAndDownStopsThem()
    {
        await using var rig = new AgentRig();
        rig.Write("Procfile", "web: python3 -m http.server $PORT\nworker: while true; do sleep 1; done\n");
        await using var client = await rig.StartAsync();
        var (result, progress) = await rig.UpAsync(client);
        Assert.Equal("v1", result!.Release);
        Assert.Contains("web.1 healthy (v1)", progress);

        var status = await client.StatusAsync();
        Assert.True(status.Healthy);
        var web = status.Tiers.Single(t => t.Name == "services").Services.Single(s => s.Name == "web").Instances.Single();
        Assert.Equal(InstanceState.Healthy, web.State);
        using var http = new HttpClient();
        Assert.Contains("Procfile", await http.GetStringAsync($"http://127.0.0.1:{web.Port}/"));

        await client.CallAsync<DownArguments, UpResult>(AgentVerbs.Down, new DownArguments(Now: false));
        Assert.Equal(0, await rig.Agent);
    }
}
