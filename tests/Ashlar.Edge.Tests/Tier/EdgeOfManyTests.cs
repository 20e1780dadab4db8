using System.Net;
using System.Net.Sockets;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;
using Ashlar.Testing;

namespace Ashlar.Edge.Tests.Tier;

/// <summary>The edge's process on one of many machines: its listeners and its identity.</summary>
public sealed class EdgeOfManyTests : IDisposable
{
    private readonly TierRig _rig = new();
    private readonly TestAuthority _authority = new();

    public void Dispose()
    {
        _rig.DisposeAsync().AsTask().Wait();
        _authority.Dispose();
    }

    [Fact]
    public async Task It_serves_other_machines_on_the_listener_for_them()
    {
        _rig.Options = _rig.Options with { Identity = _authority.Issue(_rig.Folder("east"), "east") };
        _authority.Issue(_rig.Folder("west"), "west");
        await using var server = _rig.Listen();
        _rig.Start();
        using var agent = await _rig.AcceptAsync(server);
        var hop = _rig.OpenSocket();
        await PublishAsync(agent, hop, new CatalogListener("hop", "127.0.0.1", hop.Port, null) { Hop = true }, _rig.App("web.1/1"));

        Assert.Equal("web.1/1", (await AskAsync(hop.Port)).Output.TrimEnd());

        // A renewed certificate is taken up without a restart.
        _authority.Issue(_rig.Folder("east"), "east");
        Assert.True(SpinWait.SpinUntil(() => _rig.Said.Contains("renewed certificate", StringComparison.Ordinal), TierRig.Patience), _rig.Said);
        Assert.Equal("web.1/1", (await AskAsync(hop.Port)).Output.TrimEnd());
    }

    [Fact]
    public async Task A_machine_that_does_not_answer_is_told_to_the_agent()
    {
        _rig.Options = _rig.Options with { Identity = _authority.Issue(_rig.Folder("east"), "east") };
        await using var server = _rig.Listen();
        _rig.Start();
        using var agent = await _rig.AcceptAsync(server);
        var forward = _rig.OpenSocket();
        await PublishAsync(agent, forward, new CatalogListener("forward:database.1", "127.0.0.1", forward.Port, null) { Forward = "database.1" });
        using (var client = new TcpClient())
        {
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, forward.Port);
                Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(TierRig.Patience));
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // Reset, at once.
            }
        }

        var fact = await TierRig.FactAsync(agent, fact => fact.Kind == FactKinds.MachineEjected);
        Assert.Equal(("west", 1000), (fact.Subject, fact.Number));
        Assert.Contains("ASH3016", _rig.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_an_identity_it_serves_what_needs_none()
    {
        await using var server = _rig.Listen();
        _rig.Start();
        using var agent = await _rig.AcceptAsync(server);
        var hop = _rig.OpenSocket();
        await PublishAsync(agent, hop, new CatalogListener("hop", "127.0.0.1", hop.Port, null) { Hop = true }, _rig.App("web.1/1"));
        Assert.Contains("ASH3018", _rig.Said, StringComparison.Ordinal);

        var http = _rig.OpenSocket();
        await _rig.MeetOnAsync(agent, http, _rig.App("web.1/2"));
        Assert.EndsWith("web.1/2", await TierRig.GetAsync(http.Port), StringComparison.Ordinal);
    }

    private async Task PublishAsync(ChannelConnection agent, ListeningSocket socket, CatalogListener listener, params CatalogService[] services)
    {
        await agent.SendDescriptorsAsync([listener.Name], [socket.Descriptor]).WaitAsync(TierRig.Patience);
        await agent.SendSnapshotAsync(_rig.Snapshot(null, services) with
        {
            Listeners = [listener],
            Machine = "east",
            Machines = [new CatalogMachine("east", "127.0.0.1", socket.Port, true), new CatalogMachine("west", "127.0.0.1", Ports.Free(), true)],
            Engines = [Rig.Service("database", Rig.Instance("database.1/1", port: 5432) with { Machine = "west" })],
        }).WaitAsync(TierRig.Patience);
        await TierRig.FactAsync(agent, fact => fact.Kind == FactKinds.Applied && fact.Number > 0);
    }

    private Task<ProgramResult> AskAsync(int port) => ProgramRun.RunAsync("curl",
    [
        "-sS", "--max-time", "20", "--resolve", $"east:{port}:127.0.0.1", "--cacert", Path.Combine(_rig.Folder("west"), "authority.crt"),
        "--cert", Path.Combine(_rig.Folder("west"), "machine.crt"), "--key", Path.Combine(_rig.Folder("west"), "machine.key"),
        "-H", "Ashlar-Hop: web web.1", $"https://east:{port}/",
    ]);
}
