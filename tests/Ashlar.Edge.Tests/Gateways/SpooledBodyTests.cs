using System.Text;
using Ashlar.Catalog;
using Ashlar.Edge.Forwarding;
using Ashlar.Edge.Tests.Certificates;
using Ashlar.Edge.Tests.Forwarding;
using Ashlar.Edge.Tests.Hopping;
using static Ashlar.Edge.Tests.Gateways.FastCgiServer;

namespace Ashlar.Edge.Tests.Gateways;

/// <summary>Bodies that the edge receives as a whole before it takes one of the few workers of a FastCGI server.</summary>
public sealed class SpooledBodyTests
{
    private const string Chunked = "POST /a HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
    private const string Leave = "Expect: 100-continue\r\n";
    private const string Overlong = "80000\r\n";

    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(20);

    private static ScriptedApp Echoing() => Answering(static request =>
    [
        .. Stdout($"A: {request.Variables.GetValueOrDefault("CONTENT_LENGTH")}\r\n\r\n"),
        .. request.Body.Chunk(60_000).SelectMany(static piece => Record(6, piece)),
        .. End(),
    ]);

    private static CatalogService Scripts(CatalogService service) => service with { Interface = "fastcgi", RequestsPerInstance = 2, WaitingRoom = 0 };

    private static async Task<EdgeRig> StartAsync(ScriptedApp app, ForwardingOptions? options = null, Func<CatalogService, CatalogService>? change = null)
    {
        var edge = await EdgeRig.StartAsync(options ?? new ForwardingOptions(), app);
        edge.Serve(service => (change ?? (static same => same))(Scripts(service)), app.Port);
        return edge;
    }

    /// <summary>Waits until all spools of the edge have so much.</summary>
    private static async Task HasTakenAsync(EdgeServer server, Func<long, bool> memory, Func<long, bool> files)
    {
        var spools = server.Spools;
        for (var waited = System.Diagnostics.Stopwatch.StartNew(); !memory(spools.Memory.Taken) || !files(spools.Files.Taken); await Task.Delay(5))
        {
            Assert.True(waited.Elapsed < _bound, $"The spools have {spools.Memory.Taken} and {spools.Files.Taken}.");
        }
    }

    private static Task HasNothingAsync(EdgeRig edge) => HasTakenAsync(edge.Server, static taken => taken == 0, static taken => taken == 0);

    [Theory]
    [InlineData("Transfer-Encoding: chunked", "4\r\nb", "ody\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 4", "b", "ody")]
    public async Task A_body_that_trickles_holds_no_worker(string framing, string first, string rest)
    {
        await using var app = Echoing();
        await using var edge = await StartAsync(app);
        List<RawConnection> slow = [];
        for (var i = 0; i < 4; i++)
        {
            var client = await edge.ConnectAsync();
            slow.Add(client);
            await client.SendAsync($"POST /a HTTP/1.1\r\nHost: test\r\n{framing}\r\n{Leave}\r\n");
            Assert.StartsWith("HTTP/1.1 100 ", await client.ReadHeadAsync());
            await client.SendAsync(first);
        }

        Assert.StartsWith("HTTP/1.1 200 ", (await edge.GetAsync()).Head);
        foreach (var client in slow)
        {
            await client.SendAsync(rest);
            var (head, body) = await client.ReadResponseAsync();
            Assert.Contains("\r\nA: 4\r\n", head);
            Assert.Equal("body", body);
            client.Dispose();
        }

        await HasNothingAsync(edge);
    }

    [Theory]
    [InlineData("")]
    [InlineData("100000\r\n")]
    public async Task A_chunked_body_that_trickles_is_a_408(string before)
    {
        await using var app = Echoing();
        await using var edge = await StartAsync(app, new ForwardingOptions { RequestBodyTimeout = TimeSpan.FromMilliseconds(2000), MinRequestBodyRate = 1000 });
        using var client = await edge.ConnectAsync();
        await client.SendAsync(Chunked + before + (before.Length == 0 ? "" : new string('x', 0x100000) + "\r\n") + "80000\r\n");
        Assert.StartsWith("HTTP/1.1 408 ", (await client.TrickleAsync()).Head);
        Assert.Equal(0, app.Accepted);
        await HasNothingAsync(edge);
    }

