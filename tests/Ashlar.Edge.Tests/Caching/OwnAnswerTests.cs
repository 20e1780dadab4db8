using Ashlar.Catalog;
using Ashlar.Edge.Tests.Forwarding;
using Ashlar.Edge.Tests.WebServer;
using Ashlar.Stack;

namespace Ashlar.Edge.Tests.Caching;

/// <summary>What the app answers to one client stays with that client.</summary>
public sealed class OwnAnswerTests
{
    private const string OfAlice = "Cookie: session=alice\r\n";

    [Theory]
    [InlineData("Cache-Control: public, no-cache")]
    [InlineData("Cache-Control: no-cache")]
    public async Task A_cookie_that_a_304_sets_is_for_who_asked(string control)
    {
        await using var rig = await CacheRig.StartAsync((head, _) => !head.Contains("If-None-Match", StringComparison.Ordinal) ? CacheRig.Answer($"{control}\r\nETag: \"v1\"")
            : $"HTTP/1.1 304 X\r\nETag: \"v1\"\r\n{control}\r\n{(head.Contains(OfAlice, StringComparison.Ordinal) ? "Set-Cookie: session=alice2\r\n" : "")}\r\n");
        await rig.GetAsync();
        var (hers, body) = await rig.GetAsync("/", OfAlice);
        Assert.Equal(("session=alice2", "hello"), (CacheRig.Field(hers, "Set-Cookie"), body));
        Assert.DoesNotContain("Set-Cookie", (await rig.GetAsync()).Head);
        Assert.StartsWith("HTTP/1.1 304", (await rig.GetAsync("/", "If-None-Match: \"v1\"\r\n")).Head);
    }

    [Fact]
    public async Task Who_waits_while_another_has_it_revalidated_gets_nothing_of_hers()
    {
        var asked = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        var app = new ScriptedApp(async connection =>
        {
            while (await connection.ReadRequestAsync() is var (head, _))
            {
                if (head.Contains(OfAlice, StringComparison.Ordinal))
                {
                    asked.TrySetResult();
                    await go.Task;
                    await connection.SendAsync("HTTP/1.1 304 X\r\nETag: \"v1\"\r\nCache-Control: max-age=0\r\nSet-Cookie: session=alice2\r\nX-For: alice\r\n\r\n");
                }
                else
                {
                    await connection.SendAsync(CacheRig.Answer("Cache-Control: max-age=0\r\nETag: \"v1\"\r\nX-For: all"));
                }
            }
        });
        await using var rig = await CacheRig.StartAsync(app, loops: 1);
        await rig.GetAsync();
        var hers = rig.GetAsync("/", OfAlice);
        await asked.Task;
        var others = Enumerable.Range(0, 5).Select(_ => rig.GetAsync()).ToArray();
        go.SetResult();
        Assert.Equal("session=alice2", CacheRig.Field((await hers).Head, "Set-Cookie"));
        foreach (var (head, _) in await Task.WhenAll(others))
        {
            Assert.DoesNotContain("Set-Cookie", head);
            Assert.Equal("all", CacheRig.Field(head, "X-For"));
        }
    }

    [Theory]
    [InlineData(412)]
    [InlineData(416)]
    [InlineData(429)]
    [InlineData(431)]
    public async Task What_an_answer_says_of_one_request_is_not_stored(int status)
    {
        await using var rig = await CacheRig.StartAsync((_, n) => CacheRig.Answer("Cache-Control: max-age=60", $"{n}", n == 1 ? status : 200));
        Assert.EndsWith("detail=status", CacheRig.Status((await rig.GetAsync("/", "If-Match: \"zz\"\r\n")).Head));
        Assert.Equal("2", (await rig.GetAsync()).Body);
        Assert.Equal("2", (await rig.GetAsync()).Body);
    }

    [Fact]
    public async Task A_request_with_a_password_takes_out_nothing()
    {
        await using var rig = await CacheRig.StartAsync((_, n) => CacheRig.Answer("Cache-Control: max-age=60", $"{n}"));
        await rig.GetAsync();
        Assert.Equal("2", (await rig.GetAsync("/", "Authorization: x\r\nCache-Control: no-cache\r\n")).Body);
        Assert.Equal("1", (await rig.GetAsync()).Body);
    }

    [Fact]
    public async Task A_coding_by_which_variants_are_not_told_apart_is_not_stored()
    {
        await using var rig = await CacheRig.StartAsync((_, n) => CacheRig.Answer("Cache-Control: max-age=60\r\nVary: Accept-Encoding\r\nContent-Encoding: dcz", $"{n}"));
        Assert.EndsWith("detail=coding", CacheRig.Status((await rig.GetAsync("/", "Accept-Encoding: dcz\r\n")).Head));
        Assert.Equal("2", (await rig.GetAsync("/", "Accept-Encoding: compress\r\n")).Body);
    }

    [Fact]
    public async Task Behind_a_trusted_proxy_it_is_the_client_who_must_be_allowed_to_purge()
    {
        await using var app = ScriptedApp.Answering((_, n) => CacheRig.Answer("Cache-Control: max-age=60", $"{n}"));
        await using var rig = await WebRig.StartAsync(new WebDefinition { TrustedProxies = ["127.0.0.0/8"] }, app: app);
        rig.Edge.Server.UseCache(new CatalogCache { Memory = 1 << 20 });
        Assert.StartsWith("HTTP/1.1 403", (await rig.AskAsync("PURGE", "/", "X-Forwarded-For: 203.0.113.9")).Head);
        Assert.StartsWith("HTTP/1.1 200", (await rig.AskAsync("PURGE", "/", "X-Forwarded-For: 127.0.0.1")).Head);
    }

    [Fact]
    public async Task A_PURGE_of_a_URL_that_no_key_holds_is_told_so()
    {
        await using var rig = await CacheRig.StartAsync((_, n) => CacheRig.Answer("Cache-Control: max-age=60", $"{n}"));
        Assert.StartsWith("HTTP/1.1 414", (await rig.SendAsync("PURGE", "/" + new string('a', 9000))).Head);
    }
}
