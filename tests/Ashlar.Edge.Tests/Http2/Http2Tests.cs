using System.Net;
using System.Text;
using Ashlar.Catalog;
using Ashlar.Edge.Forwarding;
using Ashlar.Edge.Tests.Caching;
using Ashlar.Edge.Tests.Certificates;
using Ashlar.Edge.Tests.Forwarding;
using Ashlar.Stack;

namespace Ashlar.Edge.Tests.Http2;

/// <summary>HTTP/2 in: each of its requests is an exchange like any other.</summary>
public sealed class Http2Tests
{
    [Fact]
    public async Task Bodies_go_both_ways_with_and_without_a_length()
    {
        await using var app = ScriptedApp.Answering(static (_, body) =>
            $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n{Encoding.Latin1.GetString(body)}\r\n0\r\n\r\n");
        await using var rig = await TlsRig.StartAsync(app);
        using var client = rig.Client();
        var sent = new byte[1 << 20];
        new Random(7).NextBytes(sent);

        using var known = await client.PostAsync(rig.Secure(), new ByteArrayContent(sent));
        Assert.Equal(sent, await known.Content.ReadAsByteArrayAsync());
        Assert.Equal(HttpVersion.Version20, known.Version);

        using var unknown = await client.PostAsync(rig.Secure(), new StreamContent(new Unseekable(sent)));
        Assert.Equal(sent, await unknown.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(64 * 1024 + 1)]
    [InlineData(5_000_000)]
    public async Task A_file_of_any_size_comes_whole(int length)
    {
        await using var app = ScriptedApp.Answering(static (_, _) => CacheRig.Answer(""));
        await using var rig = await TlsRig.StartAsync(app);
        var content = new byte[length];
        new Random(8).NextBytes(content);
        Directory.CreateDirectory(Path.Combine(rig.Folder, "public"));
        await File.WriteAllBytesAsync(Path.Combine(rig.Folder, "public", "file.bin"), content);
        rig.Serve(app, new CatalogTls(), new WebDefinition { Static = [new StaticDefinition(null, "/", "public")] });
        using var client = rig.Client();
        Assert.Equal(content, await client.GetByteArrayAsync(rig.Secure("/file.bin")));
    }

    [Fact]
    public async Task What_is_stored_comes_whole_however_large_its_pieces()
    {
        var body = new string('x', 6 << 20);
        await using var app = ScriptedApp.Answering((_, n) => CacheRig.Answer("Cache-Control: max-age=60", body));
        await using var rig = await TlsRig.StartAsync(app);
        rig.Server.UseCache(new CatalogCache { Memory = 64 << 20 });
        using var client = rig.Client();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(body, await client.GetStringAsync(rig.Secure()));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_takes_nothing_of_an_answer_is_not_waited_for_without_end(bool chunked)
    {
        var body = new string('x', 4 << 20);
        await using var app = ScriptedApp.Answering((_, _) => chunked ? $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n{body}\r\n0\r\n\r\n" : CacheRig.Answer("", body));
        await using var rig = await TlsRig.StartAsync(new ForwardingOptions { SendTimeout = TimeSpan.FromSeconds(1) }, app);
        using var client = rig.Client();
        using var answer = await client.GetAsync(rig.Secure(), HttpCompletionOption.ResponseHeadersRead);
        Assert.True(await rig.Server.DrainAsync(TimeSpan.FromSeconds(30)));
        await Assert.ThrowsAnyAsync<Exception>(() => answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Many_requests_share_one_connection()
    {
        await using var app = ScriptedApp.Answering(static (head, _) =>
        {
            var path = head.Split(' ')[1];
            return $"HTTP/1.1 200 OK\r\nContent-Length: {path.Length}\r\n\r\n{path}";
        });
        await using var rig = await TlsRig.StartAsync(app);
        using var client = rig.Client();
        var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(i => client.GetStringAsync(rig.Secure($"/{i}"))));
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"/{i}"), answers);
    }

    [Theory]
    [InlineData("HEAD", 200, "Content-Length: 5\r\n", "")]
    [InlineData("GET", 204, "", "")]
    [InlineData("GET", 304, "ETag: \"x\"\r\n", "")]
    [InlineData("GET", 404, "Content-Length: 2\r\n", "no")]
    public async Task Answers_with_and_without_a_body_end(string method, int status, string fields, string body)
    {
        await using var app = ScriptedApp.Answering((_, _) => $"HTTP/1.1 {status} X\r\n{fields}\r\n{body}");
        await using var rig = await TlsRig.StartAsync(app);
        using var client = rig.Client();
        using var request = new HttpRequestMessage(new HttpMethod(method), rig.Secure()) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var answer = await client.SendAsync(request);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(body, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task What_an_app_sends_piece_by_piece_comes_piece_by_piece()
    {
        var next = new SemaphoreSlim(0);
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
            for (var i = 0; i < 3; i++)
            {
                await connection.SendAsync($"data: {i}\n\n");
                await next.WaitAsync();
            }
        });
        await using var rig = await TlsRig.StartAsync(app);
        using var client = rig.Client();
        using var reader = new StreamReader(await client.GetStreamAsync(rig.Secure()));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal($"data: {i}", await reader.ReadLineAsync());
            Assert.Equal("", await reader.ReadLineAsync());
            next.Release();
        }

        Assert.Null(await reader.ReadLineAsync());
    }

    [Fact]
    public async Task A_request_that_the_client_takes_back_is_broken_off_at_the_app()
    {
        var asked = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadRequestAsync();
            asked.TrySetResult();
            await connection.EndAsync();
            ended.TrySetResult();
        });
        await using var rig = await TlsRig.StartAsync(app);
        using var client = rig.Client();
        using var cancel = new CancellationTokenSource();
        var request = client.GetAsync(rig.Secure(), cancel.Token);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task An_answer_that_is_cut_short_is_no_whole_answer()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
        });
        await using var rig = await TlsRig.StartAsync(app);
        using var client = rig.Client();
        await Assert.ThrowsAnyAsync<Exception>(() => client.GetStringAsync(rig.Secure()));
    }

    [Fact]
    public async Task A_drain_lets_what_is_asked_be_answered()
    {
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource();
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadRequestAsync();
            asked.TrySetResult();
            await answer.Task;
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
        });
        await using var rig = await TlsRig.StartAsync(app);
        using var client = rig.Client();
        var request = client.GetStringAsync(rig.Secure());
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var drained = rig.Server.DrainAsync(TimeSpan.FromSeconds(30));
        answer.SetResult();
        Assert.Equal("late", await request);
        Assert.True(await drained);
    }

    [Fact]
    public async Task A_WebSocket_comes_over_it_too()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            var head = await connection.ReadHeadAsync();
            await connection.SendAsync(head.Contains("Upgrade: websocket\r\n", StringComparison.OrdinalIgnoreCase)
                ? "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n"
                : "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");

            // A masked frame of a few bytes (RFC 6455 section 5.2), and its answer without a mask.
            var start = await connection.ReadExactlyAsync(6);
            var payload = await connection.ReadExactlyAsync(start[1] & 0x7f);
            await connection.SendAsync([start[0], (byte)payload.Length, .. payload.Select((b, i) => (byte)(b ^ start[2 + (i % 4)]))]);
            await connection.ReadToEndAsync();
        });
        await using var rig = await TlsRig.StartAsync(app);
        using var client = rig.Client();
        using var socket = new System.Net.WebSockets.ClientWebSocket();
        (socket.Options.HttpVersion, socket.Options.HttpVersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await socket.ConnectAsync(new UriBuilder(rig.Secure("/ws")) { Scheme = "wss" }.Uri, client, bound.Token);
        await socket.SendAsync("hello"u8.ToArray(), System.Net.WebSockets.WebSocketMessageType.Text, true, bound.Token);
        var received = new byte[16];
        var result = await socket.ReceiveAsync(received, bound.Token);
        Assert.Equal("hello", Encoding.ASCII.GetString(received, 0, result.Count));
    }

    private sealed class Unseekable(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
