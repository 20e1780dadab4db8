using Ashlar.Edge.Forwarding;

namespace Ashlar.Edge.Tests.Forwarding;

public sealed class WaitingRequestTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";

    [Fact]
    public async Task A_request_waits_for_an_instance_at_its_limit_and_is_served_in_its_turn()
    {
        var go = new SemaphoreSlim(0);
        var asked = new SemaphoreSlim(0);
        await using var app = new ScriptedApp(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
            {
                asked.Release();
                await go.WaitAsync();
                await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
            }
        });
        await using var edge = await EdgeRig.StartAsync(app);
        edge.Serve(service => service with { RequestsPerInstance = 1 }, app.Port);

        var answers = Enumerable.Range(0, 5).Select(_ => edge.GetAsync()).ToArray();
        for (var i = 0; i < 5; i++)
        {
            await asked.WaitAsync();
            go.Release();
        }

        foreach (var answer in answers)
        {
            Assert.Equal("hello", (await answer).Body);
        }

        Assert.InRange(app.Accepted, 1, 2);
    }

    [Fact]
    public async Task Who_waits_too_long_or_finds_no_place_is_told_when_to_come_again()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.EndAsync();
        });
        await using var edge = await EdgeRig.StartAsync(app);
        edge.Serve(service => service with { RequestsPerInstance = 1, WaitingRoom = 1, WaitingTimeoutMs = 200 }, app.Port);

        // Held, waiting, and one too many.
        using var held = await edge.ConnectAsync();
        await held.SendAsync(Get);
        while (app.Accepted == 0)
        {
            await Task.Delay(5);
        }

        var answers = await Task.WhenAll(edge.GetAsync(), edge.GetAsync());

        Assert.All(answers, answer => Assert.StartsWith("HTTP/1.1 503 ", answer.Head));
        Assert.All(answers, answer => Assert.Contains("Retry-After: ", answer.Head));
    }

    [Fact]
    public async Task A_client_that_leaves_the_waiting_room_takes_no_instance()
    {
        var go = new SemaphoreSlim(0);
        var requests = 0;
        await using var app = new ScriptedApp(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
            {
                Interlocked.Increment(ref requests);
                await go.WaitAsync();
                await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
            }
        });
        await using var edge = await EdgeRig.StartAsync(new ForwardingOptions { HalfClosedTimeout = TimeSpan.FromMilliseconds(50) }, app);
        edge.Serve(service => service with { RequestsPerInstance = 1 }, app.Port);
        using var first = await edge.ConnectAsync();
        await first.SendAsync(Get);
        while (Volatile.Read(ref requests) == 0)
        {
            await Task.Delay(5);
        }

        using (var leaving = await edge.ConnectAsync())
        {
            await leaving.SendAsync(Get);
            leaving.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            Assert.Contains(await leaving.EndAsync(), new[] { "closed", "reset" });
        }

        go.Release(2);
        Assert.Equal("hello", (await first.ReadResponseAsync()).Body);
        Assert.Equal("hello", (await edge.GetAsync()).Body);
        Assert.Equal(2, Volatile.Read(ref requests));
    }

    [Fact]
    public async Task A_service_in_maintenance_says_so()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var edge = await EdgeRig.StartAsync(app);
        edge.Serve(service => service with { Maintenance = true }, app.Port);

        Assert.StartsWith("HTTP/1.1 503 ", (await edge.GetAsync()).Head);
        Assert.Equal(0, app.Accepted);
    }
}
