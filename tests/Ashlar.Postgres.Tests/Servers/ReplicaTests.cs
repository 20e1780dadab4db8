namespace Ashlar.Postgres.Tests.Servers;

/// <summary>Replicas: the first copy, the way back after every kind of end, and when a new copy is needed.</summary>
public sealed class ReplicaTests
{
    private static async Task<(ServerRig Rig, PostgresOptions Replica)> PairAsync()
    {
        var rig = new ServerRig();
        await rig.StartAsync(rig.Primary);
        await ServerRig.AskAsync(rig.Primary, "CREATE TABLE kept AS SELECT 1 AS answer");
        var replica = ServerRig.Options("database.2", rig.Primary);
        await rig.StartAsync(replica);
        return (rig, replica);
    }

    private static Task FollowsAsync(PostgresOptions replica, string expected) => ServerRig.Until(
        async () => await ServerRig.AskAsync(replica, "SELECT max(answer)::text FROM kept") == expected, $"the replica has {expected}");

    [Fact]
    public async Task A_replica_is_copied_streams_and_comes_back_after_a_kill_without_a_new_copy()
    {
        var (rig, replica) = await PairAsync();
        await using (rig)
        {
            await FollowsAsync(replica, "1");
            Assert.Equal("t", await ServerRig.AskAsync(replica, "SELECT pg_is_in_recovery()::char"));
            System.Diagnostics.Process.GetProcessById(rig.PidOf(replica)).Kill();
            await ServerRig.AskAsync(rig.Primary, "INSERT INTO kept VALUES (2)");
            var said = await rig.StartAsync(replica);
            Assert.DoesNotContain("is copied", said);
            await FollowsAsync(replica, "2");
        }
    }

    [Fact, Trait("Length", "Full")]
    public async Task A_replica_starts_without_its_primary_and_serves_what_it_has()
    {
        var (rig, replica) = await PairAsync();
        await using (rig)
        {
            await FollowsAsync(replica, "1");
            await rig.StopAsync(replica);
            await rig.StopAsync(rig.Primary);
            await rig.StartAsync(replica);
            Assert.Equal("1", await ServerRig.AskAsync(replica, "SELECT max(answer) FROM kept"));
        }
    }

    [Fact, Trait("Length", "Full")]
    public async Task A_replica_of_another_cluster_is_copied_anew_and_its_old_data_goes_when_the_new_is_whole()
    {
        var (rig, replica) = await PairAsync();
        await using (rig)
        {
            await rig.StopAsync(replica);
            await rig.StopAsync(rig.Primary);
            Directory.Move(rig.DataOf(rig.Primary), Path.Combine(rig.Other, "away"));
            await rig.StartAsync(rig.Primary);
            await ServerRig.AskAsync(rig.Primary, "CREATE TABLE kept AS SELECT 7 AS answer");
            Assert.Contains("another cluster", await rig.StartAsync(replica));
            await FollowsAsync(replica, "7");
            Assert.Equal(["pg"], Directory.GetDirectories(rig.FolderOf(replica)).Select(Path.GetFileName));
        }
    }

    [Fact, Trait("Length", "Full")]
    public async Task A_copy_that_was_cut_off_is_made_again_and_a_slot_that_is_gone_too()
    {
        var (rig, replica) = await PairAsync();
        await using (rig)
        {
            await rig.StopAsync(replica);
            Directory.Move(rig.DataOf(replica), Path.Combine(rig.FolderOf(replica), "pg.preparing"));
            await rig.StartAsync(replica);
            await FollowsAsync(replica, "1");
            await rig.StopAsync(replica);
            await ServerRig.Until(async () => await ServerRig.AskAsync(rig.Primary, "SELECT active::text FROM pg_replication_slots", "ashlar") == "false", "the slot is free");
            await ServerRig.AskAsync(rig.Primary, "SELECT pg_drop_replication_slot('ashlar_2')", "ashlar");
            Assert.DoesNotContain("is copied", await rig.StartAsync(replica));
            await ServerRig.AskAsync(rig.Primary, "INSERT INTO kept VALUES (3)");
            await FollowsAsync(replica, "3");
        }
    }

    [Fact, Trait("Length", "Full")]
    public async Task A_standby_has_at_least_the_sessions_of_its_primary()
    {
        var (rig, replica) = await PairAsync();
        await using (rig)
        {
            await rig.StopAsync(replica);
            await rig.StartAsync(replica with { Settings = replica.Settings.Add("max_connections", "20") });
            Assert.Equal("100", await ServerRig.AskAsync(replica, "SHOW max_connections"));
        }
    }
}
