using System.IO.Compression;
using Ashlar.Stack;

namespace Ashlar.Edge.Tests.WebServer;

public sealed class StaticFileTests
{
    private static readonly string _large = string.Concat(Enumerable.Range(0, 200_000).Select(i => $"{i} "));

    private static Task<WebRig> StartAsync(Func<StaticDefinition, StaticDefinition>? change = null, string path = "/files") => WebRig.StartAsync(
        new WebDefinition { Static = [(change ?? (static same => same))(new StaticDefinition(null, path, "public"))] },
        static folder =>
        {
            void Write(string name, string text)
            {
                var file = Path.Combine(folder, name);
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                File.WriteAllText(file, text);
            }

            Write("public/a.txt", "0123456789");
            Write("public/app.js", new string('a', 5000));
            Write("public/large.bin", _large);
            Write("public/docs/index.html", "<h1>Docs</h1>");
            Write("public/index.html", "<h1>App</h1>");
            Write("public/.env", "SECRET=1");
            Write("public/.well-known/security.txt", "Contact: x");
            Write("public/with space.txt", "space");
            Write("public/source.php", "<?php secret();");
            Write("outside/secret.txt", "secret");
            Write("shared/up.txt", "uploaded");
            File.CreateSymbolicLink(Path.Combine(folder, "public/leak.txt"), "../outside/secret.txt");
            File.CreateSymbolicLink(Path.Combine(folder, "public/uploads"), "../shared");
            File.CreateSymbolicLink(Path.Combine(folder, "public/same.txt"), "a.txt");
        });

    [Fact]
    public async Task A_file_is_served_with_type_tag_and_date()
    {
        await using var rig = await StartAsync();
        var (head, body) = await rig.GetAsync("/files/a.txt");
        Assert.Equal("0123456789", body);
        Assert.Contains("\r\nContent-Type: text/plain; charset=utf-8\r\n", head);
        Assert.Matches("\r\nETag: \"[0-9a-f]{20}\"\r\n", head);
        Assert.Contains("\r\nLast-Modified: ", head);
        Assert.Contains("\r\nAccept-Ranges: bytes\r\n", head);
        Assert.DoesNotContain("Cache-Control", head);
        Assert.Equal("space", (await rig.GetAsync("/files/with%20space.txt")).Body);
        Assert.Equal("0123456789", (await rig.GetAsync("/files/same.txt")).Body);
        Assert.Equal("Contact: x", (await rig.GetAsync("/files/.well-known/security.txt")).Body);
    }

    [Theory]
    [InlineData("/files/.env")]
    [InlineData("/files/leak.txt")]
    [InlineData("/files/uploads/up.txt")]
    [InlineData("/files/source.php")]
    [InlineData("/files/%2e%65nv")]
    [InlineData("/files/docs%2findex.html")]
    [InlineData("/files/docs")]
    [InlineData("/files/a.txt/")]
    [InlineData("/files//a.txt")]
    [InlineData("/files/nothing")]
    [InlineData("/filesa.txt")]
    public async Task What_is_no_file_of_the_folder_goes_on_to_the_service(string path)
    {
        await using var rig = await StartAsync();
        var (head, body) = await rig.GetAsync(path);
        Assert.True(body == $"GET {path} HTTP/1.1" || head.StartsWith("HTTP/1.1 301 ", StringComparison.Ordinal), body);
    }

    [Theory]
    [InlineData("x.PHP")]
    [InlineData("x.PhTml")]
    [InlineData("index.php~")]
    [InlineData("config.php.bak")]
    [InlineData("config.php.OLD")]
    [InlineData("config.php.orig")]
    [InlineData("config.php.swp")]
    [InlineData("config.php.bak.gz")]
    public async Task The_source_of_a_script_and_copies_of_it_are_never_served(string name)
    {
        await using var rig = await WebRig.StartAsync(
            new WebDefinition { Static = [new StaticDefinition(null, "/", "public")] },
            folder =>
            {
                Directory.CreateDirectory(Path.Combine(folder, "public"));
                File.WriteAllText(Path.Combine(folder, "public", name), "<?php secret();");
                File.WriteAllText(Path.Combine(folder, "public/photo.php.jpg"), "photo");
            });
        Assert.Equal($"GET /{name} HTTP/1.1", (await rig.GetAsync("/" + name)).Body);
        Assert.Equal("photo", (await rig.GetAsync("/photo.php.jpg")).Body);
    }

