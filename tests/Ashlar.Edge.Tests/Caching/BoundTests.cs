using Ashlar.Catalog;

namespace Ashlar.Edge.Tests.Caching;

/// <summary>What is hostile or too much has a bounded effect.</summary>
public sealed class BoundTests
{
    [Fact]
    public async Task A_flood_of_URLs_stays_within_the_memory_and_what_is_used_stays()
    {
        var body = new string('x', 20_000);
        await using var rig = await CacheRig.StartAsync((_, _) => CacheRig.Answer("Cache-Control: max-age=60", body), new CatalogCache { Memory = 1 << 20 });
        var cache = rig.Edge.Server.Cache!;
        await rig.GetAsync("/used");
        for (var i = 0; i < 300; i++)
        {
            await rig.GetAsync($"/{i}");
            await rig.GetAsync("/used");
            Assert.InRange(cache.Memory.Used, 1, 1 << 20);
        }

        Assert.InRange(cache.Evictions, 200, 300);
        Assert.Equal(301, rig.Asked.Count);
        cache.PurgeAll(soft: false);

        // What is being sent is held until that has ended, which a client sees a little earlier.
        Assert.True(SpinWait.SpinUntil(() => cache.Memory.Used == 0, TimeSpan.FromSeconds(30)), $"{cache.Memory.Used} bytes are held");
    }

    [Fact]
    public async Task An_explosion_of_variants_is_bounded()
    {
        await using var rig = await CacheRig.StartAsync((_, _) => CacheRig.Answer("Cache-Control: max-age=60\r\nVary: User-Agent"));
        for (var i = 0; i < 200; i++)
        {
            await rig.GetAsync("/", $"User-Agent: {i}\r\n");
        }

        Assert.InRange(rig.Edge.Server.Cache!.Count, 1, 64);
    }

    [Fact]
    public async Task What_the_key_has_not_is_not_told_to_the_app_as_the_client_says_it()
    {
        await using var rig = await CacheRig.StartAsync((head, _) => CacheRig.Answer("Cache-Control: max-age=60", CacheRig.Field(head, "X-Forwarded-Host")!));
        await rig.GetAsync("/", "X-Forwarded-Host: evil.test\r\n");
        Assert.Equal("test", (await rig.GetAsync()).Body);
    }

    [Fact]
    public async Task A_GET_with_a_body_is_passed_and_not_stored()
    {
        await using var rig = await CacheRig.StartAsync((_, n) => CacheRig.Answer("Cache-Control: max-age=60", $"{n}"));
        using (var client = await rig.Edge.ConnectAsync())
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nevil");
            Assert.Equal("1", (await client.ReadResponseAsync()).Body);
        }

        Assert.Equal("2", (await rig.GetAsync()).Body);
    }

    [Fact]
    public async Task A_URL_that_is_too_long_for_a_key_is_passed()
    {
        await using var rig = await CacheRig.StartAsync((_, n) => CacheRig.Answer("Cache-Control: max-age=60", $"{n}"));
        var path = "/" + new string('a', 9000);
        await rig.GetAsync(path);
        Assert.Equal("2", (await rig.GetAsync(path)).Body);
    }

    [Fact]
    public async Task Without_a_cache_nothing_is_said_of_one()
    {
        await using var rig = await CacheRig.StartAsync((_, n) => CacheRig.Answer("Cache-Control: max-age=60", $"{n}"));
        await rig.GetAsync();
        rig.Edge.Server.UseCache(null);
        var (head, body) = await rig.GetAsync();
        Assert.Equal(("2", ""), (body, CacheRig.Status(head)));
    }
}
