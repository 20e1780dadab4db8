using System.Collections.Immutable;
using System.Net.Sockets;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Machines.Rolling;
using Ashlar.Agent.Publishing;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Catalog.Store;
using Ashlar.Processes;
using Ashlar.Stack;
using Ashlar.Testing;

namespace Ashlar.Agent.Tests.Machines;

/// <summary>The kept port of an engine elsewhere is held here by a listener that leads there: by nobody else, and always at the port of now.</summary>
public sealed class ForwardedPortTests : IAsyncDisposable
{
    private static readonly TierNeeds Queue = new(["queue.1"], []);
    private readonly TempFolder _folder = new();
    private readonly SqliteStore _store;
    private readonly KeptNeeds _kept;
    private readonly Listeners _listeners;
    private readonly StackDefinition _stack;
    private string _machine = "m2";

    public ForwardedPortTests()
    {
        _store = SqliteStore.Open(Path.Combine(_folder.Path, "store"), TimeProvider.System);
        _kept = new KeptNeeds(_store, new PortAllocator());
        _stack = new StackDefinition { Name = "s", Directory = _folder.Path, Edge = new EdgeDefinition { Http = new ListenAddress("127.0.0.1", 0) } };
        _listeners = new Listeners(_kept, new AgentLog(TextWriter.Null, TimeProvider.System))
        {
            OfMachine = () => [.. MachineListeners.Of(
                new MachineFile { Stack = "s", Name = "m1", Address = "127.0.0.1", PeerPort = 1, HopPort = 0, Endpoints = [] },
                new PlacementRecord { Machines = ImmutableSortedDictionary<string, string>.Empty.Add("queue.1", _machine) },
                _kept.Ports)],
        };
    }

    [Fact]
    public async Task TheListenerThatLeadsToAnEngineIsNoReasonToGiveTheEngineAnotherPort()
    {
        _kept.Make(Queue, _listeners.Forwards);
        var port = _kept.Ports["queue.1"];
        await _listeners.OpenAsync(_stack);
        _kept.Make(Queue, _listeners.Forwards);
        Assert.Equal(port, _kept.Ports["queue.1"]);
        Assert.Equal(port, Forward!.Port);
    }

    [Fact]
    public async Task WhereAnEngineGetsAnotherPortTheListenerThatLeadsToItFollows()
    {
        _kept.Make(Queue, _listeners.Forwards);
        await _listeners.OpenAsync(_stack);
        var (before, after) = (_kept.Ports["queue.1"], _kept.Renew("queue.1"));
        await _listeners.OpenAsync(_stack);
        Assert.Equal(after, Forward!.Port);
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", after);
        Assert.True(PortAllocator.CanBind(System.Net.IPAddress.Loopback, before));
    }

    [Fact]
    public async Task AnEngineThatComesHereFindsItsPortFree()
    {
        _kept.Make(Queue, _listeners.Forwards);
        await _listeners.OpenAsync(_stack);
        _machine = "m1";
        await _listeners.OpenAsync(_stack);
        Assert.Null(Forward);
        Assert.True(PortAllocator.CanBind(System.Net.IPAddress.Loopback, _kept.Ports["queue.1"]));
    }

    [Fact]
    public async Task APortThatSomethingHoldsStillIsTriedAgain()
    {
        _kept.Make(Queue, _listeners.Forwards);
        using (var holder = new TcpListener(System.Net.IPAddress.Loopback, _kept.Ports["queue.1"]))
        {
            holder.Start();
            await _listeners.OpenAsync(_stack);
            Assert.True(_listeners.IsIncomplete);
            Assert.Null(Forward);
        }

        await _listeners.OpenAsync(_stack);
        Assert.False(_listeners.IsIncomplete);
        Assert.NotNull(Forward);
    }

    [Fact]
    public void WhileDataTiersComeUpThoseOfOtherMachinesArePartOfTheTarget()
    {
        var raised = RollFollower.WithData(Of("v1", [World.Want("web", 1, "a")], [World.Want("web", 2, "a")]), (
            Of("v2", [World.Want("web", 1, "b"), Engine("database", "a")], [World.Want("web", 2, "b"), Engine("queue", "a")]),
            Of("v1", [World.Want("web", 1, "a")], [World.Want("web", 2, "a"), Engine("cache", "a")])));
        Assert.Equal(["web.1 a", "database.1 a"], raised.Instances.Select(instance => $"{instance.Name} {instance.Fingerprint}"));
        Assert.Equal(["web.2 a", "queue.1 a", "cache.1 a"], raised.Elsewhere.Select(instance => $"{instance.Name} {instance.Fingerprint}"));
    }

    public async ValueTask DisposeAsync()
    {
        _listeners.Dispose();
        await _store.DisposeAsync();
        _folder.Dispose();
    }

    private CatalogListener? Forward => _listeners.All.SingleOrDefault(listener => listener.Forward == "queue.1");

    private static DesiredInstance Engine(string name, string fingerprint) => World.Want(name, 1, fingerprint) with { Tier = name };

    private static Target Of(string release, ImmutableArray<DesiredInstance> here, ImmutableArray<DesiredInstance> elsewhere) =>
        new() { Stack = new StackDefinition { Name = "s", Directory = "/" }, Release = release, Instances = here, Elsewhere = elsewhere };
}
