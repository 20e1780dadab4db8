using System.Diagnostics;
using Ashlar.Agent.Api;
using Ashlar.Catalog;
using Ashlar.Errors;
using Ashlar.Monitoring;

namespace Ashlar.Postgres.Tests.Clusters;

/// <summary>The database as a tier of a stack, under a real agent.</summary>
public sealed class ClusterTests
{
    [Fact]
    public async Task A_database_outlives_kills_of_the_server_and_of_the_agent()
    {
        await using var rig = new ClusterRig("{}");
        await rig.UpAsync();
        await rig.AskAsync("CREATE TABLE kept AS SELECT 42 AS answer");
        var first = await rig.UntilAsync("database.1", i => i.Role == "primary", "says its role");
        Assert.True(first.Pids.Length > 3, "the server's own processes are counted");

        await rig.KillAsync("database.1");
        var second = await rig.UntilAsync("database.1", i => i.State == InstanceState.Healthy && i.Pids[0] != first.Pids[0], "is back");
        Assert.Equal("42", await rig.AskAsync("SELECT answer FROM kept"));

        var agent = await rig.AgentPidAsync();
        using (var process = Process.GetProcessById(agent))
        {
            process.Kill();
        }

        await ClusterRig.Until(() => Task.FromResult(Ended(agent)), "the agent is gone");
        Assert.Equal(second.Pids[0], (await rig.UntilAsync("database.1", i => i.State == InstanceState.Healthy && i.Role == "primary", "is adopted")).Pids[0]);

        await rig.OrderAsync(AgentVerbs.Restart, "database");
        Assert.Equal("42", await rig.AskAsync("SELECT answer FROM kept"));
    }

    private static void InOrder(string log, params string[] lines)
    {
        var at = 0;
        foreach (var line in lines)
        {
            at = log.IndexOf(line, at, StringComparison.Ordinal);
            Assert.True(at >= 0, $"{line} does not follow in\n{log}");
        }
    }

