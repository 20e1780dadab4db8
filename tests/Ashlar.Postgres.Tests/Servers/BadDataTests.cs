using Ashlar.Testing;

namespace Ashlar.Postgres.Tests.Servers;

/// <summary>Data that a server must not start on: each a clear error, and everything is where it was.</summary>
public sealed class BadDataTests
{
    private static async Task<(ServerRig Rig, string Data)> WithDataAsync(params (string File, string Text)[] files)
    {
        var rig = new ServerRig();
        await rig.MakeFolderAsync(rig.Primary);
        var data = rig.DataOf(rig.Primary);
        Directory.CreateDirectory(Path.Combine(data, "global"));
        foreach (var (file, text) in files)
        {
            await File.WriteAllTextAsync(Path.Combine(data, file), text);
        }

        File.SetUnixFileMode(data, (UnixFileMode)0b111_000_000);
        await ServerRig.GiveAsync(rig.FolderOf(rig.Primary));
        return (rig, data);
    }

    [Theory]
    [InlineData("ASH7001", "16\n", true)]
    [InlineData("ASH7002", "12\n", true)]
    [InlineData("ASH7002", "9.6\n", true)]
    [InlineData("ASH7005", "fifteen\n", true)]
    [InlineData("ASH7005", "15\n", false)]
    [InlineData("ASH7005", null, true)]
    public async Task Data_of_another_version_or_of_none_is_left_alone(string code, string? version, bool control)
    {
        var (rig, data) = await WithDataAsync([("keep", "me"), .. version is null ? [] : new[] { ("PG_VERSION", version) }, .. control ? [("global/pg_control", "x")] : Array.Empty<(string, string)>()]);
        await using (rig)
        {
            Assert.Equal(code, await rig.RefusalAsync(rig.Primary));
            Assert.Equal("me", await File.ReadAllTextAsync(Path.Combine(data, "keep")));
        }
    }

    [Fact]
    public async Task A_version_that_the_data_is_not_of_is_refused()
    {
        var (rig, _) = await WithDataAsync(("PG_VERSION", "14\n"), ("global/pg_control", "x"));
        await using (rig)
        {
            Assert.Equal("ASH7003", await rig.RefusalAsync(rig.Primary with { Version = 15 }));
        }
    }

    [Fact]
    public async Task Data_of_another_user_is_refused()
    {
        if (!OtherUser.Possible)
        {
            return; // Only root can give files away.
        }

        var (rig, data) = await WithDataAsync(("PG_VERSION", "15\n"), ("global/pg_control", "x"));
        await using (rig)
        {
            await ServerRig.GiveAsync(data, "nobody");
            Assert.Equal("ASH7004", await rig.RefusalAsync(rig.Primary));
        }
    }

    [Fact]
    public async Task Data_that_others_can_read_is_refused()
    {
        var (rig, data) = await WithDataAsync(("PG_VERSION", "15\n"), ("global/pg_control", "x"));
        await using (rig)
        {
            File.SetUnixFileMode(data, (UnixFileMode)0b111_101_101);
            Assert.Equal("ASH7013", await rig.RefusalAsync(rig.Primary));
        }
    }

    [Fact]
    public async Task A_replicas_data_is_not_started_as_a_primary_nor_a_primarys_as_a_replica()
    {
        await using var rig = new ServerRig();
        await rig.StartAsync(rig.Primary);
        await ServerRig.AskAsync(rig.Primary, "CREATE TABLE kept AS SELECT 42 AS answer");
        await rig.StopAsync(rig.Primary);
        await File.WriteAllTextAsync(Path.Combine(rig.DataOf(rig.Primary), "standby.signal"), "");
        Assert.Equal("ASH7015", await rig.RefusalAsync(rig.Primary));
        File.Delete(Path.Combine(rig.DataOf(rig.Primary), "standby.signal"));
        // Its primary does not answer either, and it must not start as a second one.
        Assert.Equal("ASH7016", await rig.RefusalAsync(rig.Primary with { Follows = ("database.9", Ports.Free()) }));
        await rig.StartAsync(rig.Primary);
        Assert.Equal("42", await ServerRig.AskAsync(rig.Primary, "SELECT answer FROM kept"));
    }

    [Fact]
    public async Task Data_that_needs_a_locale_that_is_not_here_is_refused()
    {
        await using var rig = new ServerRig();
        await rig.StartAsync(rig.Primary);
        await ServerRig.AskAsync(rig.Primary, "UPDATE pg_database SET datcollate = 'xx_XX.UTF-8', datctype = 'xx_XX.UTF-8'", "ashlar");
        await rig.StopAsync(rig.Primary);
        // As it is when the folder came from another machine.
        File.Delete(Path.Combine(rig.FolderOf(rig.Primary), "ashlar.users"));
        Assert.Equal("ASH7007", await rig.RefusalAsync(rig.Primary));
    }

    [Fact]
    public async Task On_a_full_disk_nothing_is_made_and_nothing_started_until_there_is_room()
    {
        using var folder = new TempFolder();
        if (SmallDisk.TryMount(folder.Path, 240) is not { } disk)
        {
            return; // Only root can mount one.
        }

        File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(disk.Path, (UnixFileMode)0b111_101_101);
        using (disk)
        {
            await using var rig = new ServerRig(disk.Path);
            var filler = Path.Combine(disk.Path, "filler");
            await Fill(filler, 200);
            Assert.Equal("ASH7006", await rig.RefusalAsync(rig.Primary));
            File.Delete(filler);
            await rig.StartAsync(rig.Primary);
            await ServerRig.AskAsync(rig.Primary, "CREATE TABLE kept AS SELECT 42 AS answer");

            // It runs full: what was acknowledged is there when there is room again. Some of the disk is kept
            // back, for a server that died for want of room leaves the table it was making behind.
            await Fill(filler, 80);
            await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(() => ServerRig.AskAsync(rig.Primary, "CREATE TABLE much AS SELECT repeat('x', 1000) FROM generate_series(1, 1000000)"));
            var running = Path.Combine(rig.DataOf(rig.Primary), "postmaster.pid");
            if (File.Exists(running) && Directory.Exists($"/proc/{rig.PidOf(rig.Primary)}"))
            {
                await rig.StopAsync(rig.Primary);
            }

            await Fill(filler, 1000);
            Assert.Equal("ASH7006", await rig.RefusalAsync(rig.Primary));
            File.Delete(filler);
            await rig.StartAsync(rig.Primary);
            Assert.Equal("42", await ServerRig.AskAsync(rig.Primary, "SELECT answer FROM kept"));
        }
    }

    [Fact]
    public async Task A_setting_that_PostgreSQL_refuses_is_said_in_its_words()
    {
        await using var rig = new ServerRig();
        var said = await rig.StartAsync(rig.Primary with { Settings = rig.Primary.Settings.Add("work_mem", "a lot") }, mustStart: false);
        Assert.Contains("work_mem", said);
    }

    private static async Task Fill(string file, int megabytes)
    {
        try
        {
            await using var stream = File.Create(file);
            var block = new byte[1 << 20];
            for (var i = 0; i < megabytes; i++)
            {
                await stream.WriteAsync(block);
                await stream.FlushAsync();
            }
        }
        catch (IOException)
        {
            // full
        }
    }
}
