using System.Security.Cryptography;
using System.Text;
using Ashlar.Edge.Forwarding;

namespace Ashlar.Edge.Tests.Forwarding;

public sealed class ForwardedBodyTests
{
    private static readonly byte[] _megabytes = RandomNumberGenerator.GetBytes(3_000_000);

    private static ScriptedApp Echo() => new(async connection =>
    {
        while (await connection.ReadRequestAsync() is var (_, body))
        {
            await connection.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n");
            await connection.SendAsync(body);
        }
    });

    [Fact]
    public async Task A_large_body_arrives_whole_in_both_directions()
    {
        await using var app = Echo();
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();

        for (var i = 0; i < 2; i++)
        {
            await client.SendAsync($"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {_megabytes.Length}\r\n\r\n");
            await client.SendAsync(_megabytes);
            var body = await client.ReadBodyAsync(await client.ReadHeadAsync());
            Assert.True(_megabytes.AsSpan().SequenceEqual(body));
        }

        Assert.Equal(1, app.Accepted);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4096)]
    [InlineData(65_536)]
    [InlineData(1_000_000)]
    public async Task A_chunked_body_arrives_whole_whatever_the_chunks(int chunk)
    {
        await using var app = Echo();
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();
        var bytes = _megabytes.AsSpan(0, Math.Min(_megabytes.Length, chunk * 2000)).ToArray();

        await client.SendAsync("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
        await client.SendAsync(Chunked(bytes, chunk));

        Assert.Equal(bytes, await client.ReadBodyAsync(await client.ReadHeadAsync()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(100_000)]
    public async Task A_chunked_answer_arrives_whole_for_new_and_old_clients(int chunk)
    {
        var bytes = _megabytes.AsSpan(0, Math.Min(_megabytes.Length, chunk * 2000)).ToArray();
        await using var app = new ScriptedApp(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
            {
                await connection.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                await connection.SendAsync(Chunked(bytes, chunk));
            }
        });
        await using var edge = await EdgeRig.StartAsync(app);

        var (head, body) = await edge.GetAsync();
        Assert.Contains("Transfer-Encoding: chunked", head);
        Assert.True(bytes.AsSpan().SequenceEqual(Encoding.Latin1.GetBytes(body)));
        (head, body) = await edge.AskAsync("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        Assert.DoesNotContain("chunked", head);
        Assert.True(bytes.AsSpan().SequenceEqual(Encoding.Latin1.GetBytes(body)));
        Assert.Equal(1, app.Accepted);
    }

    [Fact]
    public async Task An_answer_that_ends_with_its_connection_becomes_chunked()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync("HTTP/1.0 200 OK\r\n\r\n");
            await connection.SendAsync(_megabytes);
        });
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();

        for (var i = 0; i < 2; i++)
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
            var head = await client.ReadHeadAsync();
            Assert.Contains("Transfer-Encoding: chunked", head);
            Assert.Equal(_megabytes, await client.ReadBodyAsync(head));
        }
    }

    [Theory]
    [InlineData("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")]
    [InlineData("GET", "HTTP/1.1 204 No Content\r\n\r\n")]
    [InlineData("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n")]
    public async Task Answers_without_a_body_leave_the_connection_in_step(string method, string answer)
    {
        await using var app = ScriptedApp.Answering((head, _) => head.Contains("/last", StringComparison.Ordinal) ? "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast" : answer);
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();

        await client.SendAsync($"{method} / HTTP/1.1\r\nHost: test\r\n\r\nGET /last HTTP/1.1\r\nHost: test\r\n\r\n");

        Assert.StartsWith(answer[..12], await client.ReadHeadAsync());
        Assert.Equal("last", (await client.ReadResponseAsync()).Body);
        Assert.Equal(1, app.Accepted);
    }

    [Fact]
    public async Task Events_are_passed_on_as_they_come()
    {
        var next = new SemaphoreSlim(0);
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (var i = 0; i < 5; i++)
            {
                await connection.SendAsync($"9\r\ndata: {i}\n\n\r\n");
                await next.WaitAsync();
            }

            await connection.SendAsync("0\r\n\r\n");
        });
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        await client.ReadHeadAsync();

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(9, Convert.ToInt32(await client.ReadLineAsync(), 16));
            Assert.Equal($"data: {i}\n\n\r\n", await client.ReadAsync(11));
            next.Release();
        }

        Assert.Equal("0\r\n\r\n", await client.ReadAsync(5));
    }

    [Fact]
    public async Task The_clients_100_continue_comes_from_the_app()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            var head = await connection.ReadHeadAsync();
            Assert.Contains("Expect: 100-continue", head);
            await connection.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
            var body = await connection.ReadBodyAsync(head);
            await connection.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n");
            await connection.SendAsync(body);
        });
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();

        await client.SendAsync("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", await client.ReadHeadAsync());
        await client.SendAsync("hello");

        Assert.Equal("hello", (await client.ReadResponseAsync()).Body);
    }

    [Fact]
    public async Task An_answer_before_the_body_was_read_arrives_and_ends_the_connection()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.SendAsync("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
            await connection.EndAsync();
        });
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();

        await client.SendAsync("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\nfirst part");
        var (head, body) = await client.ReadResponseAsync();

        Assert.StartsWith("HTTP/1.1 401 ", head);
        Assert.Contains("Connection: close", head);
        Assert.Equal("no", body);
        Assert.Equal("closed", await client.EndAsync());
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_the_app_back()
    {
        long sent = 0;
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 300000000\r\n\r\n");
            for (var i = 0; i < 100; i++)
            {
                await connection.SendAsync(_megabytes);
                Interlocked.Add(ref sent, _megabytes.Length);
            }
        });
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        await client.ReadHeadAsync();

        // Until the app stands still: the sockets' buffers are full, and the edge takes no more.
        long before;
        do
        {
            before = Volatile.Read(ref sent);
            await Task.Delay(300);
        }
        while (Volatile.Read(ref sent) != before);

        Assert.True(before < 100_000_000, $"{before} bytes were taken from the app, and the client has read none.");
    }

    [Fact]
    public async Task A_body_beyond_the_limit_is_refused()
    {
        await using var app = Echo();
        await using var edge = await EdgeRig.StartAsync(new ForwardingOptions { MaxRequestBody = 1000 }, app);

        Assert.StartsWith("HTTP/1.1 413 ", (await edge.AskAsync("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1001\r\n\r\n")).Head);
        Assert.StartsWith("HTTP/1.1 413 ", (await edge.AskAsync($"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n{new string('x', 2000)}\r\n0\r\n\r\n")).Head);
        Assert.Equal(1000, (await edge.AskAsync($"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n{new string('x', 1000)}")).Body.Length);
    }

    private static byte[] Chunked(byte[] bytes, int chunk)
    {
        var framed = new List<byte>();
        for (var at = 0; at < bytes.Length; at += chunk)
        {
            var length = Math.Min(chunk, bytes.Length - at);
            framed.AddRange(Encoding.ASCII.GetBytes($"{length:x}\r\n"));
            framed.AddRange(bytes.AsSpan(at, length));
            framed.AddRange("\r\n"u8);
        }

        framed.AddRange("0\r\n\r\n"u8);
        return [.. framed];
    }
}