    private static bool Ended(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/stat").Contains(") Z", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return true;
        }
    }

    [Fact]
    public async Task Replicas_come_and_go_while_the_stack_runs_and_leave_nothing()
    {
        await using var rig = new ClusterRig("{}");
        await rig.UpAsync();
        await rig.AskAsync("CREATE TABLE kept AS SELECT 42 AS answer");
        var told = await rig.ScaleAsync(1);
        Assert.StartsWith("DATABASE_REPLICA_URL will lead elsewhere: worker will be replaced", told, StringComparison.Ordinal);
        InOrder(rig.Log, "start database.2", "database.2/4 healthy", "start worker.1", "stop worker.1");
        var replica = await rig.UntilAsync("database.2", i => i is { Role: "replica", LagBytes: 0, LagSeconds: 0 }, "follows");
        Assert.Equal("42", await rig.AskAsync("SELECT answer FROM kept", "DATABASE_REPLICA_URL"));
        Assert.Equal("true", await rig.AskAsync("SELECT pg_is_in_recovery()::text", "DATABASE_REPLICA_URL"));
        var metrics = Assert.Single(Directory.GetFiles(rig.State.Metrics, "database.*.metrics"));
        Assert.True(MetricsReader.TryRead(metrics, out _, out _));

        await rig.KillAsync("database.2");
        await rig.UntilAsync("database.2", i => i is { State: InstanceState.Healthy, Role: "replica" } && i.Pids[0] != replica.Pids[0], "is back");

        Assert.DoesNotContain("worker", await rig.ScaleAsync(2), StringComparison.Ordinal);
        Assert.Contains("worker will be replaced", await rig.ScaleAsync(0), StringComparison.Ordinal);
        InOrder(rig.Log, "start database.3", " scale\n", "start worker.1", "stop worker.1", "stop database.3", "stop database.2");
        await ClusterRig.Until(() => Task.FromResult(!Directory.Exists(rig.State.DataOf("database.2"))), "its data is gone");
        await ClusterRig.Until(async () => await rig.AdminAsync("SELECT count(*) FROM pg_replication_slots") == "0", "its slot is gone");
        Assert.Equal("42", await rig.AskAsync("SELECT answer FROM kept", "DATABASE_REPLICA_URL"));
        Assert.Equal("ASH7010", (await Assert.ThrowsAsync<AshlarException>(() => rig.ScaleAsync(9))).Error.Code);
    }

    [Fact, Trait("Length", "Full")]
    public async Task A_replica_whose_slot_was_lost_is_cloned_again()
    {
        await using var rig = new ClusterRig("{replicas: 1, settings: {max_slot_wal_keep_size: 16MB, wal_keep_size: '0', max_wal_size: 64MB}}");
        await rig.UpAsync();
        await rig.AskAsync("CREATE TABLE kept AS SELECT 42 AS answer");
        await rig.UntilAsync("database.2", i => i.Role == "replica", "follows");
        await rig.OrderAsync(AgentVerbs.Stop, "database.2");
        await ClusterRig.Until(async () =>
        {
            await rig.AdminAsync("SELECT pg_switch_wal() FROM (SELECT pg_logical_emit_message(false, 'fill', 'x')) f");
            await rig.AdminAsync("CHECKPOINT");
            return await rig.AdminAsync("SELECT wal_status FROM pg_replication_slots") == "lost";
        }, "the slot is lost");
        await rig.AskAsync("UPDATE kept SET answer = 43");
        await rig.OrderAsync(AgentVerbs.Start, "database.2");
        await rig.UntilAsync("database.2", i => i is { State: InstanceState.Healthy, Role: "replica", LagBytes: 0 }, "follows again");
        Assert.Equal("43", await rig.AskAsync("SELECT answer FROM kept", "DATABASE_REPLICA_URL"));
        Assert.Contains("could not keep the log", File.ReadAllText(rig.State.LogOf("database.2")));
    }

    [Fact, Trait("Length", "Full")]
    public async Task A_running_replica_whose_slot_is_lost_is_seen_and_cloned_again()
    {
        await using var rig = new ClusterRig("{replicas: 1, settings: {max_slot_wal_keep_size: 16MB, wal_keep_size: '0', max_wal_size: 64MB}}");
        await rig.UpAsync();
        await rig.AskAsync("CREATE TABLE kept AS SELECT 42 AS answer");
        var replica = await rig.UntilAsync("database.2", i => i.Role == "replica" && i.Pids.Length > 4, "follows");
        // It is sent elsewhere, so that it runs and does not stream. The next copy knows nothing of that.
        await rig.AdminAsync("ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'", replica.Port);
        await rig.AdminAsync("SELECT pg_reload_conf()", replica.Port);
        await ClusterRig.Until(async () =>
        {
            await rig.AdminAsync("SELECT pg_switch_wal() FROM (SELECT pg_logical_emit_message(false, 'fill', 'x')) f");
            await rig.AdminAsync("CHECKPOINT");
            return await rig.AdminAsync("SELECT wal_status FROM pg_replication_slots") == "lost";
        }, "the slot is lost");
        await rig.AskAsync("UPDATE kept SET answer = 43");
        await rig.UntilAsync("database.2", i => i is { State: InstanceState.Healthy, Role: "replica", LagBytes: 0 } && i.Pids[0] != replica.Pids[0], "follows again");
        Assert.Equal("43", await rig.AskAsync("SELECT answer FROM kept", "DATABASE_REPLICA_URL"));
        Assert.Contains("ASH7031", rig.Log);
    }

    [Theory]
    [InlineData("data")]
    [InlineData("data/database.1")]
    [InlineData("data/database.1/pg")]
    public async Task Where_data_was_no_new_database_is_made_until_a_person_says_so(string missing)
    {
        await using var rig = new ClusterRig("{}");
        await rig.UpAsync();
        await rig.AskAsync("CREATE TABLE kept AS SELECT 42 AS answer");
        await rig.DownAsync();
        var (place, away) = (Path.Combine(rig.State.Path, missing), Path.Combine(rig.Folder, "away"));
        Directory.Move(place, away);

        var error = (await Assert.ThrowsAsync<AshlarException>(rig.UpAsync)).Error;
        Assert.Equal("ASH7017", error.Code);
        Assert.Contains(Path.Combine(rig.State.DataOf("database.1"), "pg"), error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.Exists(place) ? Directory.GetFiles(place, "PG_VERSION", SearchOption.AllDirectories) : []);

        if (missing == "data/database.1")
        {
            await File.WriteAllTextAsync(Path.Combine(rig.State.DataOf("database.1"), HeldData.StartEmpty), "");
            await rig.UntilAsync("database.1", i => i.State == InstanceState.Healthy, "starts by itself");
            Assert.Equal("", await rig.AskAsync("SELECT to_regclass('kept')::text"));
            Assert.False(File.Exists(Path.Combine(rig.State.DataOf("database.1"), HeldData.StartEmpty)));
            return;
        }

        await rig.DownAsync();
        if (Directory.Exists(place))
        {
            Directory.Delete(place, recursive: true);
        }

        Directory.Move(away, place);
        await rig.UpAsync();
        Assert.Equal("42", await rig.AskAsync("SELECT answer FROM kept"));
    }

    [Fact]
    public async Task A_replica_whose_folder_is_missing_is_cloned_again_and_named_where_the_primary_has_lost_its_own()
    {
        await using var rig = new ClusterRig("{replicas: 1}");
        await rig.UpAsync();
        await rig.AskAsync("CREATE TABLE kept AS SELECT 42 AS answer");
        await rig.DownAsync();
        Directory.Delete(rig.State.DataOf("database.2"), recursive: true);
        await rig.UpAsync();
        await rig.UntilAsync("database.2", i => i is { State: InstanceState.Healthy, Role: "replica", LagBytes: 0 }, "follows again");

        await rig.DownAsync();
        var (lost, copy) = (Path.Combine(rig.State.DataOf("database.1"), "pg"), Path.Combine(rig.State.DataOf("database.2"), "pg"));
        Directory.Delete(lost, recursive: true);
        var error = (await Assert.ThrowsAsync<AshlarException>(rig.UpAsync)).Error;
        Assert.Contains(copy, error.NextStep, StringComparison.Ordinal);

        // What the next step says.
        await rig.DownAsync();
        Directory.Move(copy, lost);
        File.Delete(Path.Combine(lost, "standby.signal"));
        await rig.UpAsync();
        Assert.Equal("42", await rig.AskAsync("SELECT answer FROM kept"));
    }

    [Theory]
    [InlineData("ASH7009", "{settings: {port: '5432'}}")]
    [InlineData("ASH7018", "{settings: {wrok_mem: 64MB}}")]
    [InlineData("ASH7019", "{settings: {work_mem: a lot}}")]
    [InlineData("ASH7001", "{version: 18}")]
    public async Task What_cannot_run_here_is_said_before_anything_is_built(string code, string database)
    {
        await using var rig = new ClusterRig(database);
        if (code == "ASH7001" && PostgresPrograms.Installed.Contains(18))
        {
            return;
        }

        Assert.Equal(code, (await Assert.ThrowsAsync<AshlarException>(rig.UpAsync)).Error.Code);
        Assert.False(Directory.Exists(rig.State.Data));
    }

    [Fact]
    public async Task A_server_that_cannot_start_fails_the_order_with_its_own_error()
    {
        await using var rig = new ClusterRig("{settings: {superuser_reserved_connections: '100'}}");
        var error = (await Assert.ThrowsAsync<AshlarException>(rig.UpAsync)).Error;
        Assert.Equal("ASH7008", error.Code);
        Assert.Contains("superuser_reserved_connections", error.Message);
        rig.Write("{}");
        await rig.UpAsync();
        Assert.Equal("1", await rig.AskAsync("SELECT 1"));
    }

    [Fact]
    public async Task A_failing_migration_fails_the_release_and_leaves_the_database_as_it_is()
    {
        await using var rig = new ClusterRig("{}");
        await rig.UpAsync();
        await rig.AskAsync("CREATE TABLE kept AS SELECT 42 AS answer");
        var pid = (await rig.InstanceAsync("database.1"))!.Pids[0];
        rig.Write("{}", "release: 'test -n \"$DATABASE_URL\" && echo no such column && exit 3'");
        var error = (await Assert.ThrowsAsync<AshlarException>(rig.UpAsync)).Error;
        Assert.Contains("no such column", error.Message);
        Assert.Equal(("42", pid), (await rig.AskAsync("SELECT answer FROM kept"), (await rig.InstanceAsync("database.1"))!.Pids[0]));
    }
}
