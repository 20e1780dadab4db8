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

        // By HTTP, from the machine itself; the edge that was asked tells the others.
        foreach (var (path, field, expected) in new[]
        {
            ("/page", "X-Nothing: 1", "fwd=uri-miss"), ("/other", "Surrogate-Key: shop", "fwd=uri-miss"), ("/*", "X-Nothing: 1", "fwd=uri-miss"), ("/page", "Soft-Purge: 1", "fwd=stale"),
        })
        {
            foreach (var url in urls)
            {
                await CachedApp.GetAsync(url, "shop.test");
            }

            var answer = await first.Host.ExecAsync("curl", ["-sS", "-X", "PURGE", "-H", field, "-H", "Host: shop.test", $"http://127.0.0.1:8080{path}"]);
            Assert.StartsWith("{\"purged\":", answer.Output, StringComparison.Ordinal);
            var status = (await CachedApp.GetAsync(urls[0], "shop.test")).Status;
            Assert.True(status.Contains(expected, StringComparison.Ordinal), $"PURGE {path}, {field}: {answer.Output}{status}");
            await FleetSteps.UntilAsync(FleetSteps.Soon, async () => (await CachedApp.GetAsync(urls[1], "shop.test")).Status.Contains(expected, StringComparison.Ordinal));
        }

        await net.KillAsync(net[1]);
        var refused = await first.AshlarAsync("cache", "purge", "--all");
        Assert.Contains("ASH3081", refused.Error, StringComparison.Ordinal);
        Assert.Contains("m2", refused.Error, StringComparison.Ordinal);
    }
}
