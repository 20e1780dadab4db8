using System.Diagnostics;
using Ashlar.Catalog;
using Ashlar.Postgres.Administration;
using Npgsql;

namespace Ashlar.Postgres.Tests.Servers;

public sealed class StatementTraceTests
{
    private const string Traced = "/* 4bf92f35 */ SELECT i FROM locked WHERE i = $1";

    [Fact]
    public async Task A_statement_seen_while_it_is_parsed_and_when_it_has_run_is_one_and_run_again_it_is_two()
    {
        await using var rig = new ServerRig();
        await rig.StartAsync(rig.Primary);
        await ServerRig.AskAsync(rig.Primary, "CREATE TABLE locked AS SELECT 7 AS i");
        await using var holder = await OpenAsync(rig.Primary);
        await using var asker = await OpenAsync(rig.Primary);
        var clock = Stopwatch.StartNew();
        await using var trace = await StatementTrace.StartAsync(
            new TierAccess("127.0.0.1", rig.Primary.Port, "ashlar", ServerRig.Passwords["ashlar"], "shop"), "database.1", "4bf92f35", clock, default);

        // Its parsing waits for the lock.
        var held = await holder.BeginTransactionAsync();
        await RunAsync(holder, "LOCK TABLE locked");
        var asked = AskAsync(asker);
        await ServerRig.Until(async () => await ServerRig.AskAsync(rig.Primary, $"SELECT count(*) FROM pg_stat_activity WHERE pid = {asker.ProcessID} AND wait_event_type = 'Lock'") == "1", "it waits");
        await IsLookedAtAsync(rig.Primary);
        await held.RollbackAsync();
        Assert.Equal(7, await asked);
        await IsLookedAtAsync(rig.Primary);
        Assert.Equal(7, await AskAsync(asker));

        var seen = await trace.EndAsync();
        Assert.All(seen, statement => Assert.Equal((Traced, asker.ProcessID), (statement.Text, statement.Session)));
        Assert.Equal(2, seen.Length);
        Assert.All(seen, statement => Assert.InRange(statement.Took!.Value, 0, clock.Elapsed.TotalMilliseconds));
    }

    // The trace has begun a look after this was called, and has ended it.
    private static async Task IsLookedAtAsync(PostgresOptions server)
    {
        var now = await ServerRig.AskAsync(server, "SELECT clock_timestamp()::text");
        await ServerRig.Until(
            async () => await ServerRig.AskAsync(server, $"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%position($1 IN application_name)%' AND query_start > '{now}' AND state = 'idle'", user: "ashlar") == "1",
            "a look");
    }

    private static async Task<NpgsqlConnection> OpenAsync(PostgresOptions server)
    {
        var connection = new NpgsqlConnection(Connections.To(server.Port, "app", ServerRig.Passwords["app"], "shop"));
        await connection.OpenAsync();
        return connection;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string text)
    {
        await using var command = new NpgsqlCommand(text, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<int> AskAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(Traced, connection) { Parameters = { new() { Value = 7 } } };
        return (int)(await command.ExecuteScalarAsync())!;
    }
}
