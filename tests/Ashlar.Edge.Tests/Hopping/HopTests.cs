using System.Net.Sockets;
using System.Text;
using Ashlar.Edge.Tests.Forwarding;
using Ashlar.Testing;
using static Ashlar.Edge.Tests.Hopping.HopRig;

namespace Ashlar.Edge.Tests.Hopping;

/// <summary>Requests for instances on other machines, edge to edge.</summary>
public sealed class HopTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task An_instance_elsewhere_is_told_of_the_client_as_if_it_were_here()
    {
        await using var app = Heads();
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(HopRig.Web(On("west", "web.1", app.Port)));
        var (answer, elsewhere) = await rig["east"].AskAsync("GET /a?b HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-For: 1.2.3.4\r\nAshlar-Hop: web web.9\r\n\r\n");

        await using var local = await HopRig.StartAsync("east");
        local.Publish(HopRig.Web(On("east", "web.1", app.Port)));
        var (_, here) = await local["east"].AskAsync("GET /a?b HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-For: 1.2.3.4\r\nAshlar-Hop: web web.9\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200", answer);
        Assert.Equal(Comparable(here, local), Comparable(elsewhere, rig));
        Assert.Single(Lines(elsewhere, "X-Forwarded-For"));
        Assert.DoesNotContain("Ashlar-Hop", elsewhere);
        Assert.Single(Lines(answer, "Via"));

        static string Comparable(string head, HopRig rig) => string.Join('\n', head.Split("\r\n").Order(StringComparer.Ordinal)
            .Where(line => !line.StartsWith("X-Request-", StringComparison.Ordinal)))
            .Replace($"{rig["east"].Port}", "PORT", StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_edge_there_tells_how_busy_the_instance_is_and_nobody_else_hears_of_it()
    {
        var isHeld = new TaskCompletionSource();
        var mayGo = new TaskCompletionSource();
        await using var app = new ScriptedApp(async connection =>
        {
            while (await connection.ReadRequestAsync() is var (head, _))
            {
                if (head.StartsWith("GET /held", StringComparison.Ordinal))
                {
                    isHeld.SetResult();
                    await mayGo.Task;
                }

                await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nAshlar-Hop: 99\r\n\r\nok");
            }
        });
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(HopRig.Web(On("west", "web.1", app.Port)));
        var held = rig["west"].GetAsync("/held");
        await isHeld.Task.WaitAsync(_patience);

        // What was told fades: whoever was kept from looking asks again.
        var seen = rig["east"].Services.Services.Single().Instances.Single();
        for (var i = 0; i < 100 && seen.Load != 1; i++)
        {
            var (head, body) = await rig["east"].GetAsync();
            Assert.Equal("ok", body);
            Assert.DoesNotContain("Ashlar-Hop", head);
        }

        Assert.Equal(1, seen.Load);
        mayGo.SetResult();
        Assert.DoesNotContain("Ashlar-Hop", (await held).Head);
    }

    [Fact]
    public async Task A_request_has_one_id_on_all_machines_and_one_line_in_one_log()
    {
        await using var app = Heads();
        var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(HopRig.Web(On("west", "web.1", app.Port)));
        var (_, seen) = await rig["east"].GetAsync();
        await rig["east"].DisposeAsync();
        await rig["west"].DisposeAsync();

        var id = Lines(seen, "X-Request-Id").Single().Split(' ')[1];
        Assert.Contains(id, Assert.Single(await File.ReadAllLinesAsync(rig["east"].LogPath)));
        Assert.False(File.Exists(rig["west"].LogPath) && (await File.ReadAllTextAsync(rig["west"].LogPath)).Length > 0);
    }

    [Fact]
    public async Task Here_and_elsewhere_take_turns_over_few_connections()
    {
        await using var east = ScriptedApp.Saying("east");
        await using var west = ScriptedApp.Saying("west");
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(HopRig.Web(On("east", "web.1", east.Port), On("west", "web.2", west.Port)) with { Balance = "round-robin" });
        using var client = await rig["east"].ConnectAsync();
        var answers = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            answers.Add((await client.ReadResponseAsync()).Body);
        }

        Assert.Equal(10, answers.Count(answer => answer == "west"));
        Assert.Equal(1, rig["west"].Server.Connections);
        Assert.Equal(1, west.Accepted);
    }

    [Fact]
    public async Task The_instance_that_is_named_gets_the_request()
    {
        await using var one = ScriptedApp.Saying("one");
        await using var two = ScriptedApp.Saying("two");
        await using var rig = await HopRig.StartAsync("east", "west");
        var both = HopRig.Web(On("west", "web.1", one.Port), On("west", "web.2", two.Port));
        rig.Publish("west", both);
        rig.Publish("east", both with { Instances = [both.Instances[1]] });

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal("two", (await rig["east"].GetAsync()).Body);
        }

        // It has gone meanwhile: another of that machine will do.
        rig.Publish("west", both with { Instances = [both.Instances[0]] });
        Assert.Equal("one", (await rig["east"].GetAsync()).Body);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")]
    public async Task What_is_not_there_any_more_is_asked_of_another(string request)
    {
        await using var east = ScriptedApp.Saying("east");
        await using var rig = await HopRig.StartAsync("east", "west");
        var stale = HopRig.Web(On("east", "web.1", east.Port), On("west", "web.2", 9)) with { Balance = "round-robin" };
        rig.Publish("east", stale);
        rig.Publish("west", HopRig.Web(On("east", "web.1", east.Port)));

        Assert.Equal("east", (await rig["east"].AskAsync(request)).Body);
        Assert.Equal("east", (await rig["east"].AskAsync(request)).Body);
        Assert.Equal("web.2", Next(rig["east"].Ejected));
    }

    [Fact]
    public async Task A_request_never_goes_on_to_a_third_machine()
    {
        await using var app = ScriptedApp.Saying("north");
        await using var rig = await HopRig.StartAsync("east", "west", "north");
        rig.Publish("north", HopRig.Web(On("north", "web.1", app.Port)));
        rig.Publish("west", HopRig.Web(On("north", "web.1", app.Port)));
        rig.Publish("east", HopRig.Web(On("west", "web.1", app.Port)) with { WaitingTimeoutMs = 200 });

        Assert.Matches("^HTTP/1.1 50[23] ", (await rig["east"].GetAsync()).Head);
        Assert.Equal(0, app.Accepted);
        Assert.Equal(0, rig["north"].Server.Connections);
    }

    [Fact]
    public async Task An_app_cannot_say_what_only_an_edge_may()
    {
        await using var app = ScriptedApp.Answering((_, _) => "HTTP/1.1 503 Busy\r\nAshlar-Hop: none\r\nContent-Length: 4\r\n\r\nbusy");
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(HopRig.Web(On("west", "web.1", app.Port)));
        var (head, body) = await rig["east"].GetAsync();

        Assert.Equal("busy", body);
        Assert.DoesNotContain("Ashlar-Hop", head);
        Assert.Equal(1, app.Accepted);
    }

    [Fact]
    public async Task Large_bodies_and_trailers_pass_both_ways()
    {
        var large = new string('x', 4 * 1024 * 1024);
        await using var app = ScriptedApp.Answering((head, body) =>
            $"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n{Encoding.Latin1.GetString(body)}\r\n0\r\nX-Sum: {body.Length}\r\n\r\n");
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(HopRig.Web(On("west", "web.1", app.Port)));
        using var client = await rig["east"].ConnectAsync();
        var sending = client.SendAsync($"POST / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nConnection: TE\r\nTransfer-Encoding: chunked\r\n\r\n{large.Length:x}\r\n{large}\r\n0\r\n\r\n");
        var head = await client.ReadHeadAsync();
        var received = 0;
        string line;
        while ((line = await client.ReadLineAsync()) != "0")
        {
            received += (await client.ReadExactlyAsync(Convert.ToInt32(line, 16))).Count(value => value == 'x');
            await client.ReadLineAsync();
        }

        await sending;
        Assert.StartsWith("HTTP/1.1 200", head);
        Assert.Equal(large.Length, received);
        Assert.Equal($"X-Sum: {large.Length}", await client.ReadLineAsync());
    }

    [Fact]
    public async Task A_client_that_expects_100_gets_it_from_the_app()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
            var body = await connection.ReadAsync(5);
            await connection.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{body}");
        });
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(HopRig.Web(On("west", "web.1", app.Port)));
        using var client = await rig["east"].ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 100", await client.ReadHeadAsync());
        await client.SendAsync("hello");

        Assert.Equal("hello", (await client.ReadResponseAsync()).Body);
    }

    [Fact]
    public async Task A_tunnel_carries_both_directions_and_each_end()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\nwelcome");
            var said = await connection.ReadToEndAsync();
            await connection.SendAsync($"you said {said}");
        });
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(HopRig.Web(On("west", "web.1", app.Port)));
        using var client = await rig["east"].ConnectAsync();
        await client.SendAsync("GET /chat HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 101", await client.ReadHeadAsync());
        Assert.Equal("welcome", await client.ReadAsync(7));
        await client.SendAsync("hello");
        client.Socket.Shutdown(SocketShutdown.Send);

        Assert.Equal("you said hello", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task Events_arrive_while_the_stream_goes_on()
    {
        var more = new TaskCompletionSource();
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
            await more.Task;
            await connection.SendAsync("data: 2\n\n");
        });
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(HopRig.Web(On("west", "web.1", app.Port)));
        using var client = await rig["east"].ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.ReadHeadAsync();
        Assert.Equal("0009", await client.ReadLineAsync());
        Assert.Equal("data: 1\n\n\r\n", await client.ReadAsync(11));
        more.SetResult();
        Assert.Equal("0009", await client.ReadLineAsync());
    }

    [Fact]
    public async Task An_app_learns_that_the_client_has_left()
    {
        var ended = new TaskCompletionSource<string>();
        var asked = new TaskCompletionSource();
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadHeadAsync();
            asked.SetResult();
            ended.SetResult(await connection.EndAsync());
        });
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(HopRig.Web(On("west", "web.1", app.Port)));
        using (var client = await rig["east"].ConnectAsync())
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            await asked.Task.WaitAsync(_patience);
            client.Reset();
        }

        Assert.Equal("reset", await ended.Task.WaitAsync(_patience));
    }

    [Fact]
    public async Task An_answer_that_breaks_off_elsewhere_breaks_off_here()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            connection.Reset();
        });
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(HopRig.Web(On("west", "web.1", app.Port)));
        using var client = await rig["east"].ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n");

        await Assert.ThrowsAnyAsync<Exception>(client.ReadToEndAsync);
    }

    [Fact]
    public async Task A_machine_that_is_lost_costs_only_what_was_in_flight_there_and_is_found_again()
    {
        await using var east = ScriptedApp.Saying("east");
        await using var west = ScriptedApp.Saying("west");
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(
            HopRig.Web(On("east", "web.1", east.Port), On("west", "web.2", west.Port), On("west", "web.3", west.Port)) with { Balance = "round-robin" });
        for (var i = 0; i < 6; i++)
        {
            Assert.StartsWith("HTTP/1.1 200", (await rig["east"].GetAsync()).Head);
        }

        await rig["west"].DieAsync();
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("east", (await rig["east"].AskAsync("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")).Body);
        }

        Assert.Equal("west", Next(rig["east"].Ejected));
        await rig["west"].ReviveAsync();
        using var bound = new CancellationTokenSource(_patience);
        while ((await rig["east"].GetAsync()).Body != "west")
        {
            await Task.Delay(50, bound.Token);
        }
    }

    [Fact]
    public async Task A_machine_that_is_said_not_to_answer_gets_nothing()
    {
        await using var east = ScriptedApp.Saying("east");
        await using var west = ScriptedApp.Saying("west");
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Say = machine => machine with { Reachable = machine.Name != "west" };
        rig.Publish(HopRig.Web(On("east", "web.1", east.Port), On("west", "web.2", west.Port)));
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal("east", (await rig["east"].GetAsync()).Body);
        }

        Assert.Equal(0, rig["west"].Server.Connections);
    }

    [Fact]
    public async Task Requests_wait_for_a_slot_on_whatever_machine()
    {
        var release = new TaskCompletionSource();
        await using var app = new ScriptedApp(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
            {
                await release.Task;
                await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        });
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(HopRig.Web(On("west", "web.1", app.Port)) with { RequestsPerInstance = 1 });

        // East counts its own requests, west all: the second of them waits here, one of west's own there.
        var requests = new[] { rig["east"].GetAsync(), rig["east"].GetAsync(), rig["west"].GetAsync() };
        var west = rig["west"].Services.Table.ByName("web")!;
        var east = rig["east"].Services.Table.ByName("web")!;
        Assert.True(SpinWait.SpinUntil(() => east.Waiting + west.Waiting == 2, _patience));
        release.SetResult();

        Assert.All(await Task.WhenAll(requests), answer => Assert.Equal("ok", answer.Body));
        Assert.True(SpinWait.SpinUntil(() => west.InFlight == 0, _patience));
    }

    [Fact]
    public async Task An_edge_is_replaced_under_load_and_no_request_fails()
    {
        await using var app = ScriptedApp.Saying("west");
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(HopRig.Web(On("west", "web.1", app.Port)));
        var stop = false;
        var served = 0;
        var clients = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            using var client = await rig["east"].ConnectAsync();
            while (!Volatile.Read(ref stop))
            {
                await client.SendAsync("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
                Assert.Equal("west", (await client.ReadResponseAsync()).Body);
                Interlocked.Increment(ref served);
            }
        })).ToArray();
        for (var i = 0; i < 3; i++)
        {
            var before = Volatile.Read(ref served);
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref served) > before + 20, _patience));
            Assert.True(await rig["west"].ReplaceAsync(_patience));
        }

        Volatile.Write(ref stop, true);
        await Task.WhenAll(clients);
    }

    [Fact]
    public async Task Only_machines_of_the_stack_are_served()
    {
        await using var app = ScriptedApp.Saying("west");
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(HopRig.Web(On("west", "web.1", app.Port)));
        using var other = new TestAuthority("another");
        other.Issue(rig.Folder("stranger"), "east");
        rig.Authority.Issue(rig.Folder("gone"), "gone");

        Assert.Equal("west", (await CurlAsync("east")).Output.TrimEnd());
        Assert.NotEqual(0, (await CurlAsync("stranger")).ExitCode);
        Assert.NotEqual(0, (await CurlAsync("gone")).ExitCode); // of this stack once, and not any more
        Assert.NotEqual(0, (await CurlAsync(null)).ExitCode);
        Assert.Equal(1, app.Accepted);

        Task<ProgramResult> CurlAsync(string? identity) => ProgramRun.RunAsync("curl",
        [
            "-fsS", "--max-time", "20", "--resolve", $"west:{rig["west"].HopPort}:127.0.0.1", "--cacert", Path.Combine(rig.Folder("west"), "authority.crt"),
            .. identity is null ? Array.Empty<string>() : ["--cert", Path.Combine(rig.Folder(identity), "machine.crt"), "--key", Path.Combine(rig.Folder(identity), "machine.key")],
            "-H", "Ashlar-Hop: web web.1", $"https://west:{rig["west"].HopPort}/",
        ]);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")]
    public async Task Where_we_are_not_accepted_nothing_was_read_so_another_is_asked(string request)
    {
        await using var east = ScriptedApp.Saying("east");
        await using var west = ScriptedApp.Saying("west");
        await using var rig = await HopRig.StartAsync("east", "west");
        rig.Publish(HopRig.Web(On("east", "web.1", east.Port), On("west", "web.2", west.Port)) with { Balance = "round-robin" });
        using var other = new TestAuthority("another");
        await File.WriteAllTextAsync(Path.Combine(rig.Folder("west"), "authority.crt"), other.Pem);
        Assert.True(rig["west"].Reload());
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal("east", (await rig["east"].AskAsync(request)).Body);
        }

        Assert.Equal("west", Next(rig["east"].Ejected));
        Assert.StartsWith("west: ", Next(rig["east"].NotSecured));
    }

    [Fact]
    public async Task A_machine_that_has_not_heard_of_us_yet_is_not_waited_for()
    {
        await using var east = ScriptedApp.Saying("east");
        await using var west = ScriptedApp.Saying("west");
        await using var rig = await HopRig.StartAsync("east", "west");
        var both = HopRig.Web(On("east", "web.1", east.Port), On("west", "web.2", west.Port)) with { Balance = "round-robin" };
        rig.Publish("east", both);
        rig.Say = machine => machine.Name == "east" ? machine with { Name = "other" } : machine;
        rig.Publish("west", both);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal("east", (await rig["east"].GetAsync()).Body);
        }

        Assert.Equal(0, west.Accepted);
    }

    [Fact]
    public async Task Another_machine_in_the_place_of_the_one_meant_gets_nothing()
    {
        await using var app = ScriptedApp.Saying("west");
        await using var rig = await HopRig.StartAsync("east", "west", "north");
        rig.Say = machine => machine.Name == "west" ? machine with { HopPort = rig["north"].HopPort } : machine;
        rig.Publish(HopRig.Web(On("west", "web.1", app.Port)) with { WaitingTimeoutMs = 200 });

        Assert.Matches("^HTTP/1.1 50[23] ", (await rig["east"].GetAsync()).Head);
        Assert.Equal("west: hostname mismatch", Next(rig["east"].NotSecured), ignoreCase: true);
        Assert.Equal(0, app.Accepted);
    }

    private static string Next(System.Collections.Concurrent.BlockingCollection<string> told) =>
        told.TryTake(out var next, _patience) ? next : "nothing";

    private static IEnumerable<string> Lines(string head, string name) =>
        head.Split("\r\n").Where(line => line.StartsWith($"{name}: ", StringComparison.OrdinalIgnoreCase));

    // Answers with the head it was sent.
    private static ScriptedApp Heads() => ScriptedApp.Answering((head, _) => $"HTTP/1.1 200 OK\r\nContent-Length: {head.Length}\r\n\r\n{head}");
}
