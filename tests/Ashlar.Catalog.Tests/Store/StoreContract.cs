using System.Text;
using Ashlar.Catalog.Store;
using Ashlar.Catalog.Tests.Channel;

namespace Ashlar.Catalog.Tests.Store;

/// <summary>What any store must do. A store's test class derives from this one and says how the store is opened and time passes.</summary>
public abstract class StoreContract : IAsyncLifetime
{
    protected IStore Store { get; private set; } = null!;

    /// <summary>An empty store.</summary>
    protected abstract Task<IStore> OpenAsync();

    /// <summary>Lets time pass for leases.</summary>
    protected abstract Task PassAsync(TimeSpan time);

    /// <summary>What counts as a second here: less than one where it really has to pass.</summary>
    protected virtual TimeSpan Second => TimeSpan.FromSeconds(1);

    public async Task InitializeAsync() => Store = await OpenAsync();

    public virtual async Task DisposeAsync() => await Store.DisposeAsync();

    [Fact]
    public async Task A_value_is_read_as_it_was_written()
    {
        Assert.Null(await Store.GetAsync("a"));
        var revision = await PutAsync("a", "one");
        var entry = await Store.GetAsync("a");
        Assert.Equal("one", Text(entry!.Value));
        Assert.Equal((revision, revision, 0L), (entry.CreateRevision, entry.ModRevision, entry.Lease));

        var bytes = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        await Store.CommitAsync(new StoreTransaction([], [new StoreWrite("bytes", bytes), new StoreWrite("empty", Array.Empty<byte>())]));
        Assert.Equal(bytes, (await Store.GetAsync("bytes"))!.Value.ToArray());
        Assert.Equal(0, (await Store.GetAsync("empty"))!.Value.Length);
    }

    [Fact]
    public async Task Every_change_has_its_own_growing_revision_and_a_key_keeps_the_one_it_was_created_at()
    {
        var first = await PutAsync("a", "1");
        var second = await PutAsync("a", "2");
        Assert.True(second > first);
        var entry = await Store.GetAsync("a");
        Assert.Equal((first, second), (entry!.CreateRevision, entry.ModRevision));

        await DeleteAsync("a");
        Assert.Null(await Store.GetAsync("a"));
        var again = await PutAsync("a", "3");
        Assert.Equal(again, (await Store.GetAsync("a"))!.CreateRevision);
    }

    [Fact]
    public async Task A_transaction_that_changes_nothing_makes_no_revision()
    {
        var revision = await PutAsync("a", "1");
        Assert.Equal(new CommitResult(true, revision), await Store.CommitAsync(new StoreTransaction([], [new StoreWrite("gone", null)])));
        Assert.Equal(new CommitResult(true, revision), await Store.CommitAsync(new StoreTransaction([], [])));
    }

    [Fact]
    public async Task A_list_holds_the_keys_under_the_prefix_in_the_order_of_their_bytes()
    {
        foreach (var key in new[] { "n/b", "n/a", "n/B", "n/a/1", "n/a-1", "n", "m/a", "o/a", "n/~" })
        {
            await PutAsync(key, key);
        }

        var range = await Store.ListAsync("n/");
        Assert.Equal(["n/B", "n/a", "n/a-1", "n/a/1", "n/b", "n/~"], range.Entries.Select(entry => entry.Key));
        Assert.Equal(9, (await Store.ListAsync("")).Entries.Length);
        Assert.Equal(range.Entries.Max(entry => entry.ModRevision), range.Revision);
        Assert.Empty((await Store.ListAsync("x")).Entries);
    }

