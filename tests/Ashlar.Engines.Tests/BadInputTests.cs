using System.Net;
using System.Net.Sockets;
using Ashlar.Engines.Preparing;
using Ashlar.Engines.Redis;
using Ashlar.Errors;
using Ashlar.Processes;
using Ashlar.Testing;

namespace Ashlar.Engines;

public sealed class BadInputTests
{
    [Theory]
    [InlineData("redis")]
    [InlineData("memcached")]
    public async Task Memory_that_is_nonsense_is_refused(string engine)
    {
        foreach (var (memory, code) in new[] { (1L << 20, "ASH7103"), (1L << 50, "ASH7104") })
        {
            await using var rig = new EngineRig(engine == "redis" ? EngineRig.Redis(memory) : EngineRig.Memcached(memory));
            var error = ErrorLines.Find((await rig.RefusedAsync(rig.Planned[0].Name)).Split('\n'));
            Assert.Equal(code, error?.Code);
            Assert.NotEmpty(error!.NextStep);
        }
    }

    [Fact]
    public async Task A_port_that_another_has_is_named_with_its_holder()
    {
        await using var rig = new EngineRig(EngineRig.Redis());
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, rig.Context.Ports["cache.1"]));
        other.Listen();
        var said = await rig.RefusedAsync("cache.1");
        Assert.Contains("ASH7106", said, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{rig.Context.Ports["cache.1"]}", said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_program_is_named_with_its_package()
    {
        var order = new EngineOrder("cache.1", false, "/", 1, 1, "", "") { SearchPath = "/nowhere" };
        var error = Assert.Throws<AshlarException>(() => Preparation.Program(order, ["no-such-engine", "nor-this"], "some-package")).Error;
        Assert.Equal("ASH7101", error.Code);
        Assert.Contains("some-package", error.NextStep, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("echo 'Redis server v=5.0.14 sha=0 malloc=x'", "ASH7102")]
    [InlineData("echo hello", "ASH7102")]
    [InlineData("exit 3", "ASH7102")]
    public async Task An_engine_that_is_too_old_or_none_is_refused(string script, string code)
    {
        await using var rig = new EngineRig(EngineRig.Redis());
        var programs = Directory.CreateDirectory(Path.Combine(rig.Folder, "bin")).FullName;
        var program = Path.Combine(programs, "redis-server");
        await File.WriteAllTextAsync(program, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(program, (UnixFileMode)0b111_101_101);
        Assert.Contains(code, await rig.RefusedAsync("cache.1", $"{programs}:/usr/bin:/bin"), StringComparison.Ordinal);
    }

    [Fact]
    public void Versions_of_redis_and_valkey_are_read()
    {
        Assert.Equal(new Version(7, 0, 15), RedisStart.ReadVersion("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64"));
        Assert.Equal(new Version(8, 1, 3), RedisStart.ReadVersion("Valkey server v=8.1.3 sha=00000000:0"));
        Assert.Null(RedisStart.ReadVersion("Redis server"));
    }

    [Fact]
    public async Task A_folder_of_another_user_is_refused_and_left_as_it_is()
    {
        if (!SystemUsers.IsRoot)
        {
            return; // Only root can make one.
        }

        await using var rig = new EngineRig(queue: EngineRig.Queue());
        Directory.CreateDirectory(rig.DataOf("queue.1"), (UnixFileMode)0b111_000_000);
        await File.WriteAllTextAsync(Path.Combine(rig.DataOf("queue.1"), "kept"), "x");
        var said = await rig.RefusedAsync("queue.1");
        Assert.Contains("ASH7105", said, StringComparison.Ordinal);
        Assert.Contains($"chown -R {rig.User!.Name}", said, StringComparison.Ordinal);
        Assert.Equal(["kept"], Directory.GetFileSystemEntries(rig.DataOf("queue.1")).Select(Path.GetFileName));

        rig.Give(rig.DataOf("queue.1"));
        Assert.Contains("kept is another's", await rig.RefusedAsync("queue.1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_never_write_to_one_folder()
    {
        await using var rig = new EngineRig(queue: EngineRig.Queue());
        var first = await rig.UpAsync("queue.1");
        var port = rig.Context.Ports["queue.1"];

        rig.Context = rig.Context with { Ports = rig.Context.Ports.SetItem("queue.1", Ports.Free()) };
        var said = await rig.RefusedAsync("queue.1");
        Assert.Contains("ASH7117", said, StringComparison.Ordinal);
        Assert.Contains($"kill {first.Identity.Pid}", said, StringComparison.Ordinal);

        rig.Context = rig.Context with { Ports = rig.Context.Ports.SetItem("queue.1", port) };
        using var app = await rig.AppAsync("queue");
        Assert.Equal("PONG", (await app.AskAsync(CancellationToken.None, "PING")).Text);
    }

    [Fact]
    public async Task Memcached_says_that_it_does_not_run_as_root()
    {
        if (!SystemUsers.IsRoot)
        {
            return;
        }

        await using var rig = new EngineRig(EngineRig.Memcached());
        rig.Context = rig.Context with { User = null };
        Assert.Contains("ASH7109", await rig.RefusedAsync("memcached.1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_queue_on_a_full_disk_refuses_writes_and_people_are_told()
    {
        await using var rig = new EngineRig(queue: EngineRig.Queue(64 << 20));
        using var disk = SmallDisk.TryMount(rig.Folder, 4);
        if (disk is null)
        {
            return; // Only root can mount one.
        }

        Directory.CreateSymbolicLink(rig.DataOf("queue.1"), Directory.CreateDirectory(Path.Combine(disk.Path, "queue.1")).FullName);
        rig.Give(Path.Combine(disk.Path, "queue.1"));
        await using var watch = new Watching.WatchRig(RedisQueue.Tier);
        await rig.UpAsync("queue.1");
        watch.Pursue(rig);
        using var app = await rig.AppAsync("queue");
        var answer = RespValue.Null;
        for (var i = 0; i < 2000 && answer.Kind != RespKind.Error; i++)
        {
            answer = await app.AskAsync(CancellationToken.None, "LPUSH", "jobs", new string('x', 100_000));
            await Task.Delay(10);
        }

        Assert.True(answer.IsError("MISCONF"), answer.Text);
        await watch.WarnedAsync("ASH7112");
        Assert.True((await EngineRig.AskAsync(rig.Of("queue.1").Probe!)).Good);
    }
}
