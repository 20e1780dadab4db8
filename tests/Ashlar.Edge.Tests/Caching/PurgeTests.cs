using Ashlar.Catalog;
using Ashlar.Edge.Caching;

namespace Ashlar.Edge.Tests.Caching;

public sealed class PurgeTests
{
    [Fact]
    public async Task A_tag_takes_out_what_has_exactly_it()
    {
        await using var rig = await CacheRig.StartAsync((head, n) => CacheRig.Answer(
            "Cache-Control: max-age=60\r\n" + (head.Contains("/a", StringComparison.Ordinal) ? "Cache-Tag: product-1, shop" : "Surrogate-Key: product-11 shop"), $"{n}"));
        await rig.GetAsync("/a");
        await rig.GetAsync("/b");
        Assert.Equal(1, new PurgeOrder(null, "product-1", Soft: false).CarryOut(rig.Edge.Server.Cache!));
        Assert.Equal(("3", "2"), ((await rig.GetAsync("/a")).Body, (await rig.GetAsync("/b")).Body));
        Assert.Equal(2, new PurgeOrder(null, "shop", Soft: false).CarryOut(rig.Edge.Server.Cache!));
        Assert.Equal(("4", "5"), ((await rig.GetAsync("/a")).Body, (await rig.GetAsync("/b")).Body));
    }

    [Fact]
    public async Task A_soft_purge_has_it_revalidated()
    {
        await using var rig = await CacheRig.StartAsync((head, n) => head.Contains("If-None-Match", StringComparison.Ordinal)
            ? "HTTP/1.1 304 X\r\nETag: \"1\"\r\nCache-Control: max-age=60\r\n\r\n"
            : CacheRig.Answer("Cache-Control: max-age=60\r\nETag: \"1\"", $"{n}"));
        await rig.GetAsync("/a");
        Assert.Equal(1, new PurgeOrder("http://TEST/a", null, Soft: true).CarryOut(rig.Edge.Server.Cache!));
        var (head, body) = await rig.GetAsync("/a");
        Assert.Equal("1", body);
        Assert.StartsWith("ashlar; fwd=stale; fwd-status=304", CacheRig.Status(head));
        Assert.StartsWith("ashlar; hit", CacheRig.Status((await rig.GetAsync("/a")).Head));
    }

    [Fact]
    public async Task A_path_means_every_host_and_all_means_all()
    {
        await using var rig = await CacheRig.StartAsync((_, _) => CacheRig.Answer("Cache-Control: max-age=60"));
        await rig.GetAsync("/a?x=1");
        await rig.GetAsync("/b");
        Assert.Equal(0, new PurgeOrder("/a", null, Soft: false).CarryOut(rig.Edge.Server.Cache!));
        Assert.Equal(1, new PurgeOrder("/a?x=1", null, Soft: false).CarryOut(rig.Edge.Server.Cache!));
        Assert.Equal(1, new PurgeOrder(null, null, Soft: false).CarryOut(rig.Edge.Server.Cache!));
        Assert.Equal(0, rig.Edge.Server.Cache!.Count);
    }

    [Fact]
    public async Task PURGE_works_from_the_addresses_that_may()
    {
        await using var rig = await CacheRig.StartAsync((_, n) => CacheRig.Answer("Cache-Control: max-age=60", $"{n}"));
        await rig.GetAsync("/a");
        Assert.Equal("{\"purged\":1}\n", (await rig.SendAsync("PURGE", "/a")).Body);
        Assert.Equal("2", (await rig.GetAsync("/a")).Body);
        await rig.GetAsync("/b");
        Assert.Equal("{\"purged\":2}\n", (await rig.SendAsync("PURGE", "/*")).Body);
        Assert.Equal("4", (await rig.GetAsync("/a")).Body);
        rig.Edge.Server.UseCache(new CatalogCache { Memory = 1 << 20, PurgeFrom = ["10.0.0.0/8"] });
        Assert.StartsWith("HTTP/1.1 403", (await rig.SendAsync("PURGE", "/a")).Head);
        Assert.Equal("4", (await rig.GetAsync("/a")).Body);
        Assert.DoesNotContain(rig.Asked, head => head.StartsWith("PURGE", StringComparison.Ordinal));
    }
}
