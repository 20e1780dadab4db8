using System.Net;
using System.Text.Json;
using Ashlar.Catalog;
using Ashlar.Edge.Tests.Certificates;
using Ashlar.Edge.Tests.Forwarding;

namespace Ashlar.Edge.Tests.Caching;

/// <summary>What one client sends never shows in what another gets, and what is one client's own is not kept for others.</summary>
public sealed class PoisoningTests
{
    private const string Fresh = "Cache-Control: max-age=60";

    // An app that repeats whatever it could take for its own address, and the body.
    private static string Echo(string head, byte[] body)
    {
        var lines = head.Split("\r\n");
        var told = string.Join('|', lines.Where(static line => line.Contains("ost:", StringComparison.Ordinal) || line.StartsWith("Forwarded:", StringComparison.OrdinalIgnoreCase)
            || line.StartsWith("X-Forwarded-Proto", StringComparison.OrdinalIgnoreCase)));
        return CacheRig.Answer(Fresh, $"{lines[0]}|{told}|{System.Text.Encoding.ASCII.GetString(body)}");
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: test\r\nX-Forwarded-Host: evil.test\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: test\r\nX-Forwarded-Proto: evil\r\nForwarded: host=evil;proto=evil\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: test\r\nX-Host: evil\r\nConnection: x-host\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: test:6666\r\nX-Evil: evil\r\n\r\n")]
    [InlineData("GET http://evil.test/ HTTP/1.1\r\nHost: test\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nevil")]
    [InlineData("GET / HTTP/1.1\r\nHost: test\r\nHost: evil\r\n\r\n")]
    [InlineData("HEAD / HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nevil")]
    public async Task What_a_client_sends_does_not_show_in_the_answer_of_another(string poison)
    {
        await using var app = ScriptedApp.Answering(Echo);
        await using var rig = await CacheRig.StartAsync(app);
        using (var attacker = await rig.Edge.ConnectAsync())
        {
            await attacker.SendAsync(poison);
            await attacker.ReadHeadAsync();
        }

        for (var i = 0; i < 2; i++)
        {
            var (_, body) = await rig.GetAsync();
            Assert.DoesNotContain("evil", body);
            Assert.DoesNotContain("6666", body);
        }
    }

    [Fact]
    public async Task Two_names_of_a_host_are_refused()
    {
        await using var rig = await CacheRig.StartAsync(static (_, _) => CacheRig.Answer(Fresh));
        Assert.StartsWith("HTTP/1.1 400 ", (await rig.GetAsync("/", "Host: other\r\n")).Head);
        Assert.Empty(rig.Asked);
    }

    [Fact]
    public async Task Each_spelling_of_a_path_gets_what_the_app_says_to_it()
    {
        string[] paths = ["/a/b", "/a%2fb", "/a/b/", "//a/b", "/a;x/b", "/a/b?", "/a/b?x", "/a/b?X", "/A/b", "/a/%62", "/account.css", "/account/x.css", "/account;.css", "/account%00.css", "/account%23.css"];
        await using var rig = await CacheRig.StartAsync(static (head, _) => CacheRig.Answer(Fresh, head.Split(' ')[1]));
        var first = new Dictionary<string, string>();
        foreach (var path in paths)
        {
            first[path] = (await rig.GetAsync(path)).Body;
        }

        // Those that are refused have an error page, with the request's own id.
        foreach (var path in paths.Where(path => first[path].StartsWith('/')))
        {
            Assert.Equal(first[path], (await rig.GetAsync(path)).Body);
            Assert.True(first[path] == path || Uri.UnescapeDataString(first[path]) == Uri.UnescapeDataString(path), $"{path} got {first[path]}");
        }
    }

    [Theory]
    [InlineData("/account/nothing.css")]
    [InlineData("/account;x.js")]
    [InlineData("/account%2f.png")]
    public async Task An_ending_makes_nothing_public(string path)
    {
        await using var rig = await CacheRig.StartAsync(static (_, count) => CacheRig.Answer("Content-Type: text/html", $"account {count}"));
        await rig.GetAsync(path, "Cookie: session=ada\r\n");
        Assert.Equal("account 2", (await rig.GetAsync(path)).Body);
    }

    [Fact]
    public async Task Over_HTTP2_and_HTTP1_the_same_is_stored_once()
    {
        var asked = 0;
        await using var app = ScriptedApp.Answering((_, _) => CacheRig.Answer(Fresh, $"{Interlocked.Increment(ref asked)}"));
        await using var rig = await TlsRig.StartAsync(app);
        rig.Server.UseCache(new CatalogCache { Memory = 8 << 20 });
        using var two = rig.Client();
        using var one = rig.Client(HttpVersion.Version11);
        foreach (var client in (HttpClient[])[two, two, one, two])
        {
            using var answer = await client.GetAsync(rig.Secure("/page"));
            Assert.Equal("1", await answer.Content.ReadAsStringAsync());
        }

        using var head = await two.SendAsync(new HttpRequestMessage(HttpMethod.Head, rig.Secure("/page")) { Version = HttpVersion.Version20 });
        Assert.Equal((HttpStatusCode.OK, 1L), (head.StatusCode, head.Content.Headers.ContentLength));
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task The_access_log_says_what_the_cache_did()
    {
        // One loop: each has lines of its own until they are written.
        await using var rig = await CacheRig.StartAsync(static (_, _) => CacheRig.Answer(Fresh), loops: 1);
        await rig.GetAsync();
        await rig.GetAsync();
        await rig.SendAsync("POST", "/");
        var words = (await rig.Edge.EndAndReadLogAsync()).Select(static line =>
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.GetProperty("cache").GetString();
        });
        Assert.Equal(["miss", "hit", "method"], words);
    }
}
