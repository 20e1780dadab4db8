using Ashlar.Catalog;
using Ashlar.Errors;
using Ashlar.Postgres.Administration;
using Npgsql;

namespace Ashlar.Postgres.Tests.Servers;

/// <summary>What the verbs do: backup, restore, questions.</summary>
public sealed class AdministrationTests
{
    private static TierAccess Access(PostgresOptions server) => new("127.0.0.1", server.Port, "ashlar", ServerRig.Passwords["ashlar"], "shop")
    {
        App = new TierAccess("127.0.0.1", server.Port, "app", ServerRig.Passwords["app"], "shop"),
    };

    [Fact]
    public async Task A_backup_is_verified_private_and_restored_beside_what_was_there()
    {
        await using var rig = new ServerRig();
        await rig.StartAsync(rig.Primary);
        var access = Access(rig.Primary);
        await ServerRig.AskAsync(rig.Primary, "CREATE TABLE kept AS SELECT 42 AS answer");
        var file = Path.Combine(rig.Other, "shop.dump");
        var report = await Backup.MakeAsync(access, file, replace: false, drill: true, _ => { }, default);
        Assert.Equal((1, new FileInfo(file).Length), (report.Tables, report.Bytes));
        Assert.Contains("restored", report.Verified);
        Assert.Equal((UnixFileMode)0b110_000_000, File.GetUnixFileMode(file));
        Assert.Equal("1", await ServerRig.AskAsync(rig.Primary, "SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'"));

        Assert.Equal("ASH7028", (await Assert.ThrowsAsync<AshlarException>(() => Backup.MakeAsync(access, file, false, false, _ => { }, default))).Error.Code);
        Assert.Equal("ASH7028", (await Assert.ThrowsAsync<AshlarException>(() => Backup.MakeAsync(access, rig.Other, true, false, _ => { }, default))).Error.Code);
        Assert.Equal(report.Bytes, new FileInfo(file).Length);
        Assert.Equal(1, (await Backup.MakeAsync(access, file, true, false, _ => { }, default)).Tables);

        await ServerRig.AskAsync(rig.Primary, "UPDATE kept SET answer = 43");
        await using var open = new NpgsqlConnection(Connections.To(rig.Primary.Port, "app", ServerRig.Passwords["app"], "shop"));
        await open.OpenAsync();
        var restored = await Backup.RestoreAsync(access, file, _ => { }, default);
        Assert.Equal("42", await ServerRig.AskAsync(rig.Primary, "SELECT answer FROM kept"));
        Assert.Equal("43", await ServerRig.AskAsync(rig.Primary, "SELECT answer FROM kept", database: restored.Kept));
        await ServerRig.AskAsync(rig.Primary, "CREATE TABLE mine (i int)");

        // A file that is cut off, one that is none, and one that is not there: the database is not touched.
        await File.WriteAllBytesAsync(file, (await File.ReadAllBytesAsync(file))[..^200]);
        await File.WriteAllTextAsync(file + ".text", "no dump");
        foreach (var bad in new[] { file, file + ".text", file + ".none" })
        {
            Assert.Equal("ASH7024", (await Assert.ThrowsAsync<AshlarException>(() => Backup.RestoreAsync(access, bad, _ => { }, default))).Error.Code);
        }

        Assert.Equal("42", await ServerRig.AskAsync(rig.Primary, "SELECT answer FROM kept"));
    }

    [Fact]
    public void Only_what_a_release_would_take_along_is_warned_of()
    {
        using var stack = new Testing.TempFolder();
        var folder = Backup.Folder(stack.Path);
        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(folder));
        Assert.Null(Backup.Shipped(stack.Path, Path.Combine(folder, "shop.dump")));
        Assert.Null(Backup.Shipped(stack.Path, "/var/backups/shop.dump"));
        Assert.Null(Backup.Shipped(stack.Path, stack.Path + "-backups/shop.dump"));
        Assert.Equal("ASH7037", Backup.Shipped(stack.Path, Path.Combine(stack.Path, "shop.dump"))?.Code);
        Assert.Equal("ASH7037", Backup.Shipped(stack.Path, Path.Combine(stack.Path, "db/shop.dump"))?.Code);
    }

    [Fact, Trait("Length", "Full")]
    public async Task A_backup_that_fails_leaves_no_file_and_the_one_from_before()
    {
        await using var rig = new ServerRig();
        await rig.StartAsync(rig.Primary);
        var file = Path.Combine(rig.Other, "shop.dump");
        await File.WriteAllTextAsync(file, "before");
        var error = (await Assert.ThrowsAsync<AshlarException>(() => Backup.MakeAsync(Access(rig.Primary) with { Password = "wrong" }, file, true, false, _ => { }, default))).Error;
        Assert.Equal("ASH7023", error.Code);
        Assert.Equal(["before"], Directory.GetFiles(rig.Other, "shop*").Select(File.ReadAllText));
        Assert.Equal("ASH7023", (await Assert.ThrowsAsync<AshlarException>(() => Backup.MakeAsync(Access(rig.Primary), "/nowhere/x.dump", false, false, _ => { }, default))).Error.Code);
    }

    [Fact]
    public async Task Sessions_locks_and_the_cluster_are_told()
    {
        await using var rig = new ServerRig();
        await rig.StartAsync(rig.Primary);
        var access = Access(rig.Primary);
        await ServerRig.AskAsync(rig.Primary, "CREATE TABLE kept AS SELECT 42 AS answer");
        Assert.Empty(await ClusterQuestions.LocksAsync(access, default));
        await using var holder = new NpgsqlConnection(Connections.To(rig.Primary.Port, "app", ServerRig.Passwords["app"], "shop") + ";Application Name=holder");
        await holder.OpenAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await new NpgsqlCommand("LOCK TABLE kept", holder).ExecuteNonQueryAsync();
        var waiting = ServerRig.AskAsync(rig.Primary, "SELECT count(*) FROM kept");
        await ServerRig.Until(async () => !(await ClusterQuestions.LocksAsync(access, default)).IsEmpty, "somebody waits");
        var waits = Assert.Single(await ClusterQuestions.LocksAsync(access, default));
        Assert.Equal(("AccessShareLock on kept", holder.ProcessID, "idle in transaction"), (waits.Lock, Assert.Single(waits.BlockedBy), waits.BlockerState));
        Assert.Contains(await ClusterQuestions.SessionsAsync(access, default), session => session is { Application: "holder", User: "app", State: "idle in transaction" });
        await transaction.RollbackAsync();
        Assert.Equal("1", await waiting);

        var info = await ClusterQuestions.InfoAsync(access, default);
        Assert.Equal((true, true, 0L, 100), (info.Proven, info.Checksums, info.ChecksumFailures, info.MostConnections));
        Assert.Equal("16384kB", $"{int.Parse(info.Settings["shared_buffers"].Replace("MB", ""), null) * 1024}kB");
        Assert.True(info.Bytes > 0 && info.DiskFree > 0);
        Assert.Equal("ASH7022", (await Assert.ThrowsAsync<AshlarException>(() => ClusterQuestions.InfoAsync(access with { Port = 1 }, default))).Error.Code);
    }
}
