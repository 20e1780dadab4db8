using Ashlar.Agent.Api;
using Ashlar.Catalog;
using Ashlar.Engines.Redis;

namespace Ashlar.Agent.Tests;

/// <summary>Engines under an agent: what services are given, and what replaces an engine and what does not.</summary>
public sealed class EngineTests
{
    private const string Both = "cache: {redis: {memory: 16MiB}, memcached: {memory: 16MiB}}\nqueue: {redis: {memory: 16MiB}}\n";

    [Fact]
    public async Task EnginesAreUpBeforeServicesAndTheirVariablesReachThem()
    {
        await using var rig = new AgentRig();
        Stack(rig, Both);
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        var log = await File.ReadAllTextAsync(rig.State.LogOf("worker.1"));
        var queue = await AccessAsync(client, "queue");
        var cache = await AccessAsync(client, "cache");
        Assert.Matches($"REDIS_URL=redis://app:[A-Za-z0-9]{{32}}@127.0.0.1:{cache.Port}/0", log);
        Assert.Matches($"REDIS_QUEUE_URL=redis://app:[A-Za-z0-9]{{32}}@127.0.0.1:{queue.Port}/0", log);
        Assert.Contains($"MEMCACHED_SERVERS=127.0.0.1:{(await Pids(client))["memcached.1"].Port}", log, StringComparison.Ordinal);
        Assert.Equal("noeviction", (await RedisReport.AskAsync("queue", queue, CancellationToken.None)).Policy);
        Assert.Equal("allkeys-lru", (await RedisReport.AskAsync("cache", cache, CancellationToken.None)).Policy);
        Assert.DoesNotContain(queue.Password, rig.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UpAgainChangesNothingAndAnotherMemoryRestartsOnlyThatEngine()
    {
        await using var rig = new AgentRig();
        Stack(rig, Both);
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        var first = await Pids(client);
        await rig.UpAsync(client);
        Assert.Equal(first, await Pids(client));

        Stack(rig, Both.Replace("cache: {redis: {memory: 16MiB}", "cache: {redis: {memory: 24MiB}", StringComparison.Ordinal));
        await rig.UpAsync(client);
        var second = await Pids(client);
        Assert.Equal(["cache.1"], second.Where(p => p.Value != first[p.Key]).Select(p => p.Key));
        Assert.Equal(24 << 20, (await RedisReport.AskAsync("cache", await AccessAsync(client, "cache"), CancellationToken.None)).MemoryLimit);
    }

    [Fact]
    public async Task AKilledQueueComesBackWithWhatItHeldAndANewAgentAdoptsIt()
    {
        await using var rig = new AgentRig();
        Stack(rig, Both);
        await using (var client = await rig.AgentAsync())
        {
            await rig.UpAsync(client);
            var access = await AccessAsync(client, "queue");
            using (var redis = await OpenAsync(access))
            {
                Assert.Equal(RespKind.Number, (await redis.AskAsync(CancellationToken.None, "LPUSH", "jobs", "work")).Kind);
            }

            var before = await Pids(client);
            await AgentRig.KillAsync(before["queue.1"].Pid);
            await rig.WhenAsync(s => s.Healthy && AgentRig.Of(s, "queue").Single() is { Restarts: 1 } i && i.Pids[0] != before["queue.1"].Pid, "the queue is back");
            using (var redis = await OpenAsync(access))
            {
                Assert.Equal(1, (await redis.AskAsync(CancellationToken.None, "LLEN", "jobs")).Number);
            }

            before = await Pids(client);
            await AgentRig.KillAsync(client.AgentPid);
            await using var next = await rig.AgentAsync();
            await rig.WhenAsync(s => s.Healthy, "all is adopted");
            Assert.Equal(before, await Pids(next));
            Assert.Equal(access, await AccessAsync(next, "queue"));
        }
    }

    [Fact]
    public async Task StoppedTiersStayInTheStatusAndOnlyTheirInstancesCanBeNamed()
    {
        await using var rig = new AgentRig();
        Stack(rig, Both);
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        await AgentRig.OrderAsync(client, AgentVerbs.Stop, "cache", "edge");
        var stopped = await rig.WhenAsync(s => !AgentRig.Of(s, "cache").Any() && !AgentRig.Of(s, "edge").Any(), "the cache and the edge are gone");
        Assert.Equal(["edge 0", "worker 1", "queue 1", "cache 0", "memcached 1"], stopped.Tiers.SelectMany(t => t.Services).Select(s => $"{s.Name} {s.Wanted}"));
        var unknown = await Assert.ThrowsAsync<Errors.AshlarException>(() => AgentRig.OrderAsync(client, AgentVerbs.Restart, "cache.redis"));
        Assert.Equal("ASH4012", unknown.Error.Code);
        Assert.Contains("cache.1", unknown.Error.NextStep, StringComparison.Ordinal);
        await AgentRig.OrderAsync(client, AgentVerbs.Start, "cache.1");
        Assert.Single(AgentRig.Of(await client.StatusAsync(), "cache"));
    }

    [Fact]
    public async Task AnEngineThatCannotStartIsExplainedAtOnceAndTheOldOneGoesOn()
    {
        await using var rig = new AgentRig();
        Stack(rig, "cache: {redis: {memory: 16MiB}}\n");
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        Stack(rig, "cache: {redis: {memory: 1MiB}}\n");
        var e = await Assert.ThrowsAsync<Errors.AshlarException>(() => rig.UpAsync(client));
        Assert.Equal("ASH7103", e.Error.Code);
        await rig.WhenAsync(s => s.Healthy, "what was before holds again");
        Assert.Equal(16 << 20, (await RedisReport.AskAsync("cache", await AccessAsync(client, "cache"), CancellationToken.None)).MemoryLimit);
    }

    [Fact]
    public async Task AnEngineThatIsNotThereIsNamed()
    {
        await using var rig = new AgentRig();
        Stack(rig, "queue: {redis: {memory: 16MiB}}\n");
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        var e = await Assert.ThrowsAsync<Errors.AshlarException>(() => AccessAsync(client, "cache"));
        Assert.Equal("ASH4012", e.Error.Code);
        Assert.Contains("queue", e.Error.NextStep, StringComparison.Ordinal);
    }

    private static void Stack(AgentRig rig, string engines)
    {
        rig.Services("worker:\n  run: env | grep -E '^(REDIS|MEMC)'; exec sleep 1000\n");
        rig.Write("ashlar.yaml", File.ReadAllText(Path.Combine(rig.Folder, "ashlar.yaml")) + engines);
    }

    private static async Task<TierAccess> AccessAsync(AgentClient client, string tier) =>
        (await client.CallAsync<AccessArguments, TierAccess>(AgentVerbs.Access, new AccessArguments(tier)))!;

    private static Task<RedisClient> OpenAsync(TierAccess access) =>
        RedisClient.OpenAsync(access.Address, access.Port, access.User, access.Password, CancellationToken.None);

    private static async Task<Dictionary<string, (int Pid, int Port)>> Pids(AgentClient client) =>
        (await client.StatusAsync()).Tiers.SelectMany(t => t.Services).SelectMany(s => s.Instances).ToDictionary(i => i.Name, i => (i.Pids[0], i.Port));
}
