using System.Net.WebSockets;
using System.Text;
using Ashlar.EndToEnd.BadInput;

namespace Ashlar.EndToEnd.Examples;

[Trait("Length", "Full")]
public sealed class TwoAppsTests
{
    [Fact]
    public async Task Two_services_call_each_other_stream_and_roll_without_a_failed_request()
    {
        await using var rig = Example.Copy("two-apps");
        await rig.UpAsync();
        var (_, page) = await rig.GetAsync();
        Assert.Contains("the time from <b>api.", page);
        Assert.Matches(@"Hello web\.\d, this is api\.\d\.", (await rig.GetAsync("/api/greeting")).Body);
        Assert.Contains("EventSource", (await rig.GetAsync("/ticks")).Body);
        Assert.Contains("WebSocket", (await rig.GetAsync("/chat")).Body);
        await TicksAsync(rig.Port);
        await EchoesAsync(rig.Port);

        await using var visitors = new SteadyGets($"http://127.0.0.1:{rig.Port}/ticks");
        var api = await rig.PidAsync("api.1");
        rig.Edit("Web/Program.cs", "Page(\"Two apps\"", "Page(\"Two apps, second edition\"");
        await rig.UpAsync();
        Assert.Contains("second edition", (await rig.GetAsync()).Body);

        // More instances in the file: those that run go on.
        var before = (await rig.PidAsync("web.1"), await rig.PidAsync("web.2"));
        rig.Edit("ashlar.yaml", "    instances: 2\n    route: /\n", "    instances: 3\n    route: /\n");
        await rig.UpAsync();
        Assert.NotEqual(0, await rig.PidAsync("web.3"));
        Assert.Equal(before, (await rig.PidAsync("web.1"), await rig.PidAsync("web.2")));
        Assert.Equal(api, await rig.PidAsync("api.1"));
        await visitors.NoneFailedAsync();
        await rig.DoAsync("down");
        rig.IsGone();
    }

    private static async Task TicksAsync(int port)
    {
        using var client = new HttpClient();
        using var stream = new StreamReader(await client.GetStreamAsync(new Uri($"http://127.0.0.1:{port}/api/ticks")));
        var ticks = new List<string>();
        while (ticks.Count < 2 && await stream.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                ticks.Add(line);
            }
        }
        Assert.Equal(2, ticks.Count);
        Assert.All(ticks, tick => Assert.Contains("from api.", tick));
    }

    private static async Task EchoesAsync(int port)
    {
        using var socket = new ClientWebSocket();
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/ws"), bound.Token);
        await socket.SendAsync("good day"u8.ToArray(), WebSocketMessageType.Text, true, bound.Token);
        var buffer = new byte[256];
        var answer = await socket.ReceiveAsync(buffer, bound.Token);
        Assert.Matches(@"^web\.\d: good day$", Encoding.UTF8.GetString(buffer, 0, answer.Count));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, bound.Token);
    }
}
