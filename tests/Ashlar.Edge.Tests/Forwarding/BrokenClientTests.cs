using Ashlar.Edge.Forwarding;

namespace Ashlar.Edge.Tests.Forwarding;

public sealed class BrokenClientTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(20);

    /// <summary>An app that tells how its connection ended after the request's head.</summary>
    private static ScriptedApp Watching(TaskCompletionSource<string> ended, string answer = "") => new(async connection =>
    {
        await connection.ReadHeadAsync();
        await connection.SendAsync(answer);
        ended.TrySetResult(await connection.EndAsync());
    });

    [Fact]
    public async Task A_client_that_leaves_in_the_midst_of_its_body_resets_the_apps_connection()
    {
        var ended = new TaskCompletionSource<string>();
        await using var app = Watching(ended);
        await using var edge = await EdgeRig.StartAsync(app);
        using (var client = await edge.ConnectAsync())
        {
            await client.SendAsync("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n");
        }

        Assert.Equal("reset", await ended.Task.WaitAsync(_bound));
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")]
    public async Task A_client_that_leaves_before_the_answer_is_complete_resets_the_apps_connection(string answer)
    {
        var ended = new TaskCompletionSource<string>();
        await using var app = Watching(ended, answer);
        await using var edge = await EdgeRig.StartAsync(new ForwardingOptions { HalfClosedTimeout = TimeSpan.FromMilliseconds(100) }, app);
        using (var client = await edge.ConnectAsync())
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
            if (answer.Length > 0)
            {
                await client.ReadHeadAsync();
            }
        }

        Assert.Equal("reset", await ended.Task.WaitAsync(_bound));
    }

    [Fact]
    public async Task A_client_that_resets_takes_the_apps_connection_with_it()
    {
        var ended = new TaskCompletionSource<string>();
        await using var app = Watching(ended, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
        await using var edge = await EdgeRig.StartAsync(new ForwardingOptions { HalfClosedTimeout = _bound }, app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        await client.ReadHeadAsync();

        client.Reset();

        Assert.Equal("reset", await ended.Task.WaitAsync(_bound));
    }

    [Fact]
    public async Task A_head_that_does_not_come_in_time_is_a_408()
    {
        await using var edge = await EdgeRig.StartAsync(new ForwardingOptions { HeadTimeout = TimeSpan.FromMilliseconds(100) });
        using var client = await edge.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: te");

        Assert.StartsWith("HTTP/1.1 408 ", (await client.ReadResponseAsync()).Head);
        Assert.Equal("closed", await client.EndAsync());
    }

    [Fact]
    public async Task A_connection_on_which_nothing_comes_is_closed_without_a_word()
    {
        await using var edge = await EdgeRig.StartAsync(new ForwardingOptions { KeepAliveTimeout = TimeSpan.FromMilliseconds(100) });
        using var client = await edge.ConnectAsync();

        Assert.Equal("closed", await client.EndAsync());
    }

    [Fact]
    public async Task A_body_that_does_not_come_in_time_is_a_408_and_the_app_sees_it_broken_off()
    {
        var ended = new TaskCompletionSource<string>();
        await using var app = Watching(ended);
        await using var edge = await EdgeRig.StartAsync(new ForwardingOptions { RequestBodyTimeout = TimeSpan.FromMilliseconds(100) }, app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 408 ", (await client.ReadResponseAsync()).Head);
        Assert.Equal("reset", await ended.Task.WaitAsync(_bound));
    }

    [Fact]
    public async Task A_body_that_trickles_is_a_408()
    {
        await using var app = Watching(new());
        var options = new ForwardingOptions { RequestBodyTimeout = TimeSpan.FromMilliseconds(400), MinRequestBodyRate = 1000 };
        await using var edge = await EdgeRig.StartAsync(options, app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 408 ", (await client.TrickleAsync()).Head);
    }

    [Fact]
    public async Task A_client_that_does_not_take_its_answer_is_let_go()
    {
        var ended = new TaskCompletionSource<string>();
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync("HTTP/1.1 200 OK\r\n\r\n");
            try
            {
                while (true)
                {
                    await connection.SendAsync(new byte[1_000_000]);
                }
            }
            catch (System.Net.Sockets.SocketException)
            {
                ended.TrySetResult("reset");
            }
        });
        await using var edge = await EdgeRig.StartAsync(new ForwardingOptions { SendTimeout = TimeSpan.FromMilliseconds(200) }, app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: test\r\n\r\n");

        Assert.Equal("reset", await ended.Task.WaitAsync(_bound));
    }

    [Fact]
    public async Task At_the_limit_of_connections_the_longest_idle_gives_way()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var edge = await EdgeRig.StartAsync(new ForwardingOptions { MaxConnections = 8 }, app);
        var idle = new List<RawConnection>();
        for (var i = 0; i < 100; i++)
        {
            var client = await edge.ConnectAsync();
            idle.Add(client);
            await client.SendAsync("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
            Assert.Equal("hello", (await client.ReadResponseAsync()).Body);
        }

        Assert.Equal("closed", await idle[0].EndAsync());
        Assert.InRange(edge.Server.Connections, 1, 8);
        idle.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Whatever_bytes_come_the_edge_answers_or_closes_and_serves_the_next()
    {
        const int Seed = 20261122;
        var random = new Random(Seed);
        await using var app = ScriptedApp.Saying("hello");
        await using var edge = await EdgeRig.StartAsync(app);
        var model = "POST /a?b HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nConnection: close, x\r\n\r\n3\r\nabc\r\n0\r\n\r\n"u8.ToArray();
        for (var i = 0; i < 300; i++)
        {
            var bytes = model.ToArray();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            using var client = await edge.ConnectAsync();
            await client.SendAsync(bytes);
            client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            var all = await client.EndAsync();
            Assert.True(all is "closed" or "reset" || all.StartsWith("HTTP/1.1 ", StringComparison.Ordinal), $"seed {Seed}, round {i}: {all}");
        }

        Assert.Equal("hello", (await edge.GetAsync()).Body);
    }
}
