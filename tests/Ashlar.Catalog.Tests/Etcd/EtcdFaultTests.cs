using System.Globalization;
using System.Text;
using Ashlar.Catalog.Etcd;
using Ashlar.Catalog.Store;
using Ashlar.Catalog.Tests.Channel;
using Ashlar.Errors;

namespace Ashlar.Catalog.Tests.Etcd;

/// <summary>Three real members of which some die, freeze, or come back.</summary>
[Trait("Length", "Full")]
public sealed class EtcdFaultTests
{
    [Fact]
    public async Task No_acknowledged_change_and_no_watched_one_is_lost_when_the_leader_dies()
    {
        await using var cluster = await EtcdCluster.StartAsync(3);
        await using var store = new EtcdStore(cluster.Options);
        using var enough = new CancellationTokenSource();
        var watched = new List<(string Key, long Revision)>();
        var watching = Task.Run(async () =>
        {
            await foreach (var change in store.WatchAsync("k/", 1, enough.Token))
            {
                watched.Add((change.Key, change.Revision));
                if (change.Key == "k/last")
                {
                    break;
                }
            }
        });

        var acknowledged = new List<string>();
        for (var round = 0; round < 3; round++)
        {
            var leader = await cluster.LeaderAsync();
            var killed = Task.Run(leader.Kill);
            for (var i = 0; i < 60; i++)
            {
                var key = $"k/{round}-{i:D3}";
                if (await PutAsync(store, key))
                {
                    acknowledged.Add(key);
                }
            }

            await killed;
            cluster.Start(leader);
        }

        while (!await PutAsync(store, "k/last"))
        {
        }

        await watching.Soon();
        var there = (await store.ListAsync("k/")).Entries.Select(entry => entry.Key).ToHashSet(StringComparer.Ordinal);
        Assert.True(acknowledged.Count > 100);
        Assert.Subset(there, acknowledged.ToHashSet(StringComparer.Ordinal));
        Assert.Equal(there.Order(StringComparer.Ordinal), watched.Select(change => change.Key).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        Assert.Equal(watched.Select(change => change.Revision).Order().Distinct(), watched.Select(change => change.Revision));
    }

    [Fact]
    public async Task A_lease_that_is_kept_alive_survives_members_that_restart_and_leadership_with_it()
    {
        await using var cluster = await EtcdCluster.StartAsync(3);
        await using var store = new EtcdStore(cluster.Options);
        var lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(6));
        var leadership = await store.CampaignAsync("leader", "one", lease).Soon();
        for (var round = 0; round < 2; round++)
        {
            var leader = await cluster.LeaderAsync();
            leader.Kill();
            Assert.True(await store.KeepAliveAsync(lease));
            cluster.Start(leader);
            Assert.True(await store.KeepAliveAsync(lease));
        }

        Assert.True(await PutAsync(store, "work", leadership.Fence) || await PutAsync(store, "work", leadership.Fence));
        await store.RevokeLeaseAsync(lease);
        Assert.False((await store.CommitAsync(new StoreTransaction([leadership.Fence], [new("work", TestText.Bytes("late"))]))).Succeeded);
    }

    [Fact]
    public async Task Without_a_majority_nothing_old_is_told_and_nothing_new_taken_until_it_is_back()
    {
        await using var cluster = await EtcdCluster.StartAsync(3);
        var options = cluster.Options with { AttemptLimit = TimeSpan.FromSeconds(1), TotalLimit = TimeSpan.FromSeconds(3) };
        await using var store = new EtcdStore(options);
        Assert.True(await PutAsync(store, "a"));
        var lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(5));
        var alone = cluster.Members[2];
        cluster.Members[0].Kill();
        cluster.Members[1].Kill();

