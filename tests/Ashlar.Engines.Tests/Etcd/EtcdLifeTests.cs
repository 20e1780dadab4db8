using System.Net;
using System.Net.Sockets;
using Ashlar.Errors;
using Ashlar.Processes;

namespace Ashlar.Engines.Etcd;

public sealed class EtcdLifeTests
{
    [Fact]
    public async Task A_member_starts_serves_tells_its_figures_and_keeps_what_it_has()
    {
        await using var rig = new EtcdRig();
        var member = EtcdRig.Member("app-1");
        var process = await rig.UpAsync(member);
        Assert.Equal("etcd", Path.GetFileName(new FileInfo($"/proc/{process.Identity.Pid}/exe").LinkTarget));
        await EtcdRig.PutAsync(EtcdRig.OptionsOf(member), "a", "1");
        var probe = rig.Plan(member).Probe!;
        var health = await EngineProbes.EtcdAsync(probe, CancellationToken.None);
        Assert.Equal((true, "healthy"), (health.Good, health.Text));
        var figures = await EtcdHealth.FiguresAsync(probe, CancellationToken.None);
        Assert.True(figures is { HasLeader: true, IsLeader: true, Size: > 0, Syncs: > 0, Memory: > 0 }, figures.ToString());
        Assert.Equal(member.Quota, figures.Quota);

        await rig.KillAsync(member);
        Assert.False((await EngineProbes.EtcdAsync(probe, CancellationToken.None)).Good);
        await rig.UpAsync(member);
        Assert.Equal("1", await EtcdRig.GetAsync(EtcdRig.OptionsOf(member), "a"));
        await rig.StopAsync(member);
    }

