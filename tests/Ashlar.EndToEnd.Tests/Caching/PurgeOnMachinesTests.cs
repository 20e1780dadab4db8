using Ashlar.EndToEnd.Tests.Machines;
using Ashlar.Testing.Machines;

namespace Ashlar.EndToEnd.Tests.Caching;

/// <summary>A purge holds on every machine once it is answered.</summary>
[Trait("Length", "Full")]
public sealed class PurgeOnMachinesTests
{
    [MachinesFact]
    public async Task A_purge_reaches_the_edge_of_every_machine_and_says_where_it_has_not()
    {
        await using var net = await MachineNet.CreateAsync(2);
        var first = new StackMachine(net[0], CachedApp.Stack.Replace("@LISTEN@", "8080", StringComparison.Ordinal));
        var second = new StackMachine(net[1], null);
        first.Write("app.py", CachedApp.Python);
        await first.UpAsync();
        await FleetSteps.JoinAsync(first, second);
        await FleetSteps.AnswersAsync(first, second);
        string[] urls = [$"http://{first.Edge}/page", $"http://{second.Edge}/page"];
        foreach (var url in urls)
        {
            await CachedApp.GetAsync(url);
            Assert.StartsWith("ashlar; hit", (await CachedApp.GetAsync(url)).Status, StringComparison.Ordinal);
        }

        var said = await second.DoAsync("cache", "purge", "--tag", "shop");
        Assert.Contains("m1 edge.1", said, StringComparison.Ordinal);
        Assert.Contains("m2 edge.1", said, StringComparison.Ordinal);
        foreach (var url in urls)
        {
            Assert.Contains("fwd=uri-miss", (await CachedApp.GetAsync(url)).Status, StringComparison.Ordinal);
        }

        await net.KillAsync(net[1]);
        var refused = await first.AshlarAsync("cache", "purge", "--all");
        Assert.Contains("ASH3081", refused.Error, StringComparison.Ordinal);
        Assert.Contains("m2", refused.Error, StringComparison.Ordinal);
    }
}
