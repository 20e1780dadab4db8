using System.Text;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines.Fencing;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Catalog.Store;
using Ashlar.Stack;
using Ashlar.Testing;

namespace Ashlar.Agent.Tests.Machines.Fencing;

public sealed class LeaseKeeperTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Fence _fence = new(() => false, TimeProvider.System);
    private readonly SqliteStore _store;

    public LeaseKeeperTests() => _store = SqliteStore.Open(Path.Combine(_folder.Path, "s.db"), TimeProvider.System);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task ALeaseThatNobodyHasIsTaken()
    {
        Assert.Equal(LeaseStanding.Unknown, Standing);
        Assert.True(await Keeper("m1").TurnAsync("database", ["m2"], CancellationToken.None));
        Assert.Equal(("m1", LeaseStanding.Held), (await HolderAsync(), Standing));
    }

    [Fact]
    public async Task WhatAnotherMachineHasIsNotRunHere()
    {
        await Keeper("m2", new Fence(() => false, TimeProvider.System)).TurnAsync("database", [], CancellationToken.None);
        Assert.False(await Keeper("m1").TurnAsync("database", ["m2"], CancellationToken.None));
        Assert.Equal(LeaseStanding.Lost, Standing);
        Assert.Equal("fenced: machine m2 has its lease", _fence.WhyNot(Primary, Both));
        Assert.Equal(["database.1"], _fence.Forbidden(Both));
        Assert.Empty(_fence.Allowed(Both, _ => true));
    }

    [Fact]
    public async Task AnAgentTakesOverWhatOneBeforeItOnThisMachineHad()
    {
        await Keeper("m1").TurnAsync("database", [], CancellationToken.None);
        Assert.True(await Keeper("m1").TurnAsync("database", [], CancellationToken.None));
        Assert.Equal("m1", await HolderAsync());
    }

    [Theory]
    [InlineData(true, true, true)]
    [InlineData(true, false, false)]
    public async Task WithoutTheStoreItGoesOnWhereAllThatCouldTakeItAgree(bool second, bool third, bool goesOn)
    {
        var store = new Unreachable(_store);
        var keeper = Keeper("m1", store: store, agrees: machine => machine == "m2" ? second : third);
        await keeper.TurnAsync("database", ["m2", "m3"], CancellationToken.None);
        store.IsOut = true;
        Assert.Equal(goesOn, await keeper.TurnAsync("database", ["m2", "m3"], CancellationToken.None));
        Assert.False(await keeper.TurnAsync("database", [], CancellationToken.None));
    }

    [Fact]
    public async Task WhoBeginsAsksTheStoreAndNotTheOthers()
    {
        var keeper = Keeper("m1", store: new Unreachable(_store) { IsOut = true }, agrees: _ => true);
        await keeper.TurnAsync("database", ["m2"], CancellationToken.None);
        Assert.Equal(LeaseStanding.Unknown, Standing);
        Assert.Empty(_fence.Allowed(Both, _ => false));
        Assert.Equal(["database.1"], _fence.Allowed(Both, _ => true).Select(i => i.Name));
    }

    [Fact]
    public async Task WhatIsNeededNoMoreIsGivenBack()
    {
        var keeper = Keeper("m1");
        await keeper.TurnAsync("database", [], CancellationToken.None);
        await keeper.ForgetAsync([], CancellationToken.None);
        Assert.Null(await HolderAsync());
    }

    [Fact]
    public void OneThatHasNoRivalNeedsNoLease()
    {
        Assert.Equal(LeaseStanding.Held, _fence.Of(Primary, Both with { Elsewhere = [] }));
        Assert.Equal(LeaseStanding.Held, new Fence(() => true, TimeProvider.System).Of(Primary, Both));
    }

    private LeaseStanding Standing => _fence.Of(Primary, Both);

    private static DesiredInstance Primary { get; } = World.Want("database", 1, "f") with { Lease = "database" };

    private static Target Both { get; } = new() { Stack = new StackDefinition { Name = "s", Directory = "/" }, Instances = [Primary], Elsewhere = [World.Want("database", 2, "f")] };

    private LeaseKeeper Keeper(string machine, Fence? fence = null, IStore? store = null, Func<string, bool>? agrees = null) => new(
        fence ?? _fence, store ?? _store, machine, (other, _, _) => Task.FromResult(agrees?.Invoke(other) ?? false), new AgentLog(TextWriter.Null, TimeProvider.System), TimeProvider.System);

    private async Task<string?> HolderAsync() => await _store.GetAsync(Keys.Lease("database")) is { } entry ? Encoding.UTF8.GetString(entry.Value.Span) : null;

    /// <summary>A store that can be out of reach.</summary>
    private sealed class Unreachable(IStore store) : StoreOver(store)
    {
        public bool IsOut { get; set; }

        public override ValueTask<StoreEntry?> GetAsync(string key, CancellationToken cancellation = default) => Reached().GetAsync(key, cancellation);

        public override ValueTask<CommitResult> CommitAsync(StoreTransaction transaction, CancellationToken cancellation = default) => Reached().CommitAsync(transaction, cancellation);

        public override ValueTask<long> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellation = default) => Reached().GrantLeaseAsync(timeToLive, cancellation);

        public override ValueTask<bool> KeepAliveAsync(long lease, CancellationToken cancellation = default) => Reached().KeepAliveAsync(lease, cancellation);

        private IStore Reached() => IsOut ? throw new Ashlar.Errors.AshlarException(new Ashlar.Errors.AshlarError("ASH4070", "test", "out of reach", "")) : Under;
    }
}
