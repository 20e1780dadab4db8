using Ashlar.Catalog.Etcd;
using Ashlar.Errors;

namespace Ashlar.Engines.Etcd;

/// <summary>From one member to three and back, and what happens when some are lost.</summary>
[Trait("Length", "Full")]
public sealed class EtcdMembershipTests
{
    [Fact]
    public async Task One_member_becomes_three_one_is_lost_and_replaced_and_nothing_is_lost_with_it()
    {
        await using var rig = new EtcdRig();
        var first = EtcdRig.Member("app-1");
        await rig.UpAsync(first);
        await EtcdRig.PutAsync(EtcdRig.OptionsOf(first), "a", "1");
        using var membership = new EtcdMembership(EtcdRig.OptionsOf(first));
        var second = await JoinAsync(rig, membership, "app-2");
        var third = await JoinAsync(rig, membership, "app-3");
        Assert.Equal(["app-1", "app-2", "app-3"], (await membership.ListAsync()).Select(member => member.Name).Order());
        Assert.All(await membership.ListAsync(), member => Assert.False(member.IsLearner));

        await rig.KillAsync(first);
        var rest = EtcdRig.OptionsOf(second, third);
        Assert.Equal("1", await EtcdRig.GetAsync(rest, "a"));
        await EtcdRig.PutAsync(rest, "b", "2");

        using var others = new EtcdMembership(rest);
        var fourth = EtcdRig.Member("app-4");
        fourth = fourth with { Cluster = await others.ReplaceAsync("app-1", fourth.AsPeer), Joins = true };
        rig.Start(fourth);
        await others.PromoteAsync(fourth.AsPeer, EtcdRig.Patience);
        await rig.KillAsync(third);
        var last = EtcdRig.OptionsOf(second, fourth);
        Assert.Equal("2", await EtcdRig.GetAsync(last, "b"));
        await EtcdRig.PutAsync(last, "c", "3");
    }

    [Fact]
    public async Task A_member_that_never_comes_costs_no_majority()
    {
        await using var rig = new EtcdRig();
        var first = EtcdRig.Member("app-1");
        await rig.UpAsync(first);
        using var membership = new EtcdMembership(EtcdRig.OptionsOf(first));
        var absent = EtcdRig.Member("app-2");
        await membership.AddAsync(absent.AsPeer);
        Assert.Equal(2, (await membership.AddAsync(absent.AsPeer)).Length);
        await EtcdRig.PutAsync(EtcdRig.OptionsOf(first), "a", "1");
        var late = await Assert.ThrowsAsync<AshlarException>(() => membership.PromoteAsync(absent.AsPeer, TimeSpan.FromSeconds(1)));
        Assert.Equal("ASH7136", late.Error.Code);
        var refused = await Assert.ThrowsAsync<AshlarException>(() => membership.AddAsync(EtcdRig.Member("app-3").AsPeer));
        Assert.Equal("ASH7135", refused.Error.Code);
        Assert.Equal("1", await EtcdRig.GetAsync(EtcdRig.OptionsOf(first), "a"));
        await membership.RemoveAsync("");
        Assert.Single(await membership.ListAsync());
    }

    [Fact]
    public async Task A_member_without_the_others_lives_and_has_no_majority()
    {
        await using var rig = new EtcdRig();
        EtcdMember[] members = [EtcdRig.Member("app-1"), EtcdRig.Member("app-2"), EtcdRig.Member("app-3")];
        members = [.. members.Select(member => member with { Cluster = [.. members.Select(other => other.AsPeer)] })];

        // Ready before the others are there, or those that begin together would wait for each other.
        await rig.UpAsync(members[0], majority: false);
        rig.Start(members[1]);
        rig.Start(members[2]);
        Assert.Null(await EtcdRig.GetAsync(EtcdRig.OptionsOf(members), "a"));
        await rig.KillAsync(members[1]);
        await rig.KillAsync(members[2]);
        var probe = rig.Plan(members[0]).Probe!;
        for (var waited = System.Diagnostics.Stopwatch.StartNew(); (await EngineProbes.EtcdMajorityAsync(probe, CancellationToken.None)).Good; await Task.Delay(50))
        {
            Assert.True(waited.Elapsed < EtcdRig.Patience);
        }

        var health = await EngineProbes.EtcdAsync(probe, CancellationToken.None);
        Assert.True(health.Good, health.Text);
        await rig.UpAsync(members[1]);
    }