    [Fact]
    public async Task A_chunked_body_that_comes_with_its_head_is_answered_and_the_next_request_too()
    {
        await using var app = Echoing();
        await using var edge = await StartAsync(app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync($"{Chunked}4\r\nbody\r\n0\r\n\r\n{Chunked}0\r\n\r\nPOST / HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nlast");
        Assert.Equal("body", (await client.ReadResponseAsync()).Body);
        Assert.Equal("", (await client.ReadResponseAsync()).Body);
        Assert.Equal("last", (await client.ReadResponseAsync()).Body);
    }

    [Fact]
    public async Task Beyond_what_all_may_take_of_memory_the_next_is_told_to_come_again()
    {
        await using var app = Echoing();
        await using var edge = await StartAsync(app, new ForwardingOptions { MaxSpoolMemory = 8 * 1024 });
        using var first = await edge.ConnectAsync();
        using var second = await edge.ConnectAsync();
        await first.SendAsync(Chunked + "4\r\nb");
        await second.SendAsync(Chunked + "4\r\nb");
        await HasTakenAsync(edge.Server, static taken => taken == 8 * 1024, static _ => true);

        var (head, _) = await edge.AskAsync(Chunked + "4\r\nbody\r\n0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 503 ", head);
        Assert.Contains("Retry-After: ", head);
        Assert.StartsWith("HTTP/1.1 200 ", (await edge.GetAsync()).Head);

        first.Reset();
        await HasTakenAsync(edge.Server, static taken => taken == 4 * 1024, static _ => true);
        Assert.Equal("body", (await edge.AskAsync(Chunked + "4\r\nbody\r\n0\r\n\r\n")).Body);
        await second.SendAsync("ody\r\n0\r\n\r\n");
        Assert.Equal("body", (await second.ReadResponseAsync()).Body);
        await HasNothingAsync(edge);
    }

    [Fact]
    public async Task Beyond_what_all_may_take_of_files_the_next_is_told_to_come_again()
    {
        await using var app = Echoing();
        await using var edge = await StartAsync(app, new ForwardingOptions { MaxSpoolFiles = 300_000 });
        using var first = await edge.ConnectAsync();
        await first.SendAsync(Chunked + Overlong + new string('x', 300_000));
        await HasTakenAsync(edge.Server, static _ => true, static taken => taken > 0);

        using var second = await edge.ConnectAsync();
        await second.SendAsync(Chunked + Overlong + new string('x', 300_000));
        Assert.StartsWith("HTTP/1.1 503 ", (await second.ReadResponseAsync()).Head);
        Assert.Equal("body", (await edge.AskAsync(Chunked + "4\r\nbody\r\n0\r\n\r\n")).Body);

        first.Dispose();
        await HasNothingAsync(edge);
    }

    [Theory]
    [InlineData("closes")]
    [InlineData("resets")]
    [InlineData("falls silent")]
    [InlineData("breaks the rules")]
    [InlineData("sends too much")]
    public async Task Whoever_ends_in_the_midst_of_a_body_leaves_nothing_behind(string how)
    {
        await using var app = Echoing();
        var options = new ForwardingOptions { MaxSpooledBody = 400_000, RequestBodyTimeout = how == "falls silent" ? TimeSpan.FromMilliseconds(500) : _bound };
        await using var edge = await StartAsync(app, options);
        using var client = await edge.ConnectAsync();
        await client.SendAsync(Chunked + Overlong + new string('x', 300_000));
        await HasTakenAsync(edge.Server, static taken => taken > 0, static taken => taken > 0);
        switch (how)
        {
            case "closes":
                client.Dispose();
                break;
            case "resets":
                client.Reset();
                break;
            case "falls silent":
                Assert.StartsWith("HTTP/1.1 408 ", (await client.ReadResponseAsync()).Head);
                break;
            case "breaks the rules":
                await client.SendAsync(new string('x', 0x80000 - 300_000) + "zz");
                Assert.StartsWith("HTTP/1.1 4", (await client.ReadResponseAsync()).Head);
                break;
            default:
                await client.SendAsync(new string('x', 0x80000 - 300_000));
                Assert.StartsWith("HTTP/1.1 413 ", (await client.ReadResponseAsync()).Head);
                break;
        }

        await HasNothingAsync(edge);
        Assert.Equal(0, app.Accepted);
    }

    [Fact]
    public async Task Who_leaves_while_a_disk_is_waited_for_leaves_nothing_behind()
    {
        await using var app = Echoing();
        await using var edge = await StartAsync(app);
        using var disk = new ManualResetEventSlim();
        using var waiting = new CountdownEvent(4);
        for (var i = 0; i < 4; i++)
        {
            Assert.True(edge.Server.Workers.TryRun(() =>
            {
                waiting.Signal();
                disk.Wait(_bound);
            }));
        }

        Assert.True(waiting.Wait(_bound));
        using (var client = await edge.ConnectAsync())
        {
            await client.SendAsync(Chunked + Overlong + new string('x', 300_000));
            await HasTakenAsync(edge.Server, static _ => true, static taken => taken > 0);
            client.Reset();
            await HasNothingAsync(edge);
        }

        disk.Set();
        Assert.Equal(400_000, (await edge.AskAsync($"{Chunked}{400_000:x}\r\n{new string('x', 400_000)}\r\n0\r\n\r\n")).Body.Length);
    }

    [Fact]
    public async Task A_body_is_let_go_once_it_is_answered_though_the_answer_goes_on()
    {
        var end = new TaskCompletionSource();
        await using var app = new ScriptedApp(async connection =>
        {
            await ReadAsync(connection);
            await connection.SendAsync(Stdout("A: b\r\n\r\n"));
            await end.Task;
            await connection.SendAsync([.. Stdout("end"), .. End()]);
        });
        await using var edge = await StartAsync(app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync($"{Chunked}{400_000:x}\r\n{new string('x', 400_000)}\r\n0\r\n\r\n");
        var head = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 200 ", head);
        await HasNothingAsync(edge);
        end.SetResult();
        Assert.Equal("end", Encoding.ASCII.GetString(await client.ReadBodyAsync(head)));
    }

    [Fact]
    public async Task A_body_that_is_whole_waits_in_order_and_is_told_when_its_turn_does_not_come()
    {
        var asked = new SemaphoreSlim(0);
        var go = new SemaphoreSlim(0);
        await using var app = new ScriptedApp(async connection =>
        {
            while (await ReadAsync(connection) is { } request)
            {
                asked.Release();
                await go.WaitAsync();
                await connection.SendAsync([.. Stdout($"A: b\r\n\r\n{Encoding.ASCII.GetString(request.Body)}"), .. End()]);
            }
        });
        await using var edge = await StartAsync(app, change: static service => service with { RequestsPerInstance = 1, WaitingRoom = 1 });
        using var holder = await edge.ConnectAsync();
        await holder.SendAsync("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        await asked.WaitAsync();

        // A body that still comes has no seat in the room.
        using var slow = await edge.ConnectAsync();
        await slow.SendAsync(Chunked + "4\r\nb");
        await HasTakenAsync(edge.Server, static taken => taken > 0, static _ => true);
        using var waiting = await edge.ConnectAsync();
        await waiting.SendAsync(Chunked + "5\r\nfirst\r\n0\r\n\r\n");
        await HasTakenAsync(edge.Server, static taken => taken == 8 * 1024, static _ => true);
        await slow.SendAsync("ody\r\n0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 503 ", (await slow.ReadResponseAsync()).Head);

        go.Release(2);
        await asked.WaitAsync();
        Assert.Equal("first", (await waiting.ReadResponseAsync()).Body);

        edge.Serve(service => Scripts(service) with { RequestsPerInstance = 1, WaitingRoom = 1, WaitingTimeoutMs = 100 }, app.Port);
        await holder.ReadResponseAsync();
        await holder.SendAsync("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        await asked.WaitAsync();
        var (head, _) = await edge.AskAsync(Chunked + "4\r\nlate\r\n0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 503 ", head);
        Assert.Contains("Retry-After: ", head);
        await HasNothingAsync(edge);
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked", "4\r\nbody\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 4", "body")]
    public async Task A_client_that_waits_for_leave_to_send_gets_it_once(string framing, string body)
    {
        await using var app = Echoing();
        await using var edge = await StartAsync(app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync($"POST /a HTTP/1.1\r\nHost: test\r\n{framing}\r\n{Leave}\r\n");
        Assert.StartsWith("HTTP/1.1 100 ", await client.ReadHeadAsync());
        await client.SendAsync(body);
        var (head, answer) = await client.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 200 ", head);
        Assert.Equal("body", answer);
    }

    [Fact]
    public async Task A_body_for_nobody_is_not_waited_for()
    {
        await using var app = Echoing();
        await using var edge = await StartAsync(app);
        edge.Serve(Scripts);
        Assert.StartsWith("HTTP/1.1 503 ", (await edge.AskAsync(Chunked + "4\r\nb")).Head);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Over_HTTP2_too(bool isTold)
    {
        await using var app = Echoing();
        await using var rig = await TlsRig.StartAsync(app);
        rig.Serve(app, new CatalogTls(), service: static service => Scripts(service) with { RequestsPerInstance = 1 });
        using var client = rig.Client();
        var body = new SlowContent(40_000, isTold);
        var slow = client.PostAsync(rig.Secure(), body);
        await body.Begun;

        // Of one connection: what was sent first has come first.
        Assert.Equal("", await client.GetStringAsync(rig.Secure()));
        body.GoOn();
        using var answer = await slow;
        Assert.Equal(40_000, (await answer.Content.ReadAsByteArrayAsync()).Length);

        var unfinished = new SlowContent(40_000, isTold: false);
        using var leaving = new CancellationTokenSource();
        var left = client.PostAsync(rig.Secure(), unfinished, leaving.Token);
        await HasTakenAsync(rig.Server, static taken => taken > 0, static _ => true);
        await leaving.CancelAsync();
        await HasTakenAsync(rig.Server, static taken => taken == 0, static _ => true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(600_000)]
    public async Task For_a_worker_on_another_machine_it_goes_there_by_its_length(int length)
    {
        await using var app = Echoing();
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(Scripts(HopRig.Web(HopRig.On("west", "web.1", app.Port))));
        var sent = new string('x', length);
        var (head, body) = await rig["east"].AskAsync($"POST /a HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n{length:x}\r\n{sent}\r\n0\r\nX-Sum: 1\r\n\r\n");
        Assert.Contains($"\r\nA: {length}\r\n", head);
        Assert.Equal(sent, body);
        Assert.Equal(0, rig["west"].Server.Spools.Memory.Taken);
    }
}
