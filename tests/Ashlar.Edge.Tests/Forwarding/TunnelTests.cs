using System.Net.Sockets;

namespace Ashlar.Edge.Tests.Forwarding;

public sealed class TunnelTests
{
    private const string Upgrade =
        "GET /chat HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

    private const string Switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

    [Fact]
    public async Task After_101_every_byte_passes_both_ways()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            Assert.Contains("Upgrade: websocket", await connection.ReadHeadAsync());
            await connection.SendAsync(Switching + "first");
            while (true)
            {
                var bytes = await connection.ReadExactlyAsync(1000);
                await connection.SendAsync(bytes);
            }
        });
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();

        // Bytes behind the request belong to the tunnel as well.
        var bytes = new byte[1000];
        new Random(1).NextBytes(bytes);
        await client.SendAsync(Upgrade);
        var head = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 101 ", head);
        Assert.Contains("Upgrade: websocket", head);
        Assert.Equal("first", await client.ReadAsync(5));
        for (var i = 0; i < 100; i++)
        {
            await client.SendAsync(bytes);
            Assert.Equal(bytes, await client.ReadExactlyAsync(1000));
        }
    }

    [Fact]
    public async Task A_half_closed_tunnel_still_flows_the_other_way()
    {
        var ended = new TaskCompletionSource<string>();
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.SendAsync(Switching);
            var all = await connection.ReadToEndAsync();
            await connection.SendAsync($"got {all}");
            connection.Socket.Shutdown(SocketShutdown.Send);
            ended.TrySetResult(await connection.EndAsync());
        });
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync(Upgrade);
        await client.ReadHeadAsync();

        await client.SendAsync("everything");
        client.Socket.Shutdown(SocketShutdown.Send);

        Assert.Equal("got everything", await client.ReadToEndAsync());
        Assert.Equal("closed", await ended.Task.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task A_tunnel_whose_client_is_reset_resets_the_app()
    {
        var ended = new TaskCompletionSource<string>();
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.SendAsync(Switching);
            ended.TrySetResult(await connection.EndAsync());
        });
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync(Upgrade);
        await client.ReadHeadAsync();

        client.Reset();

        Assert.Equal("reset", await ended.Task.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task A_refused_upgrade_leaves_the_connection_in_step()
    {
        await using var app = ScriptedApp.Answering((head, _) => head.Contains("/chat", StringComparison.Ordinal)
            ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
            : "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        await using var edge = await EdgeRig.StartAsync(app);
        using var client = await edge.ConnectAsync();

        await client.SendAsync(Upgrade + "GET / HTTP/1.1\r\nHost: test\r\n\r\n");

        Assert.Equal("no", (await client.ReadResponseAsync()).Body);
        Assert.Equal("hello", (await client.ReadResponseAsync()).Body);
        Assert.Equal(1, app.Accepted);
    }
}
