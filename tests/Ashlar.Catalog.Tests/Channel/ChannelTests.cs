using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Ashlar.Catalog.Channel;
using Ashlar.Testing;

namespace Ashlar.Catalog.Tests.Channel;

public sealed class ChannelTests : IAsyncLifetime, IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<CatalogSnapshot> _snapshots = System.Threading.Channels.Channel.CreateUnbounded<CatalogSnapshot>();
    private readonly Channel<ReceivedDescriptors> _descriptors = System.Threading.Channels.Channel.CreateUnbounded<ReceivedDescriptors>();
    private Func<Command, CancellationToken, Task<CommandResult>> _command =
        (command, _) => Task.FromResult(new CommandResult(true, command.Name));

    private long _applied;
    private ChannelServer _server = null!;
    private ChannelClient _client = null!;
    private Task _running = null!;

    private string SocketPath => Path.Combine(_folder.Path, "channel.sock");

    public Task InitializeAsync()
    {
        _server = ChannelServer.Listen(SocketPath);
        _client = new ChannelClient(
            SocketPath,
            () => new Hello("edge.1/3", "edge", Environment.ProcessId, "1.0", ["http"], _applied),
            new ChannelHandlers
            {
                Snapshot = snapshot =>
                {
                    _applied = snapshot.Revision;
                    _snapshots.Writer.TryWrite(snapshot);
                },
                Command = (command, cancellation) => _command(command, cancellation),
                Descriptors = received => _descriptors.Writer.TryWrite(received),
            });
        _running = _client.RunAsync(_stop.Token);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.Soon();
        await _server.DisposeAsync();
    }

    public void Dispose()
    {
        _folder.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task A_tier_says_who_it_is_and_receives_the_snapshot_as_it_was_sent()
    {
        using var connection = await _server.AcceptAsync().Soon();
        Assert.Equal("edge.1/3", connection.Hello.Instance);
        Assert.Equal<string>(["http"], connection.Hello.Listeners);
        var sent = Snapshot(7);
        await connection.SendSnapshotAsync(sent).Soon();
        var received = await _snapshots.Reader.ReadAsync().Soon();
        Assert.Equal(7, received.Revision);
        Assert.Equal<string>(sent.Domains, received.Domains);
        Assert.Equal<CatalogListener>(sent.Listeners, received.Listeners);
        var service = Assert.Single(received.Services);
        Assert.Equal<CatalogRoute>(sent.Services[0].Routes, service.Routes);
        Assert.Equal<CatalogInstance>(sent.Services[0].Instances, service.Instances);
    }

    [Fact]
    public async Task An_older_snapshot_is_never_sent_after_a_newer_one()
    {
        using var connection = await _server.AcceptAsync().Soon();
        await Task.WhenAll(Enumerable.Range(1, 200).Select(i => Task.Run(() => connection.SendSnapshotAsync(Snapshot(i))))).Soon();
        await connection.SendSnapshotAsync(Snapshot(3)).Soon();
        var last = 0L;
        while (last < 200)
        {
            var revision = (await _snapshots.Reader.ReadAsync().Soon()).Revision;
            Assert.True(revision > last, $"{revision} after {last}");
            last = revision;
        }

        Assert.False(_snapshots.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Commands_are_answered_each_with_its_own_result()
    {
        using var connection = await _server.AcceptAsync().Soon();
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => connection.SendCommandAsync(new Command($"c{i}")))).Soon();
        Assert.Equal(Enumerable.Range(0, 100).Select(i => new CommandResult(true, $"c{i}")), results);
    }

    [Fact]
    public async Task A_command_that_throws_is_answered_with_the_reason()
    {
        _command = (_, _) => throw new InvalidOperationException("no such listener");
        using var connection = await _server.AcceptAsync().Soon();
        var arguments = ImmutableSortedDictionary<string, string>.Empty.Add("grace", "5");
        Assert.Equal(new CommandResult(false, "no such listener"), await connection.SendCommandAsync(new Command("drain", arguments)).Soon());
    }

    [Fact]
    public async Task A_command_whose_tier_goes_fails_instead_of_waiting()
    {
        var begun = new TaskCompletionSource();
        _command = async (_, cancellation) =>
        {
            begun.SetResult();
            await Task.Delay(Timeout.Infinite, cancellation);
            return new CommandResult(true);
        };
        using var connection = await _server.AcceptAsync().Soon();
        var command = connection.SendCommandAsync(new Command("drain"));
        await begun.Task.Soon();
        await _stop.CancelAsync();
        await Assert.ThrowsAsync<IOException>(() => command.Soon());
        await connection.Closed.Soon();
        await Assert.ThrowsAsync<IOException>(() => connection.SendCommandAsync(new Command("drain")).Soon());
    }

    [Fact]
    public async Task Facts_arrive_in_order_also_those_reported_before_there_was_a_connection()
    {
        for (var i = 0; i < 500; i++)
        {
            _client.Report(new Fact(FactKinds.Applied, Number: i));
        }

        using var connection = await _server.AcceptAsync().Soon();
        for (var i = 0; i < 500; i++)
        {
            Assert.Equal(i, (await connection.Facts.ReadAsync().Soon()).Number);
        }
    }

    [Fact]
    public async Task Listeners_go_down_and_come_back()
    {
        using var connection = await _server.AcceptAsync().Soon();
        using var http = ListeningSocket.Open(IPAddress.Loopback, 0, "edge.listen.http");
        using var api = ListeningSocket.Open(IPAddress.IPv6Loopback, 0, "test");
        await connection.SendDescriptorsAsync(["http", "service:api"], [http.Descriptor, api.Descriptor]).Soon();
        using var received = await _descriptors.Reader.ReadAsync().Soon();
        Assert.Equal<string>(["http", "service:api"], received.Names);
        Assert.Equal(http.Port, ListeningSocket.Describe(received.Descriptors[0]).Port);
        Assert.Equal(IPAddress.IPv6Loopback, ListeningSocket.Describe(received.Descriptors[1]).Address);

        await _client.SendDescriptorsAsync(["http"], [received.Descriptors[0]]).Soon();
        using var back = await connection.Descriptors.ReadAsync().Soon();
        Assert.Equal(http.Port, ListeningSocket.Describe(back.Descriptors[0]).Port);
    }

    [Fact]
    public async Task A_tier_connects_again_a_hundred_times_and_keeps_what_it_applied()
    {
        for (var i = 1; i <= 100; i++)
        {
            using var connection = await _server.AcceptAsync().Soon();
            Assert.Equal(i - 1, connection.Hello.AppliedRevision);
            await connection.SendSnapshotAsync(Snapshot(i)).Soon();
            Assert.Equal(i, (await _snapshots.Reader.ReadAsync().Soon()).Revision);
        }
    }

    [Fact]
    public async Task A_tier_meets_a_new_agent_at_the_same_path()
    {
        using (await _server.AcceptAsync().Soon())
        {
            await _server.DisposeAsync();
        }

        await using var next = ChannelServer.Listen(SocketPath);
        using var connection = await next.AcceptAsync().Soon();
        Assert.True((await connection.SendCommandAsync(new Command("ping")).Soon()).Ok);
    }

    [Fact]
    public async Task Garbage_instead_of_a_hello_is_closed_and_others_are_served()
    {
        using (var stream = FrameStream.Connect(SocketPath))
        {
            await stream.SendAsync(new ChannelMessage(ChannelKinds.Fact) { Fact = new Fact("x") }, ChannelJson.Default.ChannelMessage);
            Assert.Null(await stream.ReadAsync(ChannelJson.Default.ChannelMessage).Soon());
        }

        using var connection = await _server.AcceptAsync().Soon();
        Assert.Equal("edge.1/3", connection.Hello.Instance);
    }

    [Fact]
    public async Task A_kind_of_message_that_a_newer_version_sends_is_passed_over()
    {
        using (await _server.AcceptAsync().Soon())
        using (var stream = FrameStream.Connect(SocketPath))
        {
            var hello = new Hello("edge.2/1", "edge", 1, "9.9", [], 0);
            await stream.SendAsync(new ChannelMessage(ChannelKinds.Hello) { Hello = hello }, ChannelJson.Default.ChannelMessage);
            await stream.SendAsync(new ChannelMessage("telepathy"), ChannelJson.Default.ChannelMessage);
            await stream.SendAsync(new ChannelMessage(ChannelKinds.Fact) { Fact = new Fact("after") }, ChannelJson.Default.ChannelMessage);
            while (await _server.AcceptAsync().Soon() is var connection)
            {
                using (connection)
                {
                    if (connection.Hello.Instance == "edge.2/1")
                    {
                        Assert.Equal("after", (await connection.Facts.ReadAsync().Soon()).Kind);
                        break;
                    }
                }
            }
        }
    }

    [Fact]
    public void A_snapshot_of_another_version_can_be_read()
    {
        var snapshot = System.Text.Json.JsonSerializer.Deserialize(
            """{"revision":3,"stack":"s","services":[{"name":"web","later":1}],"unknown":{}}""", CatalogJson.Default.CatalogSnapshot)!;
        Assert.Empty(snapshot.Domains);
        Assert.Empty(snapshot.Listeners);
        Assert.Empty(snapshot.Services[0].Instances);
        Assert.Empty(snapshot.Services[0].Routes);
    }

    private static CatalogSnapshot Snapshot(long revision) => new()
    {
        Revision = revision,
        Stack = "storefront",
        Domains = ["storefront.test"],
        Release = "v1",
        Listeners = [new CatalogListener("http", "127.0.0.1", 8080, null)],
        Services =
        [
            new CatalogService
            {
                Name = "web",
                Routes = [new CatalogRoute(null, "/")],
                Instances = [new CatalogInstance { Id = "web.1/1", Name = "web.1", Address = "127.0.0.1", Port = 4000, State = InstanceState.Healthy }],
            },
        ],
    };
}
