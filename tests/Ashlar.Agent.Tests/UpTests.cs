
namespace Ashlar.Agent.Tests;

public sealed class UpTests
{
    [Fact]
    public async Task UpStartsTheServicesAndTheEdgeAnswersAndDownStopsThemAll()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web() + "worker:\n  run: while true; do sleep 1; done\n");
        await using var client = await rig.AgentAsync();
        var progress = await rig.UpAsync(client);
        Assert.Contains("web.1 healthy (v1)", progress);

        using var http = new HttpClient();
        Assert.StartsWith("web.1 ", await http.GetStringAsync(rig.Url), StringComparison.Ordinal);
        var status = await client.StatusAsync();
        Assert.True(status.Healthy);
        Assert.Equal(["edge", "services"], status.Tiers.Select(t => t.Name));
        var pids = status.Tiers.SelectMany(t => t.Services).SelectMany(s => s.Instances).SelectMany(i => i.Pids).ToArray();
        Assert.True(pids.Length >= 3);

        await AgentRig.DownAsync(client);
        Assert.DoesNotContain(pids, AgentRig.IsAlive);
    }
}