    [Fact]
    public async Task A_backup_is_whole_and_begins_another_cluster()
    {
        await using var rig = new EtcdRig();
        var member = EtcdRig.Member("app-1");
        await rig.UpAsync(member);
        var options = EtcdRig.OptionsOf(member);
        for (var i = 0; i < 50; i++)
        {
            await EtcdRig.PutAsync(options, $"k/{i}", $"{i}");
        }

        var path = Path.Combine(rig.Folder, "state.backup");
        var report = await EtcdBackup.SaveAsync(options, path);
        Assert.True(report is { Bytes: > 10_000, Revision: > 50 }, report.ToString());
        Assert.Equal(report with { Revision = 0 }, await EtcdBackup.VerifyAsync(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        await EtcdRig.PutAsync(options, "k/1", "later");
        await rig.KillAsync(member);

        rig.Give(path);
        var restored = EtcdRig.Member("app-2") with { Restore = path, Token = "shop-2" };
        Assert.Equal(rig.Plan(restored).Fingerprint, rig.Plan(restored with { Restore = null, Token = "shop-3" }).Fingerprint);
        await rig.UpAsync(restored);
        Assert.Equal("1", await EtcdRig.GetAsync(EtcdRig.OptionsOf(restored), "k/1"));
        await EtcdRig.PutAsync(EtcdRig.OptionsOf(restored), "k/1", "new");
        await rig.KillAsync(restored);

        // Only the first start begins with the backup.
        await rig.UpAsync(restored);
        Assert.Equal("new", await EtcdRig.GetAsync(EtcdRig.OptionsOf(restored), "k/1"));
    }

    [Fact]
    public async Task A_damaged_backup_is_refused_and_what_was_there_before_stays()
    {
        await using var rig = new EtcdRig();
        var member = EtcdRig.Member("app-1");
        await rig.UpAsync(member);
        var path = Path.Combine(rig.Folder, "state.backup");
        await EtcdBackup.SaveAsync(EtcdRig.OptionsOf(member), path);
        var whole = await File.ReadAllBytesAsync(path);
        await rig.KillAsync(member);

        var damaged = (byte[])whole.Clone();
        damaged[whole.Length / 2] ^= 1;
        foreach (var bytes in new[] { damaged, whole[..^1], whole[..^512], [], whole[..32], [.. whole, .. new byte[512]] })
        {
            var bad = Path.Combine(rig.Folder, "bad.backup");
            await File.WriteAllBytesAsync(bad, bytes);
            Assert.Equal("ASH7132", (await Assert.ThrowsAsync<AshlarException>(() => EtcdBackup.VerifyAsync(bad))).Error.Code);
        }

        rig.Give(Path.Combine(rig.Folder, "bad.backup"));
        var restoring = EtcdRig.Member("app-2") with { Restore = Path.Combine(rig.Folder, "bad.backup") };
        Assert.Contains("ASH7132", await rig.RefusedAsync(restoring), StringComparison.Ordinal);

        var gone = EtcdRig.OptionsOf(member) with { AttemptLimit = TimeSpan.FromSeconds(3), TotalLimit = TimeSpan.FromSeconds(3) };
        Assert.Equal("ASH4070", (await Assert.ThrowsAsync<AshlarException>(() => EtcdBackup.SaveAsync(gone, path))).Error.Code);
        Assert.Equal(whole, await File.ReadAllBytesAsync(path));
        Assert.Equal("ASH7132", (await Assert.ThrowsAsync<AshlarException>(() => EtcdBackup.VerifyAsync("/nowhere"))).Error.Code);
    }

    [Fact]
    public async Task What_keeps_a_member_from_starting_is_told_in_our_words()
    {
        await using var rig = new EtcdRig();
        var member = EtcdRig.Member("app-1");
        Assert.Contains("ASH7131", await rig.RefusedAsync(member, heldSince: DateTimeOffset.UtcNow), StringComparison.Ordinal);

        using (var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            other.Bind(new IPEndPoint(IPAddress.Loopback, member.PeerPort));
            other.Listen();
            var said = await rig.RefusedAsync(member);
            Assert.Contains("ASH7106", said, StringComparison.Ordinal);
            Assert.Contains($"127.0.0.1:{member.PeerPort}", said, StringComparison.Ordinal);
        }

        var foreign = EtcdRig.Member("app-2") with { Address = "192.0.2.1" };
        Assert.Contains("ASH7137", await rig.RefusedAsync(foreign), StringComparison.Ordinal);

        var programs = Directory.CreateDirectory(Path.Combine(rig.Folder, "bin")).FullName;
        var program = Path.Combine(programs, "etcd");
        await File.WriteAllTextAsync(program, "#!/bin/sh\necho 'etcd Version: 3.3.25'\n");
        File.SetUnixFileMode(program, (UnixFileMode)0b111_101_101);
        Assert.Contains("ASH7102", await rig.RefusedAsync(member, searchPath: $"{programs}:/usr/bin:/bin"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Used_up_space_is_told_and_what_is_past_makes_room()
    {
        await using var rig = new EtcdRig();
        const long quota = 8 << 20;
        var member = EtcdRig.Member("app-1") with { Quota = quota };
        await rig.UpAsync(member);
        var options = EtcdRig.OptionsOf(member);
        await using var store = new Catalog.Etcd.EtcdStore(options);
        async Task FillAsync(Func<int, string> key)
        {
            for (var i = 0; ; i++)
            {
                await store.CommitAsync(new Catalog.Store.StoreTransaction([], [new(key(i), new byte[256 << 10])]));
            }
        }

        // One key written again and again: all but the last of it is past.
        var full = await Assert.ThrowsAsync<AshlarException>(() => FillAsync(_ => "again"));
        Assert.Equal("ASH4074", full.Error.Code);
        var status = await EtcdMaintenance.StatusAsync(options, member.ClientUri);
        Assert.True(status is { IsFull: true, IsLeader: true, HasLeader: true, IsLearner: false, IsCorrupt: false, Size: > quota / 2, Revision: > 5 }, status.ToString());
        Assert.True(await EtcdMaintenance.MakeRoomAsync(options, [member.ClientUri], quota));
        status = await EtcdMaintenance.StatusAsync(options, member.ClientUri);
        Assert.True(status is { IsFull: false, Size: < quota / 2 }, status.ToString());
        await EtcdRig.PutAsync(options, "a", "1");

        // What is in use cannot be given back, so the alarm stays until some of it is deleted.
        var (next, rounds) = (0, 0);
        do
        {
            Assert.True(rounds++ < 20);
            await Assert.ThrowsAsync<AshlarException>(() => FillAsync(_ => $"k/{next++}"));
        }
        while (await EtcdMaintenance.MakeRoomAsync(options, [member.ClientUri], quota));
        Assert.True((await EtcdMaintenance.StatusAsync(options, member.ClientUri)).IsFull);
        foreach (var entry in (await store.ListAsync("k/")).Entries)
        {
            await Catalog.Store.StoreExtensions.DeleteAsync(store, entry.Key);
        }

        Assert.True(await EtcdMaintenance.MakeRoomAsync(options, [member.ClientUri], quota));
        await EtcdRig.PutAsync(options, "a", "2");
    }

    [Fact]
    public async Task A_second_one_does_not_start_on_the_same_data()
    {
        await using var rig = new EtcdRig();
        var member = EtcdRig.Member("app-1");
        var first = await rig.UpAsync(member);
        var second = EtcdRig.Member("app-1");
        var said = await rig.RefusedAsync(second);
        Assert.Contains("ASH7117", said, StringComparison.Ordinal);
        Assert.Contains($"{first.Identity.Pid}", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_plan_is_restarted_by_what_a_running_member_reads_and_by_nothing_else()
    {
        var member = EtcdRig.Member("app-1");
        await using var rig = new EtcdRig();
        string Print(EtcdMember changed) => rig.Plan(changed).Fingerprint;
        var same = Print(member);
        Assert.Equal(same, Print(member with { Joins = true, Token = "x", Cluster = [member.AsPeer, EtcdRig.Member("app-2").AsPeer] }));
        Assert.NotEqual(same, Print(member with { Quota = 1 << 30 }));
        Assert.NotEqual(same, Print(member with { ClientPort = member.ClientPort + 1 }));
        Assert.NotEqual(same, Print(member with { Tls = new EtcdFiles("/a", "/b", "/c") }));
        var plan = rig.Plan(member with { Tls = new EtcdFiles("/a", "/b", "/c") });
        Assert.Contains($"https://127.0.0.1:{member.ClientPort}", plan.Launch.Command);
        Assert.Contains("--peer-client-cert-auth", plan.Launch.Command);
        Assert.True(plan is { Exclusive: true, KeepsData: true, StopRequest: StopRequest.TerminateLeader });
    }

    [Theory]
    [InlineData("""{"health":"true"}""", true)]
    [InlineData("""{"health":"false","reason":"RAFT NO LEADER"}""", false)]
    [InlineData("""{"health":true}""", true)]
    [InlineData("""{"health":7}""", false)]
    [InlineData("""{"status":"ok"}""", null)]
    [InlineData("""[]""", null)]
    [InlineData("<html>", null)]
    [InlineData("", null)]
    public void Health_is_read(string body, bool? healthy) => Assert.Equal(healthy, EtcdHealth.Read(body).Healthy);

    [Fact]
    public void What_is_damaged_at_random_is_read_or_refused()
    {
        const int seed = 4711;
        string[] samples =
        [
            "# TYPE etcd_server_has_leader gauge\netcd_server_has_leader 1\netcd_mvcc_db_total_size_in_bytes 2.048e+04\n",
            """{"health":"false","reason":"RAFT NO LEADER"}""",
            """{"result":{"remaining_bytes":"12","blob":"AAAA"}}""",
            "etcd Version: 3.4.23\nGit SHA: x\n",
        ];
        for (var round = 0; round < 20_000; round++)
        {
            var random = new Random(seed + round);
            var text = samples[random.Next(samples.Length)].ToCharArray();
            for (var changes = random.Next(5); changes > 0; changes--)
            {
                text[random.Next(text.Length)] = (char)random.Next(1, 128);
            }

            var damaged = new string(text);
            var error = Record.Exception(() =>
            {
                EtcdFigures.Read(damaged);
                EtcdHealth.Read(damaged);
                EtcdBackup.ReadBlob(System.Text.Encoding.UTF8.GetBytes(damaged));
                EtcdStart.ReadVersion(damaged);
            });
            Assert.True(error is null, $"Seed {seed + round}: {error}");
        }
    }
}
