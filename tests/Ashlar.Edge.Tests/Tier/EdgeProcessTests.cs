using System.Net.Sockets;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;
using Ashlar.Monitoring;

namespace Ashlar.Edge.Tests.Tier;

public sealed class EdgeProcessTests : IDisposable
{
    private readonly TierRig _rig = new();

    public void Dispose() => _rig.DisposeAsync().AsTask().Wait();

    [Fact]
    public async Task It_says_hello_takes_sockets_and_snapshot_and_serves()
    {
        await using var server = _rig.Listen();
        _rig.Start();
        var socket = _rig.OpenSocket();
        var agent = await _rig.MeetAsync(server, socket, _rig.App("web.1/1"));
        Assert.Equal(("edge.1", "edge", Environment.ProcessId, 0), (agent.Hello.Instance, agent.Hello.Tier, agent.Hello.Pid, (int)agent.Hello.AppliedRevision));
        Assert.Empty(agent.Hello.Listeners);
        Assert.EndsWith("web.1/1", await TierRig.GetAsync(socket.Port), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await TierRig.GetAsync(socket.Port), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_are_logged_and_counted()
    {
        await using var server = _rig.Listen();
        _rig.Start();
        var socket = _rig.OpenSocket();
        await _rig.MeetAsync(server, socket, _rig.App("web.1/1"));
        await TierRig.GetAsync(socket.Port, "/a?token=secret");
        Assert.True(SpinWait.SpinUntil(() => File.Exists(_rig.Options.AccessLogPath) && File.ReadAllText(_rig.Options.AccessLogPath).EndsWith('\n'), TierRig.Patience));
        var line = File.ReadAllText(_rig.Options.AccessLogPath);
        Assert.Contains("\"method\":\"GET\",\"host\":\"localhost\",\"target\":\"/a?token=***\",\"status\":200", line, StringComparison.Ordinal);
        Assert.Contains("\"service\":\"web\",\"instance\":\"web.1\"", line, StringComparison.Ordinal);
        Assert.True(MetricsReader.TryRead(Assert.Single(Directory.GetFiles(_rig.Options.MetricsFolder)), out var metrics, out var problem), problem);
        Assert.Equal(1, metrics.Value(EdgeSeries.Requests + "2xx", "web"));
    }

    [Fact]
    public async Task Sockets_handed_down_again_change_nothing_and_a_new_one_replaces_the_old()
    {
        await using var server = _rig.Listen();
        _rig.Start();
        var old = _rig.OpenSocket();
        var app = _rig.App("web.1/1");
        var agent = await _rig.MeetAsync(server, old, app);
        await TierRig.HandDownAsync(agent, old);
        await _rig.PublishAsync(agent, old, app);
        Assert.EndsWith("web.1/1", await TierRig.GetAsync(old.Port), StringComparison.Ordinal);

        var next = _rig.OpenSocket();
        await TierRig.HandDownAsync(agent, next);
        await _rig.PublishAsync(agent, next, app);
        old.Dispose();
        Assert.EndsWith("web.1/1", await TierRig.GetAsync(next.Port), StringComparison.Ordinal);
        await Assert.ThrowsAsync<SocketException>(() => TierRig.GetAsync(old.Port));
    }

    [Fact]
    public async Task A_listener_that_the_snapshot_lists_no_more_is_closed()
    {
        await using var server = _rig.Listen();
        _rig.Start();
        var socket = _rig.OpenSocket();
        var app = _rig.App("web.1/1");
        var agent = await _rig.MeetAsync(server, socket, app);
        socket.Dispose();
        Assert.EndsWith("web.1/1", await TierRig.GetAsync(socket.Port), StringComparison.Ordinal);
        await _rig.PublishAsync(agent, null, app);
        await Assert.ThrowsAsync<SocketException>(() => TierRig.GetAsync(socket.Port));
    }

    [Fact]
    public async Task It_outlives_its_agent_and_gives_its_sockets_to_the_next()
    {
        var socket = _rig.OpenSocket();
        var app = _rig.App("web.1/1");
        var draining = _rig.App("api.1/4", InstanceState.Draining);
        await using (var first = _rig.Listen())
        {
            _rig.Start();
            (await _rig.MeetAsync(first, socket, app, draining)).Dispose();
        }

        // The agent died, and its copies of the sockets with it.
        socket.Dispose();
        Assert.EndsWith("web.1/1", await TierRig.GetAsync(socket.Port), StringComparison.Ordinal);

        await using var second = _rig.Listen();
        var agent = await _rig.AcceptAsync(second);
        Assert.Equal("http", Assert.Single(agent.Hello.Listeners));
        Assert.True(agent.Hello.AppliedRevision > 0);
        Assert.Equal("api.1/4", (await TierRig.FactAsync(agent, fact => fact.Kind == FactKinds.Idle)).Subject);
        Assert.True((await agent.SendCommandAsync(new Command(CommandNames.GiveListeners)).WaitAsync(TierRig.Patience)).Ok);
        using var patience = new CancellationTokenSource(TierRig.Patience);
        using var given = await agent.Descriptors.ReadAsync(patience.Token);
        Assert.Equal("http", Assert.Single(given.Names));
        Assert.Equal(socket.Port, ListeningSocket.Describe(given.Descriptors[0]).Port);

        // What it gets back is what it has.
        await agent.SendDescriptorsAsync(given.Names, given.Descriptors);
        await _rig.PublishAsync(agent, socket, app);
        Assert.EndsWith("web.1/1", await TierRig.GetAsync(socket.Port), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_starts_with_the_stored_snapshot_when_there_is_no_agent()
    {
        var snapshot = _rig.Snapshot(null, _rig.App("web.1/1"));
        StoredSnapshot.Save(_rig.Options.SnapshotPath, snapshot);
        _rig.Start();
        await using var server = _rig.Listen();
        var agent = await _rig.AcceptAsync(server);
        Assert.Equal(snapshot.Revision, agent.Hello.AppliedRevision);
    }

    [Fact]
    public async Task An_instance_that_drains_is_told_idle_when_its_last_request_ends()
    {
        await using var server = _rig.Listen();
        _rig.Start();
        var socket = _rig.OpenSocket();
        var app = _rig.Keep(new HelloApp("web.1/1") { Gate = new TaskCompletionSource() });
        var web = Rig.Service("web", Rig.Instance("web.1/1", port: app.Port)).Routed("/");
        var agent = await _rig.MeetAsync(server, socket, web);
        var request = TierRig.GetAsync(socket.Port);
        await app.Asked.Task.WaitAsync(TierRig.Patience);
        await _rig.PublishAsync(agent, socket, web with { Instances = [web.Instances[0] with { State = InstanceState.Draining }] });
        Assert.False(agent.Facts.TryRead(out _));
        app.Gate.SetResult();
        Assert.EndsWith("web.1/1", await request, StringComparison.Ordinal);
        Assert.Equal("web.1/1", (await TierRig.FactAsync(agent, fact => fact.Kind == FactKinds.Idle)).Subject);
    }

    [Fact]
    public async Task A_dead_instance_is_told_ejected_and_its_requests_wait_for_the_next()
    {
        await using var server = _rig.Listen();
        _rig.Start();
        var socket = _rig.OpenSocket();
        var dead = _rig.App("web.1/1");
        var agent = await _rig.MeetAsync(server, socket, dead);
        using (var port = ListeningSocket.Open(System.Net.IPAddress.Loopback, 0, "none"))
        {
            dead = dead with { Instances = [dead.Instances[0] with { Id = "web.1/2", Port = port.Port }] };
        }

        await _rig.PublishAsync(agent, socket, dead);
        var request = TierRig.GetAsync(socket.Port);
        Assert.Equal("web.1/2", (await TierRig.FactAsync(agent, fact => fact.Kind == FactKinds.Ejected)).Subject);
        await _rig.PublishAsync(agent, socket, _rig.App("web.1/3"));
        Assert.EndsWith("web.1/3", await request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_drain_command_finishes_what_is_open_and_ends()
    {
        await using var server = _rig.Listen();
        _rig.Start();
        var socket = _rig.OpenSocket();
        var app = _rig.Keep(new HelloApp("web.1/1") { Gate = new TaskCompletionSource() });
        var agent = await _rig.MeetAsync(server, socket, Rig.Service("web", Rig.Instance("web.1/1", port: app.Port)).Routed("/"));
        var request = TierRig.GetAsync(socket.Port);
        await app.Asked.Task.WaitAsync(TierRig.Patience);
        var drain = new Command(CommandNames.Drain) { Arguments = new Command("").Arguments.Add("grace", "30") };
        Assert.True((await agent.SendCommandAsync(drain).WaitAsync(TierRig.Patience)).Ok);
        Assert.False(_rig.Running.IsCompleted);
        app.Gate.SetResult();
        Assert.EndsWith("web.1/1", await request, StringComparison.Ordinal);
        await _rig.Running.WaitAsync(TierRig.Patience);
    }

    [Fact]
    public async Task Asked_twice_it_ends_at_once()
    {
        await using var server = _rig.Listen();
        _rig.Start();
        var socket = _rig.OpenSocket();
        var app = _rig.Keep(new HelloApp("web.1/1") { Gate = new TaskCompletionSource() });
        await _rig.MeetAsync(server, socket, Rig.Service("web", Rig.Instance("web.1/1", port: app.Port)).Routed("/"));
        var request = TierRig.GetAsync(socket.Port);
        await app.Asked.Task.WaitAsync(TierRig.Patience);
        _rig.Edge!.Stop(TimeSpan.FromHours(1));
        _rig.Edge.Stop(TimeSpan.FromHours(1));
        await _rig.Running.WaitAsync(TierRig.Patience);
        await _rig.EndAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => request);
    }

    [Fact]
    public async Task A_command_it_does_not_know_is_refused()
    {
        await using var server = _rig.Listen();
        _rig.Start();
        var agent = await _rig.AcceptAsync(server);
        var answer = await agent.SendCommandAsync(new Command("dance")).WaitAsync(TierRig.Patience);
        Assert.Equal((false, "The edge knows no command dance."), (answer.Ok, answer.Text));
    }
}
