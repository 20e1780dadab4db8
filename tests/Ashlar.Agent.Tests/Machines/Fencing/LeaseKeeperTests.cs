using System.Collections.Immutable;
using System.Text;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines.Fencing;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Catalog.Store;
using Ashlar.Processes;
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

    private static DesiredInstance Primary { get; } = Server(1) with { Lease = "database" };

    private static Target Both { get; } = new() { Stack = new StackDefinition { Name = "s", Directory = "/" }, Instances = [Primary], Elsewhere = [Server(2)] };

    private static DesiredInstance Server(int index) => new()
    {
        Tier = "database",
        Service = "database",
        Index = index,
        Fingerprint = "f",
        Readiness = Readiness.Alive,
        Launch = new LaunchSpec { Command = ["true"], Environment = ImmutableSortedDictionary<string, string>.Empty, WorkingDirectory = "/", LogPath = "", Tag = "" },
    };

    private LeaseKeeper Keeper(string machine, Fence? fence = null, IStore? store = null, Func<string, bool>? agrees = null) => new(
        fence ?? _fence, store ?? _store, machine, (other, _, _) => Task.FromResult(agrees?.Invoke(other) ?? false), new AgentLog(TextWriter.Null, TimeProvider.System), TimeProvider.System);

    private async Task<string?> HolderAsync() => await _store.GetAsync(Keys.Lease("database")) is { } entry ? Encoding.UTF8.GetString(entry.Value.Span) : null;

    /// <summary>A store that can be out of reach.</summary>
    private sealed class Unreachable(IStore store) : IStore
    {
        public bool IsOut { get; set; }

        private IStore Store => IsOut ? throw new Ashlar.Errors.AshlarException(new Ashlar.Errors.AshlarError("ASH4070", "test", "out of reach", "")) : store;

        public ValueTask<StoreEntry?> GetAsync(string key, CancellationToken cancellation = default) => Store.GetAsync(key, cancellation);

        public ValueTask<StoreRange> ListAsync(string prefix, CancellationToken cancellation = default) => Store.ListAsync(prefix, cancellation);

        public ValueTask<CommitResult> CommitAsync(StoreTransaction transaction, CancellationToken cancellation = default) => Store.CommitAsync(transaction, cancellation);

        public IAsyncEnumerable<StoreEvent> WatchAsync(string prefix, long fromRevision, CancellationToken cancellation = default) => Store.WatchAsync(prefix, fromRevision, cancellation);

        public ValueTask<long> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellation = default) => Store.GrantLeaseAsync(timeToLive, cancellation);

        public ValueTask<bool> KeepAliveAsync(long lease, CancellationToken cancellation = default) => Store.KeepAliveAsync(lease, cancellation);

        public ValueTask RevokeLeaseAsync(long lease, CancellationToken cancellation = default) => Store.RevokeLeaseAsync(lease, cancellation);

        public ValueTask<Leadership> CampaignAsync(string election, string candidate, long lease, CancellationToken cancellation = default) => Store.CampaignAsync(election, candidate, lease, cancellation);

        public ValueTask CompactAsync(long revision, CancellationToken cancellation = default) => Store.CompactAsync(revision, cancellation);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
