using System.Collections.Immutable;
using System.Text.Json;
using Ashlar.Agent.Api;
using Ashlar.Catalog;

namespace Ashlar.Agent.Tests;

/// <summary>Orders that meet: the next waits for its turn, and whoever gave one may go.</summary>
public sealed class OrdersInARowTests
{
    [Fact]
    public async Task AnOrderWhoseGiverHasGoneIsCarriedOutAndTheNextWaitsForIt()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Write("start.sh", $"while [ -e {rig.Folder}/hold ]; do sleep 0.05; done\nexec python3 {rig.Folder}/app.py\n");
        rig.Services(rig.Web().Replace($"python3 {rig.Folder}/app.py", $"sh {rig.Folder}/start.sh", StringComparison.Ordinal));
        await using var watcher = await rig.AgentAsync();
        await rig.UpAsync(watcher);

        // The new instance does not get healthy yet; whoever has given the order goes in the middle of it, as by Ctrl-C.
        rig.Write("hold", "");
        await using (var gone = await rig.AgentAsync())
        {
            await FirstAsync(gone, "FIRST");
        }

        // Another one orders meanwhile, and a third: each has its turn.
        await using var second = await rig.AgentAsync();
        var (told, waits) = (new List<string>(), new TaskCompletionSource());
        var next = second.CallAsync<ConfigArguments, ConfigResult>(AgentVerbs.Config, Change("SECOND"), line =>
        {
            told.Add(line);
            waits.TrySetResult();
        });
        await waits.Task.WaitAsync(AgentRig.Patience);
        Assert.Equal("Waits for 'config', which is under way.", told[0]);
        rig.Delete("hold");
        var result = (await next.WaitAsync(AgentRig.Patience))!;
        Assert.Equal("v3", result.Release);
        Assert.Equal(["FIRST", "SECOND"], result.Vars.Keys);
        Assert.All(await AgentRig.InstancesAsync(watcher, "web"), i => Assert.Equal(("v3", InstanceState.Healthy), (i.Release, i.State)));
    }

    private static async Task FirstAsync(AgentClient client, string name)
    {
        await foreach (var reply in client.SendAsync(AgentVerbs.Config, JsonSerializer.SerializeToElement(Change(name), AgentJson.Default.ConfigArguments)))
        {
            Assert.Equal(AgentReplyKinds.Progress, reply.Kind);
            return;
        }
    }

    private static ConfigArguments Change(string name) => new(ImmutableSortedDictionary<string, string?>.Empty.Add(name, "1"));
}
