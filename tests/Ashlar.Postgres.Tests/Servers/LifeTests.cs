using System.Collections.Immutable;
using Ashlar.Catalog;
using Npgsql;

namespace Ashlar.Postgres.Tests.Servers;

/// <summary>A server from nothing, and what is left of it after every kind of end.</summary>
public sealed class LifeTests
{
    [Fact]
    public async Task A_new_server_has_checksums_scram_users_and_a_database_and_starts_again_with_what_was_written()
    {
        await using var rig = new ServerRig();
        await rig.StartAsync(rig.Primary);
        await ServerRig.AskAsync(rig.Primary, "CREATE TABLE kept AS SELECT 42 AS answer");
        Assert.Equal("on", await ServerRig.AskAsync(rig.Primary, "SHOW data_checksums"));
        Assert.Equal("UTF8 C.UTF-8 C.UTF-8 app", await ServerRig.AskAsync(rig.Primary,
            "SELECT pg_encoding_to_char(encoding) || ' ' || datcollate || ' ' || datctype || ' ' || datdba::regrole FROM pg_database WHERE datname = current_database()"));
        Assert.Equal("t", await ServerRig.AskAsync(rig.Primary, "SELECT bool_and(rolpassword LIKE 'SCRAM-SHA-256$%')::text::bool::char FROM pg_authid WHERE rolcanlogin", "ashlar"));
        Assert.Equal("false", await ServerRig.AskAsync(rig.Primary, "SELECT rolsuper::text FROM pg_roles WHERE rolname = 'app'"));
        Assert.Equal("127.0.0.1", await ServerRig.AskAsync(rig.Primary, "SHOW listen_addresses"));

        await rig.StopAsync(rig.Primary);
        await rig.StartAsync(rig.Primary);
        Assert.Equal("42", await ServerRig.AskAsync(rig.Primary, "SELECT answer FROM kept"));
    }

