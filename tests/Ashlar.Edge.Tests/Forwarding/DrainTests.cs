using Ashlar.Edge.Forwarding;

namespace Ashlar.Edge.Tests.Forwarding;

public sealed class DrainTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_connection_that_has_not_asked_yet_is_served_and_told_to_close()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var edge = await EdgeRig.StartAsync(app);
        using var fresh = await edge.ConnectAsync();
        using var kept = await edge.ConnectAsync();
        await kept.SendAsync(Get);
        await kept.ReadResponseAsync();

        var drained = edge.Server.DrainAsync(_bound);
        while (!edge.Server.IsDraining)
        {
            await Task.Delay(5);
        }

        await fresh.SendAsync(Get);
        await kept.SendAsync(Get);

        foreach (var client in new[] { fresh, kept })
        {
            var (head, body) = await client.ReadResponseAsync();
            Assert.Equal("hello", body);
            Assert.Contains("Connection: close", head);
            Assert.Equal("closed", await client.EndAsync());
        }

        Assert.True(await drained);
        Assert.Equal(0, edge.Server.Connections);
    }

    [Fact]
    public async Task An_idle_connection_is_closed_after_the_window()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var edge = await EdgeRig.StartAsync(new ForwardingOptions { DrainIdleWindow = TimeSpan.FromMilliseconds(100) }, app);
        using var kept = await edge.ConnectAsync();
        await kept.SendAsync(Get);
        await kept.ReadResponseAsync();

        Assert.True(await edge.Server.DrainAsync(_bound));
        Assert.Equal("closed", await kept.EndAsync());
    }

    [Fact]
    public async Task What_is_under_way_is_finished_within_the_bound_and_broken_off_after_it()
    {
        var go = new SemaphoreSlim(0);
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadRequestAsync();
            await go.WaitAsync();
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        });
        await using var edge = await EdgeRig.StartAsync(app);
        var answer = edge.GetAsync();
        while (app.Accepted == 0)
        {
            await Task.Delay(5);
        }

        var drained = edge.Server.DrainAsync(_bound);
        go.Release();
        Assert.Equal("hello", (await answer).Body);
        Assert.True(await drained);

        await using var stuck = await EdgeRig.StartAsync(app);
        var broken = stuck.GetAsync();
        while (app.Accepted == 1)
        {
            await Task.Delay(5);
        }

        Assert.False(await stuck.Server.DrainAsync(TimeSpan.FromMilliseconds(100)));
        await Assert.ThrowsAnyAsync<Exception>(() => broken);
    }

    [Fact]
    public async Task Connections_in_the_queue_of_the_socket_are_served_by_the_one_that_stops()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var edge = await EdgeRig.StartAsync(2, new ForwardingOptions(), app);

        // A connection between the last wake-up and the end of accepting belongs to the old edge, if to anyone.
        for (var i = 0; i < 20; i++)
        {
            var replaced = edge.ReplaceAsync(_bound);
            var answers = Enumerable.Range(0, 20).Select(_ => edge.GetAsync()).ToArray();
            foreach (var answer in answers)
            {
                Assert.Equal("hello", (await answer).Body);
            }

            Assert.True(await replaced);
        }
    }

    [Fact]
    public async Task Replaced_again_and_again_under_load_no_request_fails() => await ReplaceUnderLoadAsync(replacements: 12);

    [Fact]
    [Trait("Length", "Full")]
    public async Task Replaced_two_hundred_times_under_load_no_request_fails() => await ReplaceUnderLoadAsync(replacements: 200);

    private static async Task ReplaceUnderLoadAsync(int replacements)
    {
        await using var app = ScriptedApp.Answering((_, body) => $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length + 5}\r\n\r\nhello{System.Text.Encoding.ASCII.GetString(body)}");
        await using var edge = await EdgeRig.StartAsync(2, new ForwardingOptions { DrainIdleWindow = TimeSpan.FromMilliseconds(500) }, app);
        using var stop = new CancellationTokenSource();
        var served = 0;
        var clients = Enumerable.Range(0, 12).Select(number => Task.Run(() => RunAsync(number))).ToArray();

        for (var i = 0; i < replacements; i++)
        {
            Assert.True(await edge.ReplaceAsync(_bound));
        }

        await stop.CancelAsync();
        await Task.WhenAll(clients);
        Assert.True(served > replacements * 12, $"{served} requests");

        // A third of the clients make a connection per request, the others keep theirs until they are told to close.
        async Task RunAsync(int number)
        {
            RawConnection? client = null;
            while (!stop.IsCancellationRequested)
            {
                client ??= await edge.ConnectAsync();
                await client.SendAsync(number % 2 == 0 ? Get : "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nbody");
                var (head, body) = await client.ReadResponseAsync();
                Assert.Equal(number % 2 == 0 ? "hello" : "hellobody", body);
                Interlocked.Increment(ref served);
                if (number % 3 == 0 || head.Contains("Connection: close", StringComparison.Ordinal))
                {
                    client.Dispose();
                    client = null;
                }
            }

            client?.Dispose();
        }
    }
}