    [Fact]
    public async Task A_transaction_is_written_whole_or_not_at_all()
    {
        var revision = await PutAsync("a", "1");
        StoreWrite[] writes = [new("a", Bytes("2")), new("b", Bytes("2"))];
        Assert.False((await Store.CommitAsync(new StoreTransaction([new("a", ModRevision: revision + 1)], [.. writes]))).Succeeded);
        Assert.False((await Store.CommitAsync(new StoreTransaction([new("a", ModRevision: revision), new("c", ModRevision: 9)], [.. writes]))).Succeeded);
        Assert.Equal("1", Text((await Store.GetAsync("a"))!.Value));
        Assert.Null(await Store.GetAsync("b"));

        var result = await Store.CommitAsync(
            new StoreTransaction([new("a", ModRevision: revision, CreateRevision: revision), new("b", ModRevision: 0), new("b", CreateRevision: 0)], [.. writes]));
        Assert.True(result.Succeeded);
        Assert.Equal(result.Revision, (await Store.GetAsync("a"))!.ModRevision);
        Assert.Equal(result.Revision, (await Store.GetAsync("b"))!.ModRevision);
    }

    [Fact]
    public async Task Compare_and_set_of_many_writers_counts_every_one()
    {
        await PutAsync("count", "0");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var done = 0; done < 10;)
            {
                var entry = (await Store.GetAsync("count"))!;
                var next = Bytes($"{int.Parse(Text(entry.Value)) + 1}");
                var result = await Store.CommitAsync(new StoreTransaction([new("count", ModRevision: entry.ModRevision)], [new("count", next)]));
                done += result.Succeeded ? 1 : 0;
            }
        }))).Soon();
        Assert.Equal("80", Text((await Store.GetAsync("count"))!.Value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("ü")]
    [InlineData("a\n")]
    public async Task A_key_that_is_not_printable_ASCII_is_refused(string key)
    {
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.GetAsync(key));
        await Assert.ThrowsAsync<ArgumentException>(() => PutAsync(key, "x"));
    }

    [Fact]
    public async Task What_exceeds_the_limits_is_refused_and_what_meets_them_is_not()
    {
        var key = new string('k', StoreLimits.KeyLength);
        await Store.CommitAsync(new StoreTransaction([], [new(key, new byte[StoreLimits.ValueLength])]));
        Assert.Equal(StoreLimits.ValueLength, (await Store.GetAsync(key))!.Value.Length);
        await Assert.ThrowsAsync<ArgumentException>(() => PutAsync(key + "k", "x"));
        await Assert.ThrowsAsync<ArgumentException>(() => CommitAsync(new StoreWrite("a", new byte[StoreLimits.ValueLength + 1])));
        await Assert.ThrowsAsync<ArgumentException>(() => CommitAsync(new StoreWrite("a", Bytes("1")), new StoreWrite("a", Bytes("2"))));
        await CommitAsync([.. Enumerable.Range(0, StoreLimits.TransactionLength).Select(i => new StoreWrite($"many/{i}", Bytes("x")))]);
        await Assert.ThrowsAsync<ArgumentException>(
            () => CommitAsync([.. Enumerable.Range(0, StoreLimits.TransactionLength + 1).Select(i => new StoreWrite($"many/{i}", Bytes("x")))]));
    }

    [Fact]
    public async Task A_transaction_may_be_as_large_as_its_limit_and_no_larger()
    {
        var half = new byte[(StoreLimits.TransactionBytes / 2) - 1];
        Random.Shared.NextBytes(half);
        await CommitAsync(new("a", half), new("b", half));
        Assert.Equal(half, (await Store.GetAsync("b"))!.Value.ToArray());
        await Assert.ThrowsAsync<ArgumentException>(() => CommitAsync(new("a", half), new("b", half), new("c", Bytes("1"))));

        StoreCondition[] conditions = [.. Enumerable.Range(0, StoreLimits.TransactionLength).Select(i => new StoreCondition($"none/{i}", ModRevision: 0))];
        Assert.True((await Store.CommitAsync(new StoreTransaction([.. conditions], []))).Succeeded);
        conditions[0] = conditions[0] with { CreateRevision = 0 };
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.CommitAsync(new StoreTransaction([.. conditions], [])));
    }

    [Fact]
    public async Task A_long_list_is_whole_and_of_one_revision()
    {
        for (var from = 0; from < 300; from += 100)
        {
            await CommitAsync([.. Enumerable.Range(from, 100).Select(i => new StoreWrite($"long/{i:D3}", Bytes($"{i}")))]);
        }

        var range = await Store.ListAsync("long/");
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"long/{i:D3}"), range.Entries.Select(entry => entry.Key));
        Assert.Equal(range.Revision, range.Entries.Max(entry => entry.ModRevision));
    }

    [Fact]
    public async Task A_watch_gives_what_was_and_what_comes_under_its_prefix()
    {
        await PutAsync("n/a", "1");
        var from = await PutAsync("n/a", "2");
        await PutAsync("m/a", "x");
        await using var watch = Watch("n/", from);
        Assert.Equal(("n/a", "2", from), await NextAsync(watch));
        var put = await PutAsync("n/b", "3");
        await PutAsync("o/b", "x");
        var deleted = await DeleteAsync("n/a");
        Assert.Equal(("n/b", "3", put), await NextAsync(watch));
        Assert.Equal(("n/a", null, deleted), await NextAsync(watch));
    }

    [Fact]
    public async Task A_watch_from_a_revision_to_come_begins_there()
    {
        var now = await PutAsync("a", "1");
        await using var watch = Watch("", now + 2);
        var next = NextAsync(watch);
        await PutAsync("a", "2");
        var revision = await PutAsync("a", "3");
        Assert.Equal(("a", "3", revision), await next);
    }

    [Fact]
    public async Task The_changes_of_one_transaction_come_together_under_one_revision()
    {
        var result = await Store.CommitAsync(new StoreTransaction([], [new("b", Bytes("1")), new("a", Bytes("2"))]));
        await using var watch = Watch("", result.Revision);
        var both = new[] { await NextAsync(watch), await NextAsync(watch) };
        Assert.Equal([("a", "2", result.Revision), ("b", "1", result.Revision)], both.Order());
    }

    [Fact]
    public async Task A_watch_never_loses_or_repeats_while_many_write()
    {
        const int writers = 6, each = 60;
        var start = await PutAsync("w/start", "0") + 1;
        var watches = Enumerable.Range(0, 3).Select(i => Task.Run(async () =>
        {
            var seen = new List<(string Key, string? Value, long Revision)>();
            await using var watch = Watch("w/", start);
            while (seen.Count < writers * each)
            {
                seen.Add(await NextAsync(watch));
            }

            return seen;
        })).ToArray();
        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < each; i++)
            {
                await PutAsync($"w/{writer}", $"{i}");
                await PutAsync($"other/{writer}", $"{i}");
            }
        }))).Soon();
        foreach (var seen in await Task.WhenAll(watches).Soon())
        {
            Assert.Equal(seen.Select(change => change.Revision).Order().Distinct(), seen.Select(change => change.Revision));
            foreach (var ofWriter in seen.GroupBy(change => change.Key))
            {
                Assert.Equal(Enumerable.Range(0, each).Select(i => $"{i}"), ofWriter.Select(change => change.Value));
            }
        }
    }

    [Fact]
    public async Task A_watch_ends_when_it_is_cancelled()
    {
        using var cancel = new CancellationTokenSource();
        await using var watch = Store.WatchAsync("a", 1, cancel.Token).GetAsyncEnumerator();
        var next = watch.MoveNextAsync().AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.Soon());
    }

    [Fact]
    public async Task A_revision_that_was_compacted_cannot_be_watched_and_entries_stay()
    {
        await PutAsync("a", "1");
        await PutAsync("a", "2");
        var third = await PutAsync("a", "3");
        await Store.CompactAsync(third);
        await using (var old = Watch("", third - 1))
        {
            Assert.Equal(third, (await Assert.ThrowsAsync<CompactedException>(() => NextAsync(old))).OldestRevision);
        }

        await using var watch = Watch("", third);
        Assert.Equal(("a", "3", third), await NextAsync(watch));
        Assert.Equal("3", Text((await Store.GetAsync("a"))!.Value));
    }

    [Fact]
    public async Task A_deletion_at_the_very_revision_that_is_compacted_to_is_kept()
    {
        await PutAsync("a", "1");
        var deleted = await DeleteAsync("a");
        await PutAsync("b", "1");
        await Store.CompactAsync(deleted);
        await Store.CompactAsync(deleted);
        await using var watch = Watch("", deleted);
        Assert.Equal(("a", null, deleted), await NextAsync(watch));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await Store.CompactAsync(deleted + 1000));
    }

    [Fact]
    public async Task A_watch_fails_when_the_store_is_closed()
    {
        await using var watch = Watch("a", 1);
        var next = watch.MoveNextAsync().AsTask();
        await Store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => next.Soon());
    }

    [Fact]
    public async Task Keys_end_with_their_lease_in_one_change_and_others_stay()
    {
        var lease = await Store.GrantLeaseAsync(10 * Second);
        await CommitAsync(new("l/a", Bytes("1"), lease), new("l/b", Bytes("1"), lease), new("l/c", Bytes("1")));
        var revision = await PutAsync("l/d", "1");
        await using var watch = Watch("l/", revision + 1);
        await PassAsync(5 * Second);
        Assert.NotNull(await Store.GetAsync("l/a"));
        await PassAsync(6 * Second);
        var ends = new[] { await NextAsync(watch), await NextAsync(watch) };
        Assert.Equal(["l/a", "l/b"], ends.Select(end => end.Key).Order());
        Assert.All(ends, end => Assert.Null(end.Value));
        Assert.Null(await Store.GetAsync("l/a"));
        Assert.NotNull(await Store.GetAsync("l/c"));
    }

    [Fact]
    public async Task A_lease_that_is_kept_alive_lives_on()
    {
        var lease = await Store.GrantLeaseAsync(10 * Second);
        await CommitAsync(new StoreWrite("a", Bytes("1"), lease));
        for (var i = 0; i < 3; i++)
        {
            await PassAsync(5 * Second);
            Assert.True(await Store.KeepAliveAsync(lease));
        }

        Assert.Equal(lease, (await Store.GetAsync("a"))!.Lease);
    }

    [Fact]
    public async Task A_dead_lease_is_said_to_be_dead_and_binds_nothing()
    {
        var lease = await Store.GrantLeaseAsync(5 * Second);
        await PassAsync(6 * Second);
        Assert.False(await Store.KeepAliveAsync(lease));
        await Assert.ThrowsAsync<LeaseLostException>(() => CommitAsync(new("a", Bytes("1")), new("b", Bytes("1"), lease)));
        Assert.Null(await Store.GetAsync("a"));
        await Store.RevokeLeaseAsync(lease);
        Assert.NotEqual(lease, await Store.GrantLeaseAsync(5 * Second));
    }

    [Fact]
    public async Task A_lease_that_is_revoked_ends_at_once()
    {
        var lease = await Store.GrantLeaseAsync(60 * Second);
        await CommitAsync(new StoreWrite("a", Bytes("1"), lease));
        await Store.RevokeLeaseAsync(lease);
        Assert.Null(await Store.GetAsync("a"));
        Assert.False(await Store.KeepAliveAsync(lease));
    }

    [Fact]
    public async Task A_key_that_is_written_again_without_its_lease_survives_it()
    {
        var lease = await Store.GrantLeaseAsync(5 * Second);
        await CommitAsync(new StoreWrite("a", Bytes("1"), lease));
        await PutAsync("a", "2");
        await Store.RevokeLeaseAsync(lease);
        Assert.Equal("2", Text((await Store.GetAsync("a"))!.Value));
    }

    [Fact]
    public async Task Candidates_lead_one_after_the_other_in_the_order_they_came()
    {
        var leases = new List<long>();
        var campaigns = new List<Task<Leadership>>();
        for (var i = 0; i < 3; i++)
        {
            leases.Add(await Store.GrantLeaseAsync(60 * Second));
            campaigns.Add(Store.CampaignAsync("leader", $"candidate {i}", leases[i]).AsTask());
            await EventuallyAsync(async () => (await Store.ListAsync("leader")).Entries.Length == i + 1);
        }

        for (var i = 0; i < 3; i++)
        {
            var leadership = await campaigns[i].Soon();
            Assert.Equal($"candidate {i}", Text((await Store.GetAsync(leadership.Key))!.Value));
            Assert.All(campaigns.Skip(i + 1), campaign => Assert.False(campaign.IsCompleted));
            await Store.RevokeLeaseAsync(leases[i]);
        }
    }

    [Fact]
    public async Task A_leader_whose_lease_ended_cannot_write_any_more()
    {
        var oldLease = await Store.GrantLeaseAsync(5 * Second);
        var old = await Store.CampaignAsync("leader", "old", oldLease).Soon();
        Assert.True((await Store.CommitAsync(new StoreTransaction([old.Fence], [new("work", Bytes("old"))]))).Succeeded);

        var newLease = await Store.GrantLeaseAsync(60 * Second);
        var waiting = Store.CampaignAsync("leader", "new", newLease).AsTask();
        await PassAsync(6 * Second);
        var current = await waiting.Soon();
        Assert.True((await Store.CommitAsync(new StoreTransaction([current.Fence], [new("work", Bytes("new"))]))).Succeeded);
        Assert.False((await Store.CommitAsync(new StoreTransaction([old.Fence], [new("work", Bytes("late"))]))).Succeeded);
        Assert.Equal("new", Text((await Store.GetAsync("work"))!.Value));
    }

    [Fact]
    public async Task A_candidate_that_gives_up_is_withdrawn_and_one_whose_lease_ends_is_told()
    {
        var first = await Store.GrantLeaseAsync(60 * Second);
        var leader = await Store.CampaignAsync("leader", "first", first).Soon();
        using var cancel = new CancellationTokenSource();
        var second = await Store.GrantLeaseAsync(60 * Second);
        var givingUp = Store.CampaignAsync("leader", "second", second, cancel.Token).AsTask();
        var third = await Store.GrantLeaseAsync(5 * Second);
        var dying = Store.CampaignAsync("leader", "third", third).AsTask();
        await EventuallyAsync(async () => (await Store.ListAsync("leader")).Entries.Length == 3);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => givingUp.Soon());
        await PassAsync(6 * Second);
        await Assert.ThrowsAsync<LeaseLostException>(() => dying.Soon());
        Assert.Equal([leader.Key], (await Store.ListAsync("leader")).Entries.Select(entry => entry.Key));
    }

    protected async Task<long> PutAsync(string key, string value) => await CommitAsync(new StoreWrite(key, Bytes(value)));

    private async Task<long> DeleteAsync(string key) => await CommitAsync(new StoreWrite(key, null));

    private async Task<long> CommitAsync(params StoreWrite[] writes)
    {
        var result = await Store.CommitAsync(new StoreTransaction([], [.. writes]));
        Assert.True(result.Succeeded);
        return result.Revision;
    }

    private IAsyncEnumerator<StoreEvent> Watch(string prefix, long from) => Store.WatchAsync(prefix, from).GetAsyncEnumerator();

    private static async Task<(string Key, string? Value, long Revision)> NextAsync(IAsyncEnumerator<StoreEvent> watch)
    {
        Assert.True(await watch.MoveNextAsync().Soon());
        var change = watch.Current;
        return (change.Key, change.Value is { } value ? Text(value) : null, change.Revision);
    }

    private static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        for (var waited = TimeSpan.Zero; !await holds(); waited += TimeSpan.FromMilliseconds(5))
        {
            Assert.True(waited < Wait.Long);
            await Task.Delay(5);
        }
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    protected static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