    [Fact]
    public async Task Three_members_begin_with_one_backup_when_all_were_lost()
    {
        await using var rig = new EtcdRig();
        var lost = EtcdRig.Member("app-1");
        await rig.UpAsync(lost);
        await EtcdRig.PutAsync(EtcdRig.OptionsOf(lost), "a", "1");
        var path = Path.Combine(rig.Folder, "state.backup");
        await EtcdBackup.SaveAsync(EtcdRig.OptionsOf(lost), path);
        rig.Give(path);
        await rig.KillAsync(lost);

        EtcdMember[] members = [EtcdRig.Member("new-1"), EtcdRig.Member("new-2"), EtcdRig.Member("new-3")];
        members = [.. members.Select(member => member with { Cluster = [.. members.Select(other => other.AsPeer)], Restore = path, Token = "shop-2" })];
        foreach (var member in members)
        {
            rig.Start(member);
        }

        Assert.Equal("1", await EtcdRig.GetAsync(EtcdRig.OptionsOf(members), "a"));
        await rig.KillAsync(members[0]);
        Assert.Equal("1", await EtcdRig.GetAsync(EtcdRig.OptionsOf(members[1..]), "a"));
    }

    [Fact]
    public async Task A_watch_notices_that_the_state_was_restored_even_where_its_revision_is_higher_by_now()
    {
        await using var rig = new EtcdRig();
        var before = EtcdRig.Member("app-1");
        await rig.UpAsync(before);
        await EtcdRig.PutAsync(EtcdRig.OptionsOf(before), "a", "1");
        var path = Path.Combine(rig.Folder, "state.backup");
        await EtcdBackup.SaveAsync(EtcdRig.OptionsOf(before), path);
        rig.Give(path);
        await EtcdRig.PutAsync(EtcdRig.OptionsOf(before), "a", "2");
        await using var store = new EtcdStore(EtcdRig.OptionsOf(before) with { TotalLimit = EtcdRig.Patience });
        var range = await store.ListAsync("");
        var next = Task.Run(async () =>
        {
            await foreach (var change in store.WatchAsync("", range.Revision + 1))
            {
                Assert.Fail($"told of {change}");
            }
        });
        await rig.KillAsync(before);

        var restored = EtcdRig.Member("app-2") with { Restore = path, Token = "shop-2" };
        await rig.UpAsync(restored);
        for (var i = 0; i < 10; i++)
        {
            await EtcdRig.PutAsync(EtcdRig.OptionsOf(restored), "b", $"{i}");
        }

        await rig.KillAsync(restored);
        await rig.UpAsync(restored with { ClientPort = before.ClientPort });
        await Assert.ThrowsAsync<Catalog.Store.CompactedException>(() => next.WaitAsync(EtcdRig.Patience));
        Assert.True((await store.ListAsync("")).Revision > range.Revision);
    }

    [Fact]
    public async Task Members_of_one_authority_speak_mutual_tls_and_one_of_another_stays_outside()
    {
        await using var rig = new EtcdRig();
        var files = rig.Files("stack");
        EtcdMember[] members = [EtcdRig.Member("app-1"), EtcdRig.Member("app-2"), EtcdRig.Member("app-3")];
        members = [.. members.Select((member, i) => member with { Tls = i < 2 ? files : rig.Files("other") })];
        members = [.. members.Select(member => member with { Cluster = [.. members.Select(other => other.AsPeer)] })];
        foreach (var member in members)
        {
            rig.Start(member);
        }

        var options = EtcdRig.OptionsOf(members[..2]) with { Tls = EtcdTls.Load(files.Authority, files.Certificate, files.Key), TotalLimit = TimeSpan.FromSeconds(30) };
        Assert.Null(await EtcdRig.GetAsync(options, "a"));
        await EtcdRig.PutAsync(options, "a", "1");
        Assert.False((await EngineProbes.EtcdMajorityAsync(rig.Plan(members[2]).Probe!, CancellationToken.None)).Good);
        Assert.True((await EngineProbes.EtcdMajorityAsync(rig.Plan(members[0]).Probe!, CancellationToken.None)).Good);

        var report = await EtcdBackup.SaveAsync(options, Path.Combine(rig.Folder, "state.backup"));
        Assert.True(report.Revision > 1);
        using var membership = new EtcdMembership(options);
        Assert.Equal(3, (await membership.ListAsync()).Length);
    }

    private static async Task<EtcdMember> JoinAsync(EtcdRig rig, EtcdMembership membership, string name)
    {
        var member = EtcdRig.Member(name);
        member = member with { Cluster = await membership.AddAsync(member.AsPeer), Joins = true };
        rig.Start(member);
        await membership.PromoteAsync(member.AsPeer, EtcdRig.Patience);
        return member;
    }
}
