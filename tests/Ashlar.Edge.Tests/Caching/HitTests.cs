using System.Text;
using Ashlar.Catalog;

namespace Ashlar.Edge.Tests.Caching;

public sealed class HitTests
{
    [Fact]
    public async Task What_is_fresh_is_answered_without_the_app()
    {
        await using var rig = await CacheRig.StartAsync((_, n) => CacheRig.Answer("Cache-Control: max-age=60\r\nX-N: " + n));
        var (first, _) = await rig.GetAsync();
        var (second, body) = await rig.GetAsync();
        Assert.Equal("ashlar; fwd=uri-miss; stored", CacheRig.Status(first));
        Assert.Matches("^ashlar; hit; ttl=(60|59|58)$", CacheRig.Status(second));
        Assert.Equal("1", CacheRig.Field(second, "X-N"));
        Assert.Equal("0", CacheRig.Field(second, "Age"));
        Assert.Equal("hello", body);
        Assert.Single(rig.Asked);
    }

    [Fact]
    public async Task What_does_not_say_how_long_it_is_fresh_is_not_stored()
    {
        await using var rig = await CacheRig.StartAsync((_, n) => CacheRig.Answer("Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\nETag: \"a\""));
        var (head, _) = await rig.GetAsync("/account/x.css");
        await rig.GetAsync("/account/x.css");
        Assert.Equal("ashlar; fwd=uri-miss; detail=no-freshness", CacheRig.Status(head));
        Assert.Equal(2, rig.Asked.Count);
    }

    [Theory]
    [InlineData("Cache-Control: private, max-age=60", "private")]
    [InlineData("Cache-Control: no-store, max-age=60", "no-store")]
    [InlineData("Cache-Control: max-age=60\r\nSet-Cookie: a=b", "set-cookie")]
    [InlineData("Cache-Control: max-age=60\r\nVary: Foo, *", "vary-all")]
    [InlineData("Cache-Control: max-age=0", "stale")]
    [InlineData("Cache-Control: max-age=60\r\nCDN-Cache-Control: no-store", "no-store")]
    public async Task What_may_not_be_stored_is_not_and_says_why(string fields, string rule)
    {
        await using var rig = await CacheRig.StartAsync((_, _) => CacheRig.Answer(fields));
        await rig.GetAsync();
        var (head, _) = await rig.GetAsync();
        Assert.EndsWith("detail=" + rule, CacheRig.Status(head));
        Assert.Equal(2, rig.Asked.Count);
    }

    [Theory]
    [InlineData("Authorization: Basic eDp5\r\n", "max-age=60", false)]
    [InlineData("Authorization: Basic eDp5\r\n", "max-age=60, public", true)]
    [InlineData("Cookie: session=1\r\n", "max-age=60", false)]
    [InlineData("Cookie: session=1\r\n", "s-maxage=60", true)]
    public async Task Somebodys_own_request_is_stored_only_where_the_answer_says_that_it_is_for_all(string fields, string control, bool stored)
    {
        await using var rig = await CacheRig.StartAsync((_, _) => CacheRig.Answer("Cache-Control: " + control));
        await rig.GetAsync("/", fields);
        await rig.GetAsync("/", fields);
        Assert.Equal(stored ? 1 : 2, rig.Asked.Count);
    }

    [Fact]
    public async Task Only_the_cookies_named_make_a_request_somebodys_own()
    {
        var settings = new CatalogCache { Memory = 1 << 20, Cookies = ["session"] };
        await using var rig = await CacheRig.StartAsync((_, _) => CacheRig.Answer("Cache-Control: max-age=60"), settings);
        await rig.GetAsync("/a", "Cookie: _ga=1; theme=dark\r\n");
        await rig.GetAsync("/a");
        await rig.GetAsync("/b", "Cookie: _ga=1; session=9\r\n");
        await rig.GetAsync("/b");
        Assert.Equal(3, rig.Asked.Count);
    }

    [Fact]
    public async Task Variants_are_kept_apart_and_codings_are_compared_by_what_they_mean()
    {
        await using var rig = await CacheRig.StartAsync((head, n) => CacheRig.Answer("Cache-Control: max-age=60\r\nVary: Accept-Encoding", $"{n}"));
        var (_, gzip) = await rig.GetAsync("/", "Accept-Encoding: gzip, br\r\n");
        var (_, same) = await rig.GetAsync("/", "accept-encoding: br;q=0.9,gzip\r\n");
        var (_, plain) = await rig.GetAsync("/", "Accept-Encoding: gzip;q=0\r\n");
        var (_, again) = await rig.GetAsync("/", "Accept-Encoding: gzip, br\r\n");
        Assert.Equal(["1", "1", "2", "1"], [gzip, same, plain, again]);
    }

    [Fact]
    public async Task Conditions_and_ranges_are_answered_from_the_store()
    {
        await using var rig = await CacheRig.StartAsync((_, _) => CacheRig.Answer("Cache-Control: max-age=60\r\nETag: \"v1\"", "0123456789"));
        await rig.GetAsync();
        var (notModified, nothing) = await rig.GetAsync("/", "If-None-Match: \"x\", W/\"v1\"\r\n");
        var (part, middle) = await rig.GetAsync("/", "Range: bytes=2-4\r\n");
        var (_, last) = await rig.GetAsync("/", "Range: bytes=-3\r\n");
        var (outside, _) = await rig.GetAsync("/", "Range: bytes=10-\r\n");
        var (_, whole) = await rig.GetAsync("/", "Range: bytes=2-4\r\nIf-Range: \"v0\"\r\n");
        var (head, _) = await rig.SendAsync("HEAD", "/");
        Assert.StartsWith("HTTP/1.1 304", notModified);
        Assert.Equal("\"v1\"", CacheRig.Field(notModified, "ETag"));
        Assert.Equal("", nothing);
        Assert.StartsWith("HTTP/1.1 206", part);
        Assert.Equal("bytes 2-4/10", CacheRig.Field(part, "Content-Range"));
        Assert.Equal(("234", "789", "0123456789"), (middle, last, whole));
        Assert.StartsWith("HTTP/1.1 416", outside);
        Assert.Equal("10", CacheRig.Field(head, "Content-Length"));
        Assert.Single(rig.Asked);
    }

