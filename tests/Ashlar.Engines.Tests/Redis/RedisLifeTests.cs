using Ashlar.Catalog;

namespace Ashlar.Engines.Redis;

public sealed class RedisLifeTests
{
    [Fact]
    public async Task An_app_may_do_all_that_concerns_data_and_nothing_that_concerns_the_server()
    {
        await using var rig = new EngineRig(EngineRig.Redis());
        await rig.UpAsync("cache.1");
        using var app = await rig.AppAsync("cache");
        foreach (var allowed in new[] { "SET a 1", "FLUSHDB", "FLUSHALL", "INFO", "CLIENT SETNAME x", "CLIENT LIST", "SCAN 0", "KEYS *", "SCRIPT LOAD return", "PUBLISH c m", "SELECT 3" })
        {
            Assert.False((await app.AskAsync(CancellationToken.None, allowed.Split(' '))).IsError("NOPERM"), allowed);
        }

        foreach (var denied in new[]
        {
            "CONFIG GET *", "DEBUG SLEEP 0", "SHUTDOWN", "REPLICAOF NO ONE", "MODULE LIST", "ACL LIST", "MONITOR", "SAVE", "BGREWRITEAOF",
            "SLOWLOG GET", "CLIENT PAUSE 1", "MIGRATE 127.0.0.1 1 k 0 1", "RESTORE k 0 x", "FAILOVER", "CLUSTER RESET",
        })
        {
            Assert.True((await app.AskAsync(CancellationToken.None, denied.Split(' '))).Kind == RespKind.Error, denied);
        }
    }

