using Ashlar.Stack;

namespace Ashlar.Engines.Watching;

public sealed class EngineWatchTests
{
    [Fact]
    public async Task Figures_of_both_caches_are_written_down_and_go_on_over_a_restart()
    {
        await using var rig = new EngineRig(new CacheDefinition { Redis = new() { Memory = 16 << 20 }, Memcached = new() { Memory = 16 << 20 } });
        await using var watch = new WatchRig(CacheEngines.Tier);
        var redis = await rig.UpAsync("cache.1");
        await rig.UpAsync("memcached.1");
        watch.Pursue(rig);
        await watch.SeriesAsync(s => s.Value("engine_up", "cache.1") == 1 && s.Value("engine_up", "memcached.1") == 1, "both are up");
        using (var app = await rig.AppAsync("cache"))
        {
            await EngineRig.SayAsync(app, "SET", "a", "1");
            await EngineRig.SayAsync(app, "GET", "a");
            await EngineRig.SayAsync(app, "GET", "none");
        }

        await watch.SeriesAsync(s => s.Value("engine_hits", "cache.1") == 1 && s.Value("engine_misses", "cache.1") == 1 && s.Value("engine_keys", "cache.1") == 1, "a hit and a miss");
        await EngineRig.KillAsync(redis);
        await watch.SeriesAsync(s => s.Value("engine_up", "cache.1") == 0 && s.Value("engine_up", "memcached.1") == 1, "one is down");
        await rig.UpAsync("cache.1");
        using (var app = await rig.AppAsync("cache"))
        {
            await EngineRig.SayAsync(app, "GET", "none");
        }

        await watch.SeriesAsync(s => s.Value("engine_misses", "cache.1") == 2 && s.Value("engine_memory_limit_bytes", "cache.1") == 16 << 20, "the count goes on");
        Assert.Empty(watch.Warned);
    }

    [Fact]
    public async Task A_queue_that_is_nearly_full_is_told_of_once()
    {
        await using var rig = new EngineRig(queue: EngineRig.Queue(8 << 20));
        await using var watch = new WatchRig(RedisQueue.Tier);
        await rig.UpAsync("queue.1");
        watch.Pursue(rig);
        using var app = await rig.AppAsync("queue");
        for (var i = 0; i < 65; i++)
        {
            await EngineRig.SayAsync(app, "LPUSH", "jobs", new string('x', 100_000));
        }

        await watch.WarnedAsync("ASH7110");
        await watch.DetailAsync("queue.1", "% full");
        Assert.Equal(["ASH7110"], watch.Warned);
    }

    [Fact]
    public void Alarms_are_said_once_until_there_was_room_again()
    {
        var alarms = new EngineAlarms("queue", "queue.1", keeps: true);
        string[] At(long memory) => [.. alarms.Look(new EngineFigures { Run = "a", Memory = memory, MemoryLimit = 100 }).Select(e => e.Code)];
        Assert.Empty(At(79));
        Assert.Equal(["ASH7110"], At(80));
        Assert.Empty(At(99));
        Assert.Empty(At(75));
        Assert.Empty(At(81));
        Assert.Empty(At(60));
        Assert.Equal(["ASH7110"], At(90));
    }

    [Fact]
    public void Evictions_of_a_queue_and_clients_turned_away_are_told()
    {
        var alarms = new EngineAlarms("queue", "queue.1", keeps: true);
        string[] At(long evictions, long rejected, string? trouble = null) =>
            [.. alarms.Look(new EngineFigures { Run = "a", MemoryLimit = 100, Evictions = evictions, Rejected = rejected, WriteTrouble = trouble }).Select(e => e.Code)];
        Assert.Empty(At(0, 5));
        Assert.Equal(["ASH7111", "ASH7113"], At(1, 6));
        Assert.Empty(At(1, 7));
        Assert.Equal(["ASH7112"], At(1, 7, "its log"));
        Assert.Empty(At(1, 7, "its log"));

        var cache = new EngineAlarms("cache", "cache.1", keeps: false);
        Assert.Empty(cache.Look(new EngineFigures { Run = "a", Memory = 99, MemoryLimit = 100, Evictions = 5 }));
    }
}
