using System.Net;
using Ashlar.Catalog;
using Ashlar.Edge.Forwarding;
using Ashlar.Edge.Tests.Certificates;

namespace Ashlar.Edge.Tests.Forwarding;

/// <summary>Bodies that come slowly, for apps that speak HTTP and serve few requests at once.</summary>
public sealed class SlowBodyTests
{
    private const int Places = 4;

    private static ScriptedApp Echoing() => ScriptedApp.Answering(static (_, body) => $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{System.Text.Encoding.Latin1.GetString(body)}");

    private static async Task<EdgeRig> StartAsync(ScriptedApp app, ForwardingOptions? options = null, int places = Places)
    {
        var edge = await EdgeRig.StartAsync(options ?? new ForwardingOptions(), app);
        edge.Serve(service => service with { RequestsPerInstance = places, WaitingRoom = 0 }, app.Port);
        return edge;
    }

    /// <summary>A client whose request the edge has begun to serve: it came right behind one that has its answer.</summary>
    private static async Task<RawConnection> BeginAsync(EdgeRig edge, string request)
    {
        var client = await edge.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: test\r\n\r\n" + request);
        Assert.StartsWith("HTTP/1.1 200 ", (await client.ReadResponseAsync()).Head);
        return client;
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(20_000)]
    [InlineData(60_000)]
    public async Task A_short_body_holds_no_place_before_it_is_whole(int length)
    {
        await using var app = Echoing();
        await using var edge = await StartAsync(app);
        List<RawConnection> slow = [];
        for (var i = 0; i < Places; i++)
        {
            slow.Add(await BeginAsync(edge, $"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\nx"));
        }

        Assert.StartsWith("HTTP/1.1 200 ", (await edge.GetAsync()).Head);
        foreach (var client in slow)
        {
            await client.SendAsync(new string('y', length - 1) + "GET / HTTP/1.1\r\nHost: test\r\n\r\n");
            Assert.Equal("x" + new string('y', length - 1), (await client.ReadResponseAsync()).Body);
            Assert.StartsWith("HTTP/1.1 200 ", (await client.ReadResponseAsync()).Head);
            client.Dispose();
        }
    }

    [Fact]
    public async Task A_long_body_flows_as_it_comes()
    {
        var came = new TaskCompletionSource();
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.ReadExactlyAsync(1);
            came.SetResult();
            await connection.EndAsync();
        });
        await using var edge = await StartAsync(app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\nx");
        await came.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_short_body_that_is_whole_waits_in_its_turn_and_is_told_when_that_does_not_come()
    {
        var asked = new SemaphoreSlim(0);
        await using var app = new ScriptedApp(async connection =>
        {
            while (await connection.ReadRequestAsync() is var (head, _))
            {
                asked.Release();
                if (head.StartsWith("PUT", StringComparison.Ordinal))
                {
                    await connection.EndAsync();
                    return;
                }

                await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        });
        await using var edge = await StartAsync(app);
        edge.Serve(service => service with { RequestsPerInstance = 1, WaitingRoom = 1, WaitingTimeoutMs = 100 }, app.Port);
        using var slow = await BeginAsync(edge, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nx");
        await asked.WaitAsync();
        using var holder = await edge.ConnectAsync();
        await holder.SendAsync("PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n");
        await asked.WaitAsync();

        await slow.SendAsync("y");
        var (head, _) = await slow.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 503 ", head);
        Assert.Contains("Retry-After: ", head);
    }

    [Fact]
    public async Task A_short_body_that_does_not_come_is_a_408_and_the_app_hears_nothing_of_it()
    {
        await using var app = Echoing();
        await using var edge = await StartAsync(app, new ForwardingOptions { RequestBodyTimeout = TimeSpan.FromMilliseconds(100) });
        using var client = await edge.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nx");
        Assert.StartsWith("HTTP/1.1 408 ", (await client.ReadResponseAsync()).Head);
        Assert.Equal(0, app.Accepted);
    }

    [Fact]
    public async Task Whether_it_wants_a_body_that_asks_for_leave_the_app_says_itself()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.SendAsync("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
            await connection.EndAsync();
        });
        await using var edge = await StartAsync(app);
        Assert.StartsWith(
            "HTTP/1.1 403 ", (await edge.AskAsync("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")).Head);
    }

    [Fact]
    public async Task A_short_body_for_nobody_is_not_waited_for()
    {
        await using var app = Echoing();
        await using var edge = await StartAsync(app);
        edge.Serve(service => service with { RequestsPerInstance = 1 });
        Assert.StartsWith("HTTP/1.1 503 ", (await edge.AskAsync("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nx")).Head);
    }

    [Fact]
    public async Task Haste_at_the_beginning_does_not_make_up_for_trickling()
    {
        await using var app = Echoing();
        var options = new ForwardingOptions { RequestBodyTimeout = TimeSpan.FromMilliseconds(2000), MinRequestBodyRate = 1000 };
        await using var edge = await EdgeRig.StartAsync(options, app);
        using var client = await edge.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000000\r\n\r\n" + new string('x', 1_000_000));
        Assert.StartsWith("HTTP/1.1 408 ", (await client.TrickleAsync()).Head);
    }

    [Fact]
    public async Task Over_HTTP2_too()
    {
        await using var app = Echoing();
        await using var rig = await TlsRig.StartAsync(app);
        rig.Serve(app, new CatalogTls(), service: service => service with { RequestsPerInstance = 1, WaitingRoom = 0 });
        using var client = rig.Client();
        var body = new SlowContent(2000);
        var slow = client.PostAsync(rig.Secure(), body);
        await body.Begun;

        // Of one connection: what was sent first has come first.
        Assert.Equal("", await client.GetStringAsync(rig.Secure()));
        body.GoOn();
        using var answer = await slow;
        Assert.Equal(2000, (await answer.Content.ReadAsByteArrayAsync()).Length);
    }
}

/// <summary>A body of which the first byte is sent, and the rest when the test says so.</summary>
internal sealed class SlowContent : HttpContent
{
    private readonly int _length;
    private readonly bool _isTold;
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SlowContent(int length, bool isTold = true) => (_length, _isTold) = (length, isTold);

    /// <summary>Completes when the first byte has been sent.</summary>
    public Task Begun => _begun.Task;

    public void GoOn() => _goOn.SetResult();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, default);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellation)
    {
        await stream.WriteAsync(new byte[1], cancellation);
        await stream.FlushAsync(cancellation);
        _begun.SetResult();
        await _goOn.Task.WaitAsync(cancellation);
        await stream.WriteAsync(new byte[_length - 1], cancellation);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return _isTold;
    }
}
