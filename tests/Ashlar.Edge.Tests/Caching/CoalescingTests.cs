using System.Text;
using Ashlar.Edge.Tests.Forwarding;

namespace Ashlar.Edge.Tests.Caching;

/// <summary>Many want the same at once.</summary>
public sealed class CoalescingTests
{
    private const string Head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nCache-Control: max-age=60\r\n\r\n";

    [Fact]
    public async Task One_asks_for_all_and_the_others_get_the_bytes_as_they_come()
    {
        var (app, go, count) = Gated();
        await using var rig = await CacheRig.StartAsync(app);
        using var first = await rig.Edge.ConnectAsync();
        await first.SendAsync(Get);
        var asking = await go.Reader.ReadAsync();
        var others = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            var client = await rig.Edge.ConnectAsync();
            await client.SendAsync(Get);
            return client;
        }));
        await asking.SendAsync(Head + "01234");
        foreach (var client in others)
        {
            var head = await client.ReadHeadAsync();
            Assert.Matches("^ashlar; (fwd=uri-miss; collapsed|hit); ttl=", CacheRig.Status(head));
            Assert.Equal("01234", await client.ReadAsync(5));
        }

        await asking.SendAsync("56789");
        foreach (var client in others)
        {
            Assert.Equal("56789", await client.ReadAsync(5));
            client.Dispose();
        }

        Assert.Equal(1, count());
    }

    [Fact]
    public async Task A_client_that_leaves_does_not_end_what_others_wait_for()
    {
        var (app, go, count) = Gated();
        await using var rig = await CacheRig.StartAsync(app, loops: 1);
        var first = await rig.Edge.ConnectAsync();
        await first.SendAsync(Get);
        var asking = await go.Reader.ReadAsync();
        using var second = await rig.Edge.ConnectAsync();
        await second.SendAsync(Get);

        // The one loop has taken up the second's request once it has answered a later one.
        Assert.StartsWith("HTTP/1.1 504", (await rig.GetAsync("/elsewhere", "Cache-Control: only-if-cached\r\n")).Head);
        first.Reset();
        await asking.SendAsync(Head + "0123456789");

        // The second may have come only when the first had gone: then it has asked for itself.
        _ = Task.Run(async () =>
        {
            await foreach (var again in go.Reader.ReadAllAsync())
            {
                await again.SendAsync(Head + "0123456789");
            }
        });
        Assert.Equal("0123456789", (await second.ReadResponseAsync()).Body);
        Assert.Equal("0123456789", (await rig.GetAsync()).Body);
        Assert.InRange(count(), 1, 2);
    }

    [Fact]
    public async Task An_answer_for_one_lets_all_others_go_at_once()
    {
        var waiting = 0;
        var all = new TaskCompletionSource();
        var app = new ScriptedApp(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
            {
                // All are with the app at once, but for those that had begun to wait for the first.
                if (Interlocked.Increment(ref waiting) > 1)
                {
                    all.TrySetResult();
                }

                await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: private\r\n\r\nok");
            }
        });
        await using var rig = await CacheRig.StartAsync(app);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => rig.GetAsync()));
        Assert.All(answers, answer => Assert.Equal("ok", answer.Body));
        Assert.Equal(20, waiting);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_not_stored_and_nobody_takes_it_for_whole()
    {
        var count = 0;
        var app = new ScriptedApp(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
            {
                await connection.SendAsync(Head + "01234");
                if (Interlocked.Increment(ref count) == 1)
                {
                    return;
                }

                await connection.SendAsync("56789");
            }
        });
        await using var rig = await CacheRig.StartAsync(app);
        await Assert.ThrowsAnyAsync<Exception>(() => rig.GetAsync());
        Assert.Equal("0123456789", (await rig.GetAsync()).Body);
        Assert.Equal(2, count);
    }

    [Fact]
    public async Task What_is_purged_while_it_comes_is_not_stored()
    {
        var (app, go, count) = Gated();
        await using var rig = await CacheRig.StartAsync(app);
        using var first = await rig.Edge.ConnectAsync();
        await first.SendAsync(Get);
        var asking = await go.Reader.ReadAsync();
        await asking.SendAsync(Head + "01234");
        await first.ReadHeadAsync();
        rig.Edge.Server.Cache!.Purge("htest/"u8, soft: false);
        await asking.SendAsync("56789");
        Assert.Equal("0123456789", await first.ReadAsync(10));
        using var second = await rig.Edge.ConnectAsync();
        await second.SendAsync(Get);
        await (await go.Reader.ReadAsync()).SendAsync(Head + "abcdefghij");
        Assert.Equal("abcdefghij", (await second.ReadResponseAsync()).Body);
        Assert.Equal(2, count());
    }

    [Fact]
    public async Task A_slow_client_of_a_hit_holds_nobody_up_and_gets_it_whole_though_it_is_taken_out()
    {
        var body = new string('x', 8_000_000);
        await using var rig = await CacheRig.StartAsync((_, _) => CacheRig.Answer("Cache-Control: max-age=60", body), loops: 1);
        await rig.GetAsync();
        using var slow = await rig.Edge.ConnectAsync();
        await slow.SendAsync(Get);
        var head = await slow.ReadHeadAsync();
        Assert.Equal(body.Length, (await rig.GetAsync()).Body.Length);
        rig.Edge.Server.Cache!.PurgeAll(soft: false);
        Assert.Equal(body, Encoding.Latin1.GetString(await slow.ReadBodyAsync(head)));
        Assert.Equal(0, rig.Edge.Server.Cache.Count);
    }

    private const string Get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";

    private static (ScriptedApp App, System.Threading.Channels.Channel<AppConnection> Asked, Func<int> Count) Gated()
    {
        var asked = System.Threading.Channels.Channel.CreateUnbounded<AppConnection>();
        var count = 0;
        var app = new ScriptedApp(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
            {
                Interlocked.Increment(ref count);
                await asked.Writer.WriteAsync(connection);
            }
        });
        return (app, asked, () => Volatile.Read(ref count));
    }
}