    [Fact]
    public async Task A_stale_answer_is_found_valid_and_takes_over_what_the_304_says()
    {
        await using var rig = await CacheRig.StartAsync((head, n) => head.Contains("If-None-Match: \"v1\"", StringComparison.Ordinal)
            ? $"HTTP/1.1 304 X\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\nX-N: {n}\r\n\r\n"
            : CacheRig.Answer("Cache-Control: no-cache\r\nETag: \"v1\"\r\nX-N: " + n));
        await rig.GetAsync();
        var (second, body) = await rig.GetAsync();
        var (third, _) = await rig.GetAsync();
        Assert.StartsWith("ashlar; fwd=stale; fwd-status=304; ttl=", CacheRig.Status(second));
        Assert.Equal(("2", "hello"), (CacheRig.Field(second, "X-N"), body));
        Assert.StartsWith("ashlar; hit", CacheRig.Status(third));
        Assert.Equal(2, rig.Asked.Count);
    }

    [Fact]
    public async Task A_stale_answer_serves_while_it_is_revalidated()
    {
        await using var rig = await CacheRig.StartAsync((_, n) => CacheRig.Answer($"Cache-Control: max-age={(n == 1 ? 0 : 60)}, stale-while-revalidate=60\r\nX-N: {n}"));
        await rig.GetAsync();
        var (stale, _) = await rig.GetAsync();
        Assert.Equal("1", CacheRig.Field(stale, "X-N"));
        while (CacheRig.Field((await rig.GetAsync()).Head, "X-N") != "2")
        {
            await Task.Yield();
        }

        Assert.Equal(2, rig.Asked.Count);
    }

    [Fact]
    public async Task A_stale_answer_serves_instead_of_an_error_unless_it_forbids_that()
    {
        await using var rig = await CacheRig.StartAsync((head, n) => n <= 2
            ? CacheRig.Answer(head.Contains("/a", StringComparison.Ordinal) ? "Cache-Control: max-age=0\r\nETag: \"1\"" : "Cache-Control: max-age=0, must-revalidate\r\nETag: \"1\"")
            : CacheRig.Answer("X: y", "broken", 503));
        await rig.GetAsync("/a");
        await rig.GetAsync("/b");
        Assert.Equal("hello", (await rig.GetAsync("/a")).Body);
        Assert.Equal("broken", (await rig.GetAsync("/b")).Body);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("DELETE")]
    public async Task An_unsafe_request_takes_out_what_it_may_have_changed(string method)
    {
        await using var rig = await CacheRig.StartAsync((head, n) => head.StartsWith("GET", StringComparison.Ordinal)
            ? CacheRig.Answer("Cache-Control: max-age=60", $"{n}")
            : CacheRig.Answer("Location: /other\r\nContent-Location: http://evil.test/third"));
        foreach (var path in (string[])["/one", "/other", "/third"])
        {
            await rig.GetAsync(path);
        }

        await rig.SendAsync(method, "/one", "Content-Length: 0\r\n");
        Assert.Equal(("5", "6", "3"), ((await rig.GetAsync("/one")).Body, (await rig.GetAsync("/other")).Body, (await rig.GetAsync("/third")).Body));
    }

    [Fact]
    public async Task Only_if_cached_is_answered_by_the_cache_alone()
    {
        await using var rig = await CacheRig.StartAsync((_, _) => CacheRig.Answer("Cache-Control: max-age=60"));
        Assert.StartsWith("HTTP/1.1 504", (await rig.GetAsync("/", "Cache-Control: only-if-cached\r\n")).Head);
        Assert.Empty(rig.Asked);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(100_000)]
    [InlineData(3_000_000)]
    public async Task A_body_comes_back_as_it_was_whatever_its_framing(int length)
    {
        var body = new StringBuilder();
        while (body.Length < length)
        {
            body.Append(body.Length).Append(' ');
        }

        await using var rig = await CacheRig.StartAsync((head, _) => head.Contains("/chunked", StringComparison.Ordinal)
            ? $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=60\r\n\r\n{body.Length:x}\r\n{body}\r\n0\r\n\r\n"
            : CacheRig.Answer("Cache-Control: max-age=60", body.ToString()));
        foreach (var path in (string[])["/plain", "/chunked"])
        {
            Assert.Equal(body.ToString(), (await rig.GetAsync(path)).Body);
            var (head, stored) = await rig.GetAsync(path);
            Assert.Equal(body.ToString(), stored);
            Assert.Equal($"{body.Length}", CacheRig.Field(head, "Content-Length"));
        }

        Assert.Equal(2, rig.Asked.Count);
    }

    [Fact]
    public async Task A_chunked_body_larger_than_one_may_be_still_comes_whole()
    {
        var body = new string('x', 500_000);
        await using var rig = await CacheRig.StartAsync((_, _) =>
            $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=60\r\n\r\n{body.Length:x}\r\n{body}\r\n0\r\n\r\n",
            new CatalogCache { Memory = 1 << 20, MaxObject = 100_000 });
        Assert.Equal(body, (await rig.GetAsync()).Body);
        Assert.Equal(body, (await rig.GetAsync()).Body);
        Assert.Equal(2, rig.Asked.Count);
    }
}