    [Fact]
    public async Task Only_who_knows_a_password_gets_in_and_the_replicator_sees_nothing_of_the_app()
    {
        await using var rig = new ServerRig();
        await rig.StartAsync(rig.Primary);
        foreach (var (user, password, database) in new[] { ("app", "wrong", "shop"), ("ashlar", "", "shop"), ("replicator", "PasswordOfreplicator", "shop") })
        {
            await using var connection = new NpgsqlConnection(Connections.To(rig.Primary.Port, user, password, database));
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => connection.OpenAsync());
        }
    }

    [Fact]
    public async Task No_password_is_left_in_the_process_or_in_a_file_that_others_can_read()
    {
        await using var rig = new ServerRig();
        var said = await rig.StartAsync(rig.Primary);
        var pid = rig.PidOf(rig.Primary);
        var visible = said + File.ReadAllText($"/proc/{pid}/cmdline") + File.ReadAllText($"/proc/{pid}/environ");
        Assert.DoesNotContain("PasswordOf", visible);
        foreach (var file in Directory.EnumerateFiles(rig.FolderOf(rig.Primary)).Where(f => !Path.GetFileName(f).StartsWith(".s.", StringComparison.Ordinal)))
        {
            Assert.DoesNotContain("PasswordOf", File.ReadAllText(file));
            Assert.Equal((UnixFileMode)0b110_000_000, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public async Task A_killed_server_leaves_nothing_that_keeps_the_next_from_starting()
    {
        await using var rig = new ServerRig();
        await rig.StartAsync(rig.Primary);
        await ServerRig.AskAsync(rig.Primary, "CREATE TABLE kept AS SELECT 42 AS answer");
        // A session that is busy does not notice that its server is gone, and holds on to the shared memory.
        var busy = ServerRig.AskAsync(rig.Primary, "SELECT 1 FROM pg_sleep(0), (SELECT count(*) FROM generate_series(1, 2000000000)) n");
        await ServerRig.Until(async () => await ServerRig.AskAsync(rig.Primary, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%2000000000%' AND pid <> pg_backend_pid()", "ashlar") == "1", "the session is busy");
        System.Diagnostics.Process.GetProcessById(rig.PidOf(rig.Primary)).Kill();
        await rig.StartAsync(rig.Primary);
        Assert.Equal("42", await ServerRig.AskAsync(rig.Primary, "SELECT answer FROM kept"));
        await Assert.ThrowsAnyAsync<Exception>(() => busy);
    }

    [Fact]
    public async Task An_app_that_has_locked_itself_out_gets_in_again_after_a_start_in_order()
    {
        await using var rig = new ServerRig();
        await rig.StartAsync(rig.Primary);
        await ServerRig.AskAsync(rig.Primary, "CREATE TABLE kept AS SELECT 42 AS answer");
        foreach (var lockout in new[]
        {
            "REVOKE ALL ON DATABASE shop FROM PUBLIC, app", "ALTER DATABASE shop ALLOW_CONNECTIONS false", "ALTER ROLE app PASSWORD 'forgotten'",
        })
        {
            await ServerRig.AskAsync(rig.Primary, lockout, database: "postgres");
        }

        await ServerRig.AskAsync(rig.Primary, "ALTER ROLE replicator PASSWORD NULL", "ashlar", "postgres");
        await ServerRig.AskAsync(rig.Primary, "ALTER ROLE app VALID UNTIL '2000-01-01' CREATEDB", "ashlar", "postgres");
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ServerRig.AskAsync(rig.Primary, "SELECT 1"));
        await rig.StopAsync(rig.Primary);
        var said = await rig.StartAsync(rig.Primary);
        Assert.Equal("42", await ServerRig.AskAsync(rig.Primary, "SELECT answer FROM kept"));
        Assert.Equal("1", await ServerRig.AskAsync(rig.Primary, "SELECT 1", "replicator", "postgres"));
        Assert.Equal("true", await ServerRig.AskAsync(rig.Primary, "SELECT rolcreatedb::text FROM pg_roles WHERE rolname = 'app'")); // What it was given besides stays.
        Assert.DoesNotContain("PasswordOf", said);
    }

    [Fact]
    public async Task A_database_that_was_dropped_does_not_come_back_empty()
    {
        await using var rig = new ServerRig();
        await rig.StartAsync(rig.Primary);
        await ServerRig.AskAsync(rig.Primary, "DROP DATABASE shop", database: "postgres");
        await rig.StopAsync(rig.Primary);
        await rig.StartAsync(rig.Primary);
        Assert.Equal("0", await ServerRig.AskAsync(rig.Primary, "SELECT count(*) FROM pg_database WHERE datname = 'shop'", database: "postgres"));
    }

    [Fact, Trait("Length", "Full")]
    public async Task A_preparation_that_was_cut_off_is_done_again()
    {
        await using var rig = new ServerRig();
        await rig.MakeFolderAsync(rig.Primary);
        var half = Directory.CreateDirectory(Path.Combine(rig.FolderOf(rig.Primary), "pg.preparing", "base")).FullName;
        await File.WriteAllTextAsync(Path.Combine(half, "1"), "half");
        await ServerRig.GiveAsync(rig.FolderOf(rig.Primary));
        await rig.StartAsync(rig.Primary);
        Assert.Equal("1", await ServerRig.AskAsync(rig.Primary, "SELECT 1"));
        Assert.False(Directory.Exists(Path.Combine(rig.FolderOf(rig.Primary), "pg.preparing")));
    }

    [Fact, Trait("Length", "Full")]
    public async Task Other_passwords_and_another_name_are_taken_over_at_the_next_start()
    {
        await using var rig = new ServerRig();
        await rig.StartAsync(rig.Primary);
        await ServerRig.AskAsync(rig.Primary, "CREATE TABLE kept AS SELECT 42 AS answer");
        await rig.StopAsync(rig.Primary);
        var changed = rig.Primary with { Database = "store", Passwords = ServerRig.Passwords.SetItem("app", "Another") };
        await rig.StartAsync(changed);
        await using var connection = new NpgsqlConnection(Connections.To(changed.Port, "app", "Another", "store"));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT answer FROM kept", connection);
        Assert.Equal(42, await command.ExecuteScalarAsync());
    }

    [Fact, Trait("Length", "Full")]
    public async Task The_teams_lines_in_postgresql_conf_and_ALTER_SYSTEM_hold_but_cannot_move_the_server()
    {
        await using var rig = new ServerRig();
        await rig.StartAsync(rig.Primary with { Settings = ImmutableSortedDictionary<string, string>.Empty.Add("work_mem", "7MB").Add("application_name", "it's") });
        Assert.Equal("7MB", await ServerRig.AskAsync(rig.Primary, "SHOW work_mem"));
        await ServerRig.AskAsync(rig.Primary, "ALTER SYSTEM SET port = 1", "ashlar");
        await ServerRig.AskAsync(rig.Primary, "ALTER SYSTEM SET listen_addresses = '*'", "ashlar");
        await rig.StopAsync(rig.Primary);
        await File.AppendAllTextAsync(Path.Combine(rig.DataOf(rig.Primary), "postgresql.conf"), "\nmaintenance_work_mem = 33MB # mine\n");
        await rig.StartAsync(rig.Primary);
        Assert.Equal("33MB", await ServerRig.AskAsync(rig.Primary, "SHOW maintenance_work_mem"));
        Assert.Equal("127.0.0.1", await ServerRig.AskAsync(rig.Primary, "SHOW listen_addresses"));
        Assert.Contains("# mine", await File.ReadAllTextAsync(Path.Combine(rig.DataOf(rig.Primary), "postgresql.conf")));
    }

    [Fact]
    public async Task A_server_that_hangs_is_seen_and_one_that_is_gone_too()
    {
        await using var rig = new ServerRig();
        await rig.StartAsync(rig.Primary);
        var probe = new ProbeSpec("database", "127.0.0.1", rig.Primary.Port);
        Assert.True((await PostgresTier.ProbeAsync(probe, default)).Good);
        var pid = rig.PidOf(rig.Primary);
        await Testing.ProgramRun.RunAsync("kill", ["-STOP", $"{pid}"]);
        Assert.False((await PostgresTier.ProbeAsync(probe, default)).Good);
        await Testing.ProgramRun.RunAsync("kill", ["-CONT", $"{pid}"]);
        await ServerRig.Until(async () => (await PostgresTier.ProbeAsync(probe, default)).Good, "it answers again");
        await rig.StopAsync(rig.Primary);
        Assert.False((await PostgresTier.ProbeAsync(probe, default)).Good);
    }
}
