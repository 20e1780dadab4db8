using Ashlar.Testing;

namespace Ashlar.EndToEnd.Tests.Caching;

public sealed class CacheVerbTests
{
    [Fact]
    public async Task A_stack_serves_from_its_cache_shows_it_and_purges_it()
    {
        await using var rig = new StackRig(CachedApp.Stack.Replace("@LISTEN@", "{http: \"127.0.0.1:@PORT@\"}", StringComparison.Ordinal));
        rig.Write("app.py", CachedApp.Python);
        await rig.UpAsync();
        var url = $"http://127.0.0.1:{rig.Port}/page";
        var (first, miss) = await CachedApp.GetAsync(url);
        var (second, hit) = await CachedApp.GetAsync(url);
        Assert.Equal("ashlar; fwd=uri-miss; stored", miss);
        Assert.StartsWith("ashlar; hit", hit, StringComparison.Ordinal);
        Assert.Equal(first, second);

        Assert.Contains("edge.1", await rig.DoAsync("cache", "stats"), StringComparison.Ordinal);
        var explained = await rig.DoAsync("cache", "explain", url);
        Assert.Contains("ashlar; hit", explained, StringComparison.Ordinal);
        Assert.Contains("tags shop, page", explained, StringComparison.Ordinal);

        Assert.Contains("1 stored answer is out", await rig.DoAsync("cache", "purge", "--tag", "page"), StringComparison.Ordinal);
        var (third, _) = await CachedApp.GetAsync(url);
        Assert.NotEqual(first, third);
        Assert.Contains("1 stored answer is out", await rig.DoAsync("cache", "purge", "/page"), StringComparison.Ordinal);
        Assert.NotEqual(third, (await CachedApp.GetAsync(url)).Body);
        await rig.DoAsync("cache", "purge", "--all");
        Assert.Equal("ashlar; fwd=uri-miss; stored", (await CachedApp.GetAsync(url)).Status);
        Assert.Contains("needs one of", (await rig.AshlarAsync("cache", "purge")).Error, StringComparison.Ordinal);
    }
}
