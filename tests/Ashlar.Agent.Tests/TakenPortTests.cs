using System.Net;
using System.Net.Sockets;
using Ashlar.Agent.Api;
using Ashlar.Errors;

namespace Ashlar.Agent.Tests;

public sealed class TakenPortTests
{
    [Fact]
    public async Task APortThatIsTakenIsSaidBeforeAnythingIsBuilt()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web(more: $"build: touch {rig.Folder}/built"));
        using var holder = new TcpListener(IPAddress.Loopback, rig.Port);
        holder.Start();
        await using var client = await rig.AgentAsync();
        var refused = await Assert.ThrowsAsync<AshlarException>(() => rig.UpAsync(client));
        Assert.Equal("ASH4015", refused.Error.Code);
        Assert.Contains($"pid {Environment.ProcessId}", refused.Error.Message);
        Assert.False(File.Exists(Path.Combine(rig.Folder, "built")));
        Assert.Empty((await client.CallAsync<ReleasesResult>(AgentVerbs.Releases, AgentJson.Nothing))!.Releases);
    }

    [Fact]
    public async Task AnotherPortIsTriedBeforeTheNextReleaseIsBuiltAndOurOwnPortIsNoneOfAStranger()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web(more: "build: touch built"));
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        rig.Services(rig.Web(more: "build: touch built again"));
        await rig.UpAsync(client);

        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        rig.Write("ashlar.yaml", File.ReadAllText(Path.Combine(rig.Folder, "ashlar.yaml")).Replace($":{rig.Port}", $":{((IPEndPoint)holder.LocalEndpoint).Port}"));
        var refused = await Assert.ThrowsAsync<AshlarException>(() => rig.UpAsync(client));
        Assert.Equal("ASH4015", refused.Error.Code);
        Assert.Equal(2, (await client.CallAsync<ReleasesResult>(AgentVerbs.Releases, AgentJson.Nothing))!.Releases.Length);
        Assert.True((await client.StatusAsync()).Healthy);
    }
}
