using System.Net.Sockets;
using Ashlar.Edge.Forwarding;

namespace Ashlar.Edge.Tests.Forwarding;

public sealed class BrokenUpstreamTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
    private const string Post = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nbody";
    private const string Hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

    /// <summary>Serves one request on its first connection, and closes it when the second comes; then serves well.</summary>
    private static ScriptedApp ClosingAtTheSecondRequest(TaskCompletionSource<int> posts) => new(async connection =>
    {
        for (var i = 0; await connection.ReadRequestAsync() is var (head, _); i++)
        {
            if (head.StartsWith("POST", StringComparison.Ordinal))
            {
                posts.TrySetResult(connection.Number);
            }

            if (connection.Number == 1 && i == 1)
            {
                return;
            }

            await connection.SendAsync(Hello);
        }
    });

    [Fact]
    public async Task A_get_on_a_kept_connection_that_closes_is_sent_again()
    {
        await using var app = ClosingAtTheSecondRequest(new());
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();

        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync(Get);
            Assert.Equal("hello", (await client.ReadResponseAsync()).Body);
        }

        Assert.Equal(2, app.Accepted);
    }

    [Fact]
    public async Task A_post_that_may_have_been_seen_is_not_sent_again()
    {
        var posts = new TaskCompletionSource<int>();
        await using var app = ClosingAtTheSecondRequest(posts);
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync(Get);
        await client.ReadResponseAsync();

        await client.SendAsync(Post);

        Assert.StartsWith("HTTP/1.1 502 ", (await client.ReadResponseAsync()).Head);
        Assert.Equal(1, await posts.Task);
        Assert.Equal(1, app.Accepted);
    }

    [Fact]
    public async Task A_put_with_its_whole_body_at_hand_is_sent_again()
    {
        var bodies = 0;
        await using var app = new ScriptedApp(async connection =>
        {
            for (var i = 0; await connection.ReadRequestAsync() is var (_, body); i++)
            {
                bodies += body.Length == 10_000 ? 1 : 0;
                if (connection.Number == 1 && i == 1)
                {
                    return;
                }

                await connection.SendAsync(Hello);
            }
        });
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync(Get);
        await client.ReadResponseAsync();

        await client.SendAsync($"PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 10000\r\n\r\n{new string('x', 10_000)}");

        Assert.Equal("hello", (await client.ReadResponseAsync()).Body);
        Assert.Equal(2, bodies);
    }

    [Fact]
    public async Task A_get_on_a_fresh_connection_that_closes_is_not_sent_again()
    {
        await using var app = new ScriptedApp(async connection => await connection.ReadRequestAsync());
        await using var edge = await EdgeRig.StartAsync(app);

        Assert.StartsWith("HTTP/1.1 502 ", (await edge.GetAsync()).Head);
        Assert.Equal(1, app.Accepted);
    }

    [Fact]
    public async Task A_refused_connection_sends_any_request_to_another_instance()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var edge = await EdgeRig.StartAsync(app);
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        edge.Serve(service => service, ((System.Net.IPEndPoint)nobody.LocalEndPoint!).Port, app.Port);

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("hello", (await edge.AskAsync(Post)).Body);
        }

        Assert.NotEmpty(edge.Told.Ejected);
    }

    [Fact]
    public async Task No_instance_at_all_is_a_503_and_a_refusing_one_a_502()
    {
        await using var edge = await EdgeRig.StartAsync();
        Assert.StartsWith("HTTP/1.1 503 ", (await edge.GetAsync()).Head);

        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        edge.Serve(service => service, ((System.Net.IPEndPoint)nobody.LocalEndPoint!).Port);
        Assert.Matches("^HTTP/1.1 50[23] ", (await edge.GetAsync()).Head);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le")]
    public async Task An_answer_that_is_not_valid_is_a_502(string answer)
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync(answer);
        });
        await using var edge = await EdgeRig.StartAsync(app);

        Assert.StartsWith("HTTP/1.1 502 ", (await edge.GetAsync()).Head);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nbad\r\n")]
    public async Task An_answer_that_breaks_off_does_not_look_complete(string answer)
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync(answer);
        });
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync(Get);

        await Assert.ThrowsAnyAsync<Exception>(() => client.ReadResponseAsync());
    }

    [Fact]
    public async Task Bytes_behind_an_answer_end_the_connection_and_are_nobodys_answer()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
            {
                await connection.SendAsync(Hello + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
            }
        });
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();

        for (var i = 0; i < 5; i++)
        {
            await client.SendAsync(Get);
            Assert.Equal("hello", (await client.ReadResponseAsync()).Body);
        }

        Assert.Equal(5, app.Accepted);
    }

    [Fact]
    public async Task An_app_that_keeps_silent_is_a_504()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.EndAsync();
        });
        await using var edge = await EdgeRig.StartAsync(new ForwardingOptions { ResponseHeadTimeout = TimeSpan.FromMilliseconds(100) }, app);

        Assert.StartsWith("HTTP/1.1 504 ", (await edge.GetAsync()).Head);
    }

    [Fact]
    public async Task An_app_that_stops_in_the_midst_of_its_answer_breaks_it_off()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
            await connection.EndAsync();
        });
        await using var edge = await EdgeRig.StartAsync(new ForwardingOptions { ResponseBodyTimeout = TimeSpan.FromMilliseconds(100) }, app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync(Get);

        await Assert.ThrowsAnyAsync<Exception>(() => client.ReadResponseAsync());
    }

    [Fact]
    public async Task An_idle_connection_is_closed_before_the_app_would_close_it()
    {
        var ended = new TaskCompletionSource<string>();
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.SendAsync(Hello);
            ended.TrySetResult(await connection.EndAsync());
        });
        var upstream = new Ashlar.Http.Upstream.UpstreamOptions { IdleTimeout = TimeSpan.FromMilliseconds(100) };
        await using var edge = await EdgeRig.StartAsync(new ForwardingOptions { Upstream = upstream }, app);

        await edge.GetAsync();

        Assert.Equal("closed", await ended.Task.WaitAsync(TimeSpan.FromSeconds(20)));
    }
}
