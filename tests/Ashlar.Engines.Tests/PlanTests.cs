using System.Collections.Immutable;
using Ashlar.Engines.Redis;
using Ashlar.Processes;
using Ashlar.Stack;
using Ashlar.Testing;

namespace Ashlar.Engines;

public sealed class PlanTests
{
    [Fact]
    public async Task Nothing_that_is_not_asked_for_runs()
    {
        await using var rig = new EngineRig();
        Assert.Empty(rig.Planned);
        Assert.Empty(CacheEngines.Variables(rig.Context));
        Assert.Empty(RedisQueue.Variables(rig.Context));
        Assert.Null(CacheEngines.Access(rig.Context));
        Assert.Null(RedisQueue.Access(rig.Context));
    }

    [Fact]
    public async Task Cache_and_queue_have_a_url_each()
    {
        await using var rig = new EngineRig(EngineRig.Redis(), EngineRig.Queue());
        var variables = CacheEngines.Variables(rig.Context).Concat(RedisQueue.Variables(rig.Context)).ToDictionary();
        Assert.Equal($"redis://app:secret-of-cache.app@127.0.0.1:{rig.Context.Ports["cache.1"]}/0", variables["REDIS_URL"]);
        Assert.Equal($"redis://app:secret-of-queue.app@127.0.0.1:{rig.Context.Ports["queue.1"]}/0", variables["REDIS_QUEUE_URL"]);
    }

    [Fact]
    public async Task Redis_url_means_the_queue_where_there_is_no_cache()
    {
        await using var rig = new EngineRig(EngineRig.Memcached(), EngineRig.Queue());
        var variables = CacheEngines.Variables(rig.Context).Concat(RedisQueue.Variables(rig.Context)).ToDictionary();
        Assert.Equal(variables["REDIS_QUEUE_URL"], variables["REDIS_URL"]);
    }

    [Fact]
    public void Add_ons_of_app_json_ask_for_engines_and_get_their_own_variables()
    {
        using var folder = new TempFolder();
        folder.Write("Procfile", "web: ./web\n");
        folder.Write("app.json", """{"addons": ["heroku-redis:mini", {"plan": "memcachier:dev"}]}""");
        var stack = StackLoader.Load(folder.Path).Require();
        Assert.NotNull(stack.Queue?.Redis);
        Assert.NotNull(stack.Cache?.Memcached);
        var context = new EngineRig().Context with { Stack = stack, Ports = ImmutableSortedDictionary<string, int>.Empty.Add("memcached.1", 4321).Add("queue.1", 4322) };
        var variables = CacheEngines.Variables(context).Concat(RedisQueue.Variables(context)).ToDictionary();
        Assert.Equal("127.0.0.1:4321", variables["MEMCACHIER_SERVERS"]);
        Assert.Equal("127.0.0.1:4321", variables["MEMCACHED_SERVERS"]);
        Assert.EndsWith("@127.0.0.1:4322/0", variables["REDIS_URL"], StringComparison.Ordinal);
        Assert.Equal(["memcached.1"], CacheEngines.Plan(context).Select(i => i.Name));
    }

    [Fact]
    public async Task A_fingerprint_changes_with_what_needs_a_new_process_and_with_nothing_else()
    {
        await using var rig = new EngineRig(new CacheDefinition { Redis = new(), Memcached = new() }, EngineRig.Queue());
        var before = rig.Planned.ToDictionary(i => i.Name, i => i.Fingerprint);
        rig.Context = rig.Context with { Release = "v2", ProgramVersion = "2" };
        Assert.Equal(before, rig.Planned.ToDictionary(i => i.Name, i => i.Fingerprint));

        rig.Context = rig.Context with { Stack = rig.Context.Stack with { Cache = new() { Redis = new() { Memory = 32 << 20 }, Memcached = new() } } };
        Assert.Equal(["cache.1"], rig.Planned.Where(i => i.Fingerprint != before[i.Name]).Select(i => i.Name));
        rig.Context = rig.Context with { RestartCounts = rig.Context.RestartCounts.Add("queue", 1).Add("memcached.1", 1) };
        Assert.Equal(3, rig.Planned.Count(i => i.Fingerprint != before[i.Name]));
    }

    [Fact]
    public async Task Secrets_stand_in_no_command_line_no_fingerprint_and_no_file()
    {
        await using var rig = new EngineRig(EngineRig.Redis(), EngineRig.Queue());
        Assert.All(rig.Planned, i => Assert.DoesNotContain("secret-of", $"{string.Join(' ', i.Launch.Command)} {i.Fingerprint} {i.Probe}", StringComparison.Ordinal));
        Assert.DoesNotContain("secret-of", RedisQueue.Access(rig.Context)!.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("pass", new RedisSettings(RedisUse.Queue, 1, "/d", 1, "passA", "passB").Write(new Version(7, 0)).Replace("resetpass", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stopped_engine_is_not_wanted()
    {
        await using var rig = new EngineRig(new CacheDefinition { Redis = new(), Memcached = new() }, EngineRig.Queue());
        rig.Context = rig.Context with { Stopped = ["queue", "memcached.1"] };
        Assert.Equal(["cache.1"], rig.Planned.Select(i => i.Name));
    }

    [Fact]
    public async Task The_process_may_take_half_as_much_again_and_64_MiB()
    {
        await using var rig = new EngineRig(EngineRig.Redis(100 << 20));
        Assert.Equal(214L << 20, rig.Of("cache.1").Launch.Memory);
        Assert.Equal(StopRequest.TerminateLeader, rig.Of("cache.1").StopRequest);
        Assert.True(rig.Of("cache.1").Exclusive);
    }

    [Fact]
    public void Channel_rights_are_written_only_for_versions_that_know_them()
    {
        var settings = new RedisSettings(RedisUse.Cache, 1, "/a \"b\"", 1, "x", "y");
        Assert.DoesNotContain("&*", settings.Write(new Version(6, 0, 16)), StringComparison.Ordinal);
        Assert.Contains("&*", settings.Write(new Version(6, 2)), StringComparison.Ordinal);
        Assert.Contains("dir \"/a \\\"b\\\"\"", settings.Write(new Version(7, 0)), StringComparison.Ordinal);
    }
}
