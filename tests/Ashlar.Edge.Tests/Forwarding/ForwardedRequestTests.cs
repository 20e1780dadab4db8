namespace Ashlar.Edge.Tests.Forwarding;

public sealed class ForwardedRequestTests
{
    [Fact]
    public async Task The_app_is_told_of_the_client_and_the_client_gets_the_answer()
    {
        var seen = "";
        await using var app = ScriptedApp.Answering((head, _) =>
        {
            seen = head;
            return "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        });
        await using var edge = await EdgeRig.StartAsync(app);

        var (head, body) = await edge.GetAsync("/path?query=1");

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", head);
        Assert.Equal("hello", body);
        Assert.StartsWith("GET /path?query=1 HTTP/1.1\r\nHost: test\r\n", seen);
        Assert.Contains("X-Forwarded-For: 127.0.0.1\r\n", seen);
        Assert.Contains("X-Forwarded-Proto: http\r\n", seen);
        Assert.Contains($"X-Forwarded-Port: {edge.Port}\r\n", seen);
        Assert.Contains("X-Request-Start: t=", seen);
        Assert.Contains("X-Request-Id: ", seen);
    }

    [Fact]
    public async Task Each_request_leaves_a_line_in_the_access_log()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var edge = await EdgeRig.StartAsync(app);
        await edge.GetAsync("/a");
        await edge.AskAsync("BROKEN\r\n\r\n");

        var lines = await edge.EndAndReadLogAsync();

        Assert.Equal(2, lines.Length);
        Assert.Contains("\"method\":\"GET\",\"host\":\"test\",\"target\":\"/a\",\"status\":200", lines[0]);
        Assert.Contains("\"service\":\"web\",\"instance\":\"web.1\"", lines[0]);
        Assert.Contains("\"status\":400", lines[1]);
        Assert.Contains("\"failure\":\"bad-request\"", lines[1]);
    }

    [Fact]
    public async Task Both_sides_are_kept_alive()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();

        for (var i = 0; i < 10; i++)
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
            Assert.Equal("hello", (await client.ReadResponseAsync()).Body);
        }

        Assert.Equal(1, app.Accepted);
    }

    [Fact]
    public async Task Pipelined_requests_are_answered_in_order()
    {
        await using var app = ScriptedApp.Answering((head, _) => $"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{head[5..7]}");
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();

        await client.SendAsync(string.Concat(Enumerable.Range(10, 50).Select(i => $"GET /{i} HTTP/1.1\r\nHost: test\r\n\r\n")));

        for (var i = 10; i < 60; i++)
        {
            Assert.Equal($"{i}", (await client.ReadResponseAsync()).Body);
        }
    }

    [Fact]
    public async Task An_error_ends_the_pipeline()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();

        await client.SendAsync("GET / HTTP/1.1\r\nHost: test\r\n\r\nGET / HTTP/1.1\r\nHost : test\r\n\r\nGET / HTTP/1.1\r\nHost: test\r\n\r\n");

        Assert.Equal("hello", (await client.ReadResponseAsync()).Body);
        var (head, _) = await client.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 400 ", head);
        Assert.Contains("Connection: close", head);
        Assert.Equal("closed", await client.EndAsync());
    }

    [Fact]
    public async Task Bytes_that_come_one_at_a_time_mean_the_same()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            while (await connection.ReadRequestAsync() is var (_, body))
            {
                foreach (var b in $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n{System.Text.Encoding.ASCII.GetString(body)}\r\n0\r\n\r\n")
                {
                    await connection.SendAsync($"{b}");
                }
            }
        });
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();
        client.Socket.NoDelay = true;

        foreach (var b in "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")
        {
            await client.SendAsync($"{b}");
        }

        Assert.Equal("abcde", (await client.ReadResponseAsync()).Body);
    }

    [Theory]
    [InlineData("TRACE / HTTP/1.1\r\nHost: test\r\n\r\n", "501")]
    [InlineData("CONNECT test:443 HTTP/1.1\r\nHost: test\r\n\r\n", "501")]
    [InlineData("OPTIONS / HTTP/1.1\r\nHost: test\r\nMax-Forwards: 0\r\n\r\n", "200")]
    [InlineData("GET / HTTP/2.0\r\nHost: test\r\n\r\n", "505")]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "400")]
    [InlineData("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400")]
    public async Task What_is_not_for_the_app_never_reaches_it(string request, string status)
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var edge = await EdgeRig.StartAsync(app);

        var (head, _) = await edge.AskAsync(request);

        Assert.StartsWith($"HTTP/1.1 {status} ", head);
        Assert.Equal(0, app.Accepted);
    }

    [Fact]
    public async Task A_head_at_its_limits_is_served_and_one_beyond_is_refused()
    {
        await using var app = ScriptedApp.Answering((head, _) => $"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX: {new string('y', 30_000)}\r\n\r\n{(head.Length > 30_000 ? 'y' : 'n')}");
        await using var edge = await EdgeRig.StartAsync(app);

        var (head, body) = await edge.AskAsync($"GET / HTTP/1.1\r\nHost: test\r\nX: {new string('x', 32_000)}\r\n\r\n");
        Assert.Equal("y", body);
        Assert.True(head.Length > 30_000);
        Assert.StartsWith("HTTP/1.1 431 ", (await edge.AskAsync($"GET / HTTP/1.1\r\nHost: test\r\nX: {new string('x', 33_000)}\r\n\r\n")).Head);
        Assert.StartsWith("HTTP/1.1 414 ", (await edge.AskAsync($"GET /{new string('x', 17_000)} HTTP/1.1\r\nHost: test\r\n\r\n")).Head);
    }

    [Fact]
    public async Task An_old_client_is_served_and_closed()
    {
        await using var app = ScriptedApp.Answering((_, _) => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();

        await client.SendAsync("GET / HTTP/1.0\r\n\r\n");

        var head = await client.ReadHeadAsync();
        Assert.DoesNotContain("chunked", head);
        Assert.Equal("hello world", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task A_client_that_half_closes_still_gets_its_answer()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();

        await client.SendAsync("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);

        Assert.Equal("hello", (await client.ReadResponseAsync()).Body);
        Assert.Equal("closed", await client.EndAsync());
    }
}