        // A member that is alone has the value, and may not know whether it is the newest.
        foreach (var endpoints in new[] { options.Endpoints, [alone.Client] })
        {
            await using var asking = new EtcdStore(options with { Endpoints = endpoints });
            Assert.Equal("ASH4071", await CodeAsync(async () => await asking.GetAsync("a")));
            Assert.Equal("ASH4071", await CodeAsync(async () => await asking.ListAsync("")));
            Assert.Contains(await CodeAsync(async () => await asking.KeepAliveAsync(lease)), new[] { "ASH4071" });
            Assert.Contains(await CodeAsync(async () => await asking.CommitAsync(Write("a"))), new[] { "ASH4071", "ASH4072" });
            Assert.Equal("ASH4071", await CodeAsync(async () => await asking.WatchAsync("", 1).GetAsyncEnumerator().MoveNextAsync()));
        }

        cluster.Start(cluster.Members[0]);
        await cluster.ReadyAsync();
        Assert.NotNull(await store.GetAsync("a"));
        Assert.True(await store.KeepAliveAsync(lease));
    }

    [Fact]
    public async Task A_leader_that_froze_and_wakes_tells_nothing_old()
    {
        await using var cluster = await EtcdCluster.StartAsync(3);
        var options = cluster.Options with { AttemptLimit = TimeSpan.FromSeconds(2) };
        await using var store = new EtcdStore(options);
        Assert.True(await PutAsync(store, "a"));
        var frozen = await cluster.LeaderAsync();
        await using var toFrozen = new EtcdStore(options with { Endpoints = [frozen.Client], TotalLimit = TimeSpan.FromSeconds(20), AttemptLimit = TimeSpan.FromSeconds(20) });
        frozen.Freeze();
        CommitResult? last = null;
        while (last is null)
        {
            try
            {
                last = await store.CommitAsync(Write("a"));
            }
            catch (AshlarException e)
            {
                Assert.Equal("ASH4072", e.Error.Code);
            }
        }

        var asked = toFrozen.GetAsync("a").AsTask();
        frozen.Thaw();
        Assert.True((await asked.Soon())!.ModRevision >= last.Revision);
    }

    [Fact]
    public async Task A_watch_at_a_member_that_lost_the_others_is_refused_and_goes_on_elsewhere()
    {
        await using var cluster = await EtcdCluster.StartAsync(3);
        var cut = cluster.Members[0];
        await using var store = new EtcdStore(cluster.Options with { Endpoints = [cut.Client, cluster.Members[1].Client], WatchSilence = TimeSpan.FromSeconds(2) });
        using var bound = new CancellationTokenSource(Wait.Long);
        await using var watch = store.WatchAsync("", 1, bound.Token).GetAsyncEnumerator();
        Assert.True(await PutAsync(store, "a"));
        Assert.True(await watch.MoveNextAsync().Soon());
        var next = watch.MoveNextAsync().Soon();
        cut.Freeze();
        await using var elsewhere = new EtcdStore(cluster.Options with { Endpoints = [cluster.Members[1].Client, cluster.Members[2].Client], AttemptLimit = TimeSpan.FromSeconds(8) });
        while (!await PutAsync(elsewhere, "b"))
        {
        }

        Assert.True(await next);
        Assert.Equal("b", watch.Current.Key);
        cut.Thaw();
    }

    private static StoreTransaction Write(string key, params StoreCondition[] conditions) =>
        new([.. conditions], [new(key, Encoding.ASCII.GetBytes(DateTime.UtcNow.Ticks.ToString(CultureInfo.InvariantCulture)))]);

    /// <summary>False: it is not known whether it was made.</summary>
    private static async Task<bool> PutAsync(EtcdStore store, string key, params StoreCondition[] conditions)
    {
        try
        {
            Assert.True((await store.CommitAsync(Write(key, conditions))).Succeeded);
            return true;
        }
        catch (AshlarException e) when (e.Error.Code == "ASH4072")
        {
            return false;
        }
    }

    private static async Task<string> CodeAsync(Func<Task> action) => (await Assert.ThrowsAsync<AshlarException>(() => action().Soon())).Error.Code;
}
