using System.Runtime.CompilerServices;
using Ashlar.Catalog.Store;
using Ashlar.Errors;
using Ashlar.Testing;

namespace Ashlar.Catalog.Tests.Store;

public sealed class MirroredStoreTests : StoreContract, IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ManualTime _time = new();
    private SqliteStore? _own;
    private FarStore? _far;

    private MirroredStore Mirrored => (MirroredStore)Store;

    public void Dispose() => _folder.Dispose();

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await _own!.DisposeAsync();
    }

    protected override Task<IStore> OpenAsync()
    {
        _far = new FarStore(SqliteStore.Open(Path.Combine(_folder.Path, "state.db"), _time));
        _own = SqliteStore.Open(Path.Combine(_folder.Path, "machine.db"), _time);
        return Task.FromResult<IStore>(new MirroredStore(_far, _own, "actual/"));
    }

    protected override Task PassAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task What_was_followed_is_read_while_the_store_is_out_of_reach_and_nothing_is_written()
    {
        await PutAsync("spec/a", "1");
        await PutAsync("actual/m1", "here");
        await using var following = Mirrored.FollowAsync(CancellationToken.None).GetAsyncEnumerator();
        await NextAsync(following);
        await NextAsync(following);
        await PutAsync("spec/a", "2");
        await PutAsync("spec/b", "3");
        await NextAsync(following);
        Assert.Equal("spec/b", (await NextAsync(following)).Key);

        _far!.IsAway = true;
        Assert.Equal("2", Text((await Store.GetAsync("spec/a"))!.Value));
        Assert.True(Mirrored.IsCutOff);
        Assert.Equal(["spec/a", "spec/b"], (await Store.ListAsync("spec/")).Entries.Select(entry => entry.Key));
        Assert.Null(await Store.GetAsync("actual/m1"));
        Assert.Equal("ASH4070", (await Assert.ThrowsAsync<AshlarException>(() => PutAsync("spec/a", "4"))).Error.Code);
    }

    [Fact]
    public async Task What_cannot_be_kept_here_is_told_all_the_same_and_kept_when_there_is_room()
    {
        await using var full = new FarStore(SqliteStore.Open(Path.Combine(_folder.Path, "full.db"), _time));
        await using var mirrored = new MirroredStore(new FarStore(Store), full, "actual/");
        await PutAsync("spec/a", "1");
        full.IsFull = true;
        await using var following = mirrored.FollowAsync(CancellationToken.None).GetAsyncEnumerator();
        Assert.Equal("spec/a", (await NextAsync(following)).Key);
        await PutAsync("spec/b", "2");
        Assert.Equal("spec/b", (await NextAsync(following)).Key);
        Assert.NotNull(mirrored.Hindrance);

        full.IsFull = false;
        for (var n = 0; mirrored.Hindrance is not null; n++)
        {
            await PutAsync("actual/m1", $"{n}");
            await NextAsync(following);
            await Task.Delay(100);
        }

        Assert.Equal(["shared/spec/a", "shared/spec/b"], (await full.ListAsync("shared/")).Entries.Select(entry => entry.Key));
    }

    [Fact]
    public async Task What_has_gone_while_nobody_followed_is_told_to_who_follows_next()
    {
        await PutAsync("nodes/m1", "1");
        await PutAsync("nodes/m2", "1");
        await using (var before = Mirrored.FollowAsync(CancellationToken.None).GetAsyncEnumerator())
        {
            await NextAsync(before);
            await NextAsync(before);
        }

        await Store.CommitAsync(new StoreTransaction([], [new StoreWrite("nodes/m2", null)]));
        await using var following = Mirrored.FollowAsync(CancellationToken.None).GetAsyncEnumerator();
        var gone = await NextAsync(following);
        Assert.Equal(("nodes/m2", true), (gone.Key, gone.Value is null));
        Assert.Equal("nodes/m1", (await NextAsync(following)).Key);
    }

    [Fact]
    public async Task What_changed_meanwhile_is_told_when_the_store_is_back()
    {
        await PutAsync("a", "1");
        await PutAsync("b", "1");
        await using var following = Mirrored.FollowAsync(CancellationToken.None).GetAsyncEnumerator();
        await NextAsync(following);
        await NextAsync(following);
        var next = NextAsync(following);
        _far!.IsAway = true;
        _far.Break();
        await _far.Inner.CommitAsync(new StoreTransaction([], [new StoreWrite("b", null), new StoreWrite("c", "2"u8.ToArray())]));
        _far.IsAway = false;
        var gone = await next;
        Assert.Equal(("b", true), (gone.Key, gone.Value is null));
        Assert.Equal(["a", "c"], [(await NextAsync(following)).Key, (await NextAsync(following)).Key]);
        _far.IsAway = true;
        Assert.Null(await Store.GetAsync("b"));
    }

    [Fact]
    public async Task What_was_forgotten_before_it_could_be_watched_is_listed_again()
    {
        await PutAsync("a", "1");
        await PutAsync("b", "1");
        var watched = 0;
        _far!.Watching = async () =>
        {
            if (watched++ == 0)
            {
                // Between the list and the watch: all that the watch would begin with is past, and forgotten.
                await _far.Inner.CommitAsync(new StoreTransaction([], [new StoreWrite("b", null)]));
                await _far.Inner.CommitAsync(new StoreTransaction([], [new StoreWrite("c", "2"u8.ToArray())]));
                await _far.Inner.CompactAsync((await _far.Inner.ListAsync("")).Revision);
            }
        };
        await using var following = Mirrored.FollowAsync(CancellationToken.None).GetAsyncEnumerator();
        Assert.Equal(["a", "b"], [(await NextAsync(following)).Key, (await NextAsync(following)).Key]);
        var gone = await NextAsync(following);
        Assert.Equal(("b", true), (gone.Key, gone.Value is null));
        Assert.Equal(["a", "c"], [(await NextAsync(following)).Key, (await NextAsync(following)).Key]);
        await PutAsync("d", "3");
        Assert.Equal(("d", 2), ((await NextAsync(following)).Key, watched));
        _far.IsAway = true;
        Assert.Equal(["a", "c", "d"], (await Store.ListAsync("")).Entries.Select(entry => entry.Key));
    }

    [Fact]
    public async Task The_copy_goes_back_with_a_store_that_was_restored_from_a_backup()
    {
        await PutAsync("a", "old");
        var backup = Path.Combine(_folder.Path, "backup.db");
        await using (File.Create(backup))
        {
        }

        await ((SqliteStore)_far!.Inner).CopyToAsync(backup);
        await PutAsync("a", "new");
        await PutAsync("b", "1");
        await using var following = Mirrored.FollowAsync(CancellationToken.None).GetAsyncEnumerator();
        Assert.Equal(["a", "b"], [(await NextAsync(following)).Key, (await NextAsync(following)).Key]);
        var next = NextAsync(following);
        await using var restored = SqliteStore.Open(backup, _time);
        _far.Replaced = restored;
        _far.Break();
        var gone = await next;
        Assert.Equal(("b", true), (gone.Key, gone.Value is null));
        Assert.Equal("old", System.Text.Encoding.UTF8.GetString((await NextAsync(following)).Value!.Value.Span));
        _far.IsAway = true;
        Assert.Equal("old", Text((await Store.GetAsync("a"))!.Value));
        Assert.Null(await Store.GetAsync("b"));
    }

    private static async Task<StoreEvent> NextAsync(IAsyncEnumerator<StoreEvent> events)
    {
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
        return events.Current;
    }

    /// <summary>A store that can be out of reach.</summary>
    private sealed class FarStore(IStore inner) : IStore
    {
        private CancellationTokenSource _breaking = new();

        public IStore Inner => inner;

        public bool IsAway { get; set; }

        public bool IsFull { get; set; }

        public IStore? Replaced { get; set; }

        /// <summary>Happens when a watch is asked for, before it begins.</summary>
        public Func<Task>? Watching { get; set; }

        public void Break() => Interlocked.Exchange(ref _breaking, new CancellationTokenSource()).Cancel();

        public ValueTask<StoreEntry?> GetAsync(string key, CancellationToken cancellation = default) => Near().GetAsync(key, cancellation);

        public ValueTask<StoreRange> ListAsync(string prefix, CancellationToken cancellation = default) => Near().ListAsync(prefix, cancellation);

        public ValueTask<CommitResult> CommitAsync(StoreTransaction transaction, CancellationToken cancellation = default) =>
            IsFull ? throw CatalogErrors.DiskFull("machine.db") : Near().CommitAsync(transaction, cancellation);

        public async IAsyncEnumerable<StoreEvent> WatchAsync(string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellation = default)
        {
            await (Watching?.Invoke() ?? Task.CompletedTask);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _breaking.Token);
            await using var events = Near().WatchAsync(prefix, fromRevision, both.Token).GetAsyncEnumerator(CancellationToken.None);
            while (true)
            {
                try
                {
                    if (!await events.MoveNextAsync())
                    {
                        yield break;
                    }
                }
                catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
                {
                    throw CatalogErrors.EtcdUnreachable("broken");
                }

                yield return events.Current;
            }
        }

        public ValueTask<long> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellation = default) => Near().GrantLeaseAsync(timeToLive, cancellation);

        public ValueTask<bool> KeepAliveAsync(long lease, CancellationToken cancellation = default) => Near().KeepAliveAsync(lease, cancellation);

        public ValueTask RevokeLeaseAsync(long lease, CancellationToken cancellation = default) => Near().RevokeLeaseAsync(lease, cancellation);

        public ValueTask<Leadership> CampaignAsync(string election, string candidate, long lease, CancellationToken cancellation = default) =>
            Near().CampaignAsync(election, candidate, lease, cancellation);

        public ValueTask CompactAsync(long revision, CancellationToken cancellation = default) => Near().CompactAsync(revision, cancellation);

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private IStore Near() => IsAway ? throw CatalogErrors.EtcdUnreachable("nobody") : Replaced ?? inner;
    }
}