    [Fact]
    public async Task Nobody_comes_in_without_a_password()
    {
        await using var rig = new EngineRig(EngineRig.Redis());
        var process = await rig.UpAsync("cache.1");
        var probe = rig.Of("cache.1").Probe!;
        await Assert.ThrowsAsync<RespException>(() => RedisClient.OpenAsync(probe.Address, probe.Port, "default", "", CancellationToken.None));
        await Assert.ThrowsAsync<RespException>(() => RedisClient.OpenAsync(probe.Address, probe.Port, "app", "wrong", CancellationToken.None));
        Assert.False((await EngineRig.AskAsync(probe with { Password = "wrong" })).Good);

        var environment = await File.ReadAllTextAsync($"/proc/{process.Identity.Pid}/environ");
        Assert.DoesNotContain("secret-of", environment, StringComparison.Ordinal);
        Assert.Contains("ASHLAR_INSTANCE_ID=", environment, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(rig.DataOf("cache.1"), "redis.conf")));
    }

    [Fact]
    public async Task A_cache_forgets_the_oldest_and_writes_nothing_to_disk()
    {
        await using var rig = new EngineRig(EngineRig.Redis(8 << 20));
        var process = await rig.UpAsync("cache.1");
        using (var app = await rig.AppAsync("cache"))
        {
            for (var i = 0; i < 200; i++)
            {
                Assert.Equal("OK", await EngineRig.SayAsync(app, "SET", $"key{i}", new string('x', 100_000)));
            }

            Assert.True((await app.InfoAsync(CancellationToken.None)).Figures().Evictions > 0);
        }

        await EngineRig.StopAsync(process);
        Assert.Equal(["redis.conf"], Directory.GetFileSystemEntries(rig.DataOf("cache.1")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_queue_that_is_full_refuses_writes_and_keeps_what_it_has()
    {
        await using var rig = new EngineRig(queue: EngineRig.Queue(8 << 20));
        await rig.UpAsync("queue.1");
        using var app = await rig.AppAsync("queue");
        Assert.Equal("1", await EngineRig.SayAsync(app, "LPUSH", "jobs", "first"));
        var refused = "";
        for (var i = 0; i < 200 && refused.Length == 0; i++)
        {
            var answer = await app.AskAsync(CancellationToken.None, "LPUSH", "jobs", new string('x', 100_000));
            refused = answer.Kind == RespKind.Error ? answer.Text : "";
        }

        Assert.StartsWith("OOM", refused, StringComparison.Ordinal);
        Assert.Equal("first", await EngineRig.SayAsync(app, "RPOP", "jobs"));
        Assert.True((await EngineRig.AskAsync(rig.Of("queue.1").Probe!)).Good);
    }

    [Fact]
    public async Task What_a_queue_holds_outlives_its_death()
    {
        await using var rig = new EngineRig(queue: EngineRig.Queue());
        var first = await rig.UpAsync("queue.1");
        using (var app = await rig.AppAsync("queue"))
        {
            Assert.Equal("1", await EngineRig.SayAsync(app, "LPUSH", "jobs", "work"));
        }

        await EngineRig.KillAsync(first);
        var second = await rig.UpAsync("queue.1");
        using (var app = await rig.AppAsync("queue"))
        {
            Assert.Equal("2", await EngineRig.SayAsync(app, "LPUSH", "jobs", "more"));
        }

        await EngineRig.StopAsync(second);
        await rig.UpAsync("queue.1");
        using var again = await rig.AppAsync("queue");
        Assert.Equal("2", await EngineRig.SayAsync(again, "LLEN", "jobs"));
    }

    [Fact]
    public async Task A_queue_that_has_held_data_does_not_begin_empty_until_a_person_says_so()
    {
        await using var rig = new EngineRig(EngineRig.Redis(), EngineRig.Queue());
        var since = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
        await EngineRig.StopAsync(await rig.UpAsync("queue.1"));
        await EngineRig.StopAsync(await rig.UpAsync("queue.1", since));
        await EngineRig.StopAsync(await rig.UpAsync("cache.1", since)); // It keeps nothing, so nothing can be missing.

        Directory.Delete(rig.DataOf("queue.1"), recursive: true);
        var error = Errors.ErrorLines.Find((await rig.RefusedAsync("queue.1", heldSince: since)).Split('\n'));
        Assert.True(error is { Code: "ASH7118" } && error.Message.Contains("2026-11-22 12:00 UTC", StringComparison.Ordinal), error?.ToString());

        // As root writes it.
        await File.WriteAllTextAsync(Path.Combine(rig.DataOf("queue.1"), HeldData.StartEmpty), "");
        await EngineRig.StopAsync(await rig.UpAsync("queue.1", since));
        Assert.False(File.Exists(Path.Combine(rig.DataOf("queue.1"), HeldData.StartEmpty)));
        Directory.Delete(Path.Combine(rig.DataOf("queue.1"), "appendonlydir"), recursive: true);
        Assert.Contains("ASH7118", await rig.RefusedAsync("queue.1", heldSince: since), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Half_a_command_at_the_end_of_the_log_is_cut_off_and_all_else_kept()
    {
        await using var rig = new EngineRig(queue: EngineRig.Queue());
        var log = await WrittenAsync(rig);
        await File.AppendAllTextAsync(log, "*3\r\n$5\r\nLPUSH\r\n$4\r\njo");
        await rig.UpAsync("queue.1");
        using var app = await rig.AppAsync("queue");
        Assert.Equal("3", await EngineRig.SayAsync(app, "LLEN", "jobs"));
    }

    [Fact]
    public async Task A_damaged_log_is_named_and_nothing_of_it_deleted()
    {
        await using var rig = new EngineRig(queue: EngineRig.Queue());
        var log = await WrittenAsync(rig);
        var bytes = await File.ReadAllBytesAsync(log);
        "garbage!"u8.CopyTo(bytes.AsSpan(bytes.Length / 2));
        await File.WriteAllBytesAsync(log, bytes);
        var said = await rig.RefusedAsync("queue.1");
        var error = RedisQueue.Explain("queue.1", said.Split('\n'));
        Assert.True(error?.Code == "ASH7107", said);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(log));
    }

    [Fact]
    public async Task Redis_that_hangs_is_seen()
    {
        await using var rig = new EngineRig(EngineRig.Redis());
        var process = await rig.UpAsync("cache.1");
        process.Signal(19);
        var answer = await EngineRig.AskAsync(rig.Of("cache.1").Probe!);
        Assert.False(answer.Good);
        Assert.Contains("no answer", answer.Text, StringComparison.Ordinal);
        process.Signal(18);
        Assert.True((await EngineRig.AskAsync(rig.Of("cache.1").Probe!)).Good);
    }

    [Fact]
    public async Task A_report_says_how_it_is()
    {
        await using var rig = new EngineRig(queue: EngineRig.Queue());
        await rig.UpAsync("queue.1");
        using var app = await rig.AppAsync("queue");
        await EngineRig.SayAsync(app, "SET", "a", "1");
        await EngineRig.SayAsync(app, "GET", "a");
        await EngineRig.SayAsync(app, "GET", "b");
        var report = await RedisReport.AskAsync("queue", RedisQueue.Access(rig.Context)!, CancellationToken.None);
        Assert.Equal(0.5, report.HitRatio);
        Assert.Equal(1, report.Keys);
        Assert.Equal("noeviction", report.Policy);
        Assert.Equal(16 << 20, report.MemoryLimit);
        Assert.StartsWith("log of all writes", report.Persistence, StringComparison.Ordinal);
    }

    private static async Task<string> WrittenAsync(EngineRig rig)
    {
        var process = await rig.UpAsync("queue.1");
        using (var app = await rig.AppAsync("queue"))
        {
            foreach (var job in new[] { "one", "two", "three" })
            {
                await EngineRig.SayAsync(app, "LPUSH", "jobs", job);
            }
        }

        await EngineRig.StopAsync(process);
        return Directory.GetFiles(Path.Combine(rig.DataOf("queue.1"), "appendonlydir"), "*.incr.aof").Single();
    }
}