    [Fact]
    public async Task Links_lead_into_the_folders_listed()
    {
        await using var rig = await StartAsync(folder => folder with { Links = ["shared"] });
        Assert.Equal("uploaded", (await rig.GetAsync("/files/uploads/up.txt")).Body);
        Assert.Equal("GET /files/leak.txt HTTP/1.1", (await rig.GetAsync("/files/leak.txt")).Body);
    }

    [Theory]
    [InlineData("bytes=2-4", "206", "234", "bytes 2-4/10")]
    [InlineData("bytes=7-", "206", "789", "bytes 7-9/10")]
    [InlineData("bytes=-3", "206", "789", "bytes 7-9/10")]
    [InlineData("bytes=0-99", "206", "0123456789", "bytes 0-9/10")]
    [InlineData("bytes=10-", "416", null, "bytes */10")]
    [InlineData("bytes=-0", "416", null, "bytes */10")]
    [InlineData("bytes=1-2,4-5", "200", "0123456789", null)]
    [InlineData("bytes=4-2", "200", "0123456789", null)]
    [InlineData("lines=1-2", "200", "0123456789", null)]
    [InlineData("bytes=99999999999999999999-", "200", "0123456789", null)]
    public async Task A_range_is_answered_in_part(string range, string status, string? body, string? contentRange)
    {
        await using var rig = await StartAsync();
        var (head, got) = await rig.GetAsync("/files/a.txt", $"Range: {range}");
        Assert.StartsWith($"HTTP/1.1 {status} ", head);
        Assert.Equal(body ?? got, got);
        Assert.Equal(contentRange is not null, head.Contains($"Content-Range: {contentRange}\r\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Conditions_hold()
    {
        await using var rig = await StartAsync();
        var (head, _) = await rig.GetAsync("/files/a.txt");
        var tag = Field(head, "ETag");
        var date = Field(head, "Last-Modified");
        async Task IsAsync(string status, params string[] fields) => Assert.StartsWith($"HTTP/1.1 {status} ", (await rig.GetAsync("/files/a.txt", fields)).Head);
        await IsAsync("304", $"If-None-Match: {tag}");
        await IsAsync("304", $"If-None-Match: \"x\", W/{tag}");
        await IsAsync("304", "If-None-Match: *");
        await IsAsync("200", "If-None-Match: \"x\"");
        await IsAsync("304", $"If-Modified-Since: {date}");
        await IsAsync("200", "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT");
        await IsAsync("200", "If-None-Match: \"x\"", $"If-Modified-Since: {date}");
        await IsAsync("412", "If-Match: \"x\"");
        await IsAsync("412", $"If-Match: W/{tag}");
        await IsAsync("200", $"If-Match: {tag}");
        await IsAsync("412", "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT");
        await IsAsync("206", "Range: bytes=1-2", $"If-Range: {tag}");
        await IsAsync("200", "Range: bytes=1-2", "If-Range: \"x\"");
        await IsAsync("206", "Range: bytes=1-2", $"If-Range: {date}");
        await IsAsync("200", "If-Modified-Since: yesterday");
    }

    [Fact]
    public async Task HEAD_says_the_length_and_sends_nothing()
    {
        await using var rig = await StartAsync();
        using var client = await rig.Edge.ConnectAsync();
        await client.SendAsync("HEAD /files/large.bin HTTP/1.1\r\nHost: test\r\n\r\nGET /files/a.txt HTTP/1.1\r\nHost: test\r\n\r\n");
        Assert.Contains($"\r\nContent-Length: {_large.Length}\r\n", await client.ReadHeadAsync());
        Assert.Equal("0123456789", (await client.ReadResponseAsync()).Body);
    }

    [Fact]
    public async Task What_compresses_is_compressed_for_who_takes_it()
    {
        await using var rig = await StartAsync();
        using var client = await rig.Edge.ConnectAsync();
        await client.SendAsync("GET /files/app.js HTTP/1.1\r\nHost: test\r\nAccept-Encoding: br;q=0, gzip\r\n\r\n");
        var head = await client.ReadHeadAsync();
        Assert.Contains("\r\nContent-Encoding: gzip\r\n", head);
        Assert.Contains("\r\nVary: Accept-Encoding\r\n", head);
        using var body = new GZipStream(new MemoryStream(await client.ReadBodyAsync(head)), CompressionMode.Decompress);
        Assert.Equal(new string('a', 5000), new StreamReader(body).ReadToEnd());
        var (plain, _) = await rig.GetAsync("/files/app.js", "Accept-Encoding: gzip;q=0");
        Assert.DoesNotContain("Content-Encoding", plain);
        Assert.NotEqual(Field(plain, "ETag"), Field(head, "ETag"));
    }

    [Fact]
    public async Task A_precompressed_sibling_comes_first()
    {
        await using var rig = await StartAsync();
        File.WriteAllText(Path.Combine(rig.Folder, "public/app.js.br"), "brotli, let us say");
        var (head, body) = await rig.GetAsync("/files/app.js", "Accept-Encoding: gzip, br");
        Assert.Contains("\r\nContent-Encoding: br\r\n", head);
        Assert.Contains("\r\nContent-Type: text/javascript; charset=utf-8\r\n", head);
        Assert.Equal("brotli, let us say", body);
    }

    [Fact]
    public async Task A_large_file_comes_whole_in_parts_and_to_a_slow_client()
    {
        await using var rig = await StartAsync();
        Assert.Equal(_large, (await rig.GetAsync("/files/large.bin")).Body);
        Assert.Equal(_large[600_000..900_001], (await rig.GetAsync("/files/large.bin", "Range: bytes=600000-900000")).Body);
        using var client = await rig.Edge.ConnectAsync();
        client.Socket.ReceiveBufferSize = 4096;
        await client.SendAsync("GET /files/large.bin HTTP/1.1\r\nHost: test\r\n\r\nGET /files/a.txt HTTP/1.1\r\nHost: test\r\n\r\n");
        Assert.Equal(_large, (await client.ReadResponseAsync()).Body);
        Assert.Equal("0123456789", (await client.ReadResponseAsync()).Body);
    }

    [Fact]
    public async Task A_client_that_leaves_in_the_midst_of_a_file_leaves_nothing_behind()
    {
        await using var rig = await StartAsync();
        for (var i = 0; i < 20; i++)
        {
            using var client = await rig.Edge.ConnectAsync();
            await client.SendAsync("GET /files/large.bin HTTP/1.1\r\nHost: test\r\n\r\n");
            await client.ReadHeadAsync();
            client.Reset();
        }

        Assert.Equal(_large, (await rig.GetAsync("/files/large.bin")).Body);
    }

    [Fact]
    public async Task A_folder_has_an_index_and_its_path_a_slash()
    {
        await using var rig = await StartAsync();
        Assert.Equal("<h1>Docs</h1>", (await rig.GetAsync("/files/docs/")).Body);
    }

    [Fact]
    public async Task One_page_stands_for_all_paths_of_an_app_in_the_browser()
    {
        await using var rig = await StartAsync(folder => folder with { TryFiles = ["$uri", "/index.html"] }, "/");
        Assert.Equal("<h1>App</h1>", (await rig.GetAsync("/some/page")).Body);
        Assert.Equal("0123456789", (await rig.GetAsync("/a.txt")).Body);
        Assert.Equal("POST /some/page HTTP/1.1", (await rig.AskAsync("POST", "/some/page", "Content-Length: 0")).Body);
    }

    [Fact]
    public async Task A_missing_file_may_be_the_end()
    {
        await using var rig = await StartAsync(folder => folder with { TryFiles = ["$uri", "=404"], Immutable = true });
        Assert.StartsWith("HTTP/1.1 404 ", (await rig.GetAsync("/files/nothing")).Head);
        Assert.Contains("\r\nCache-Control: public, max-age=31536000, immutable\r\n", (await rig.GetAsync("/files/a.txt")).Head);
    }

    [Fact]
    public async Task The_root_of_a_service_comes_before_the_service()
    {
        await using var rig = await WebRig.StartAsync(
            new WebDefinition(), folder => File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "public")).FullName, "robots.txt"), "all"),
            service => service with { Root = "public" });
        Assert.Equal("all", (await rig.GetAsync("/robots.txt")).Body);
        Assert.Equal("GET /page HTTP/1.1", (await rig.GetAsync("/page")).Body);
    }

    private static string Field(string head, string name)
    {
        var at = head.IndexOf($"\r\n{name}: ", StringComparison.Ordinal) + name.Length + 4;
        return head[at..head.IndexOf('\r', at)];
    }
}
