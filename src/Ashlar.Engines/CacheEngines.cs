using Ashlar.Catalog;
using Ashlar.Engines.Memcached;
using Ashlar.Engines.Redis;
using Ashlar.Engines.Watching;
using Ashlar.Errors;

namespace Ashlar.Engines;

/// <summary>The cache tier's engines: Redis that forgets, and Memcached.</summary>
public static class CacheEngines
{
    /// <summary>Name of the tier.</summary>
    public const string Tier = "cache";

    /// <summary>User that Debian's package makes.</summary>
    public const string EngineUser = "redis";

    /// <summary>What it needs before it can be planned. Pure.</summary>
    public static TierNeeds Needs(PlanContext context)
    {
        var redis = context.Stack.Cache?.Redis is null ? TierNeeds.None : Redis.Needs;
        return context.Stack.Cache?.Memcached is null
            ? redis
            : redis with { Ports = [.. redis.Ports, MemcachedInstance.Name] };
    }

    /// <summary>The engines wanted. Pure.</summary>
    public static IEnumerable<DesiredInstance> Plan(PlanContext context)
    {
        if (context.Stack.Cache?.Redis is { } redis && !Redis.IsStopped(context))
        {
            yield return Redis.Plan(context, redis.Memory) with { Machines = redis.Machines };
        }

        if (context.Stack.Cache?.Memcached is { } memcached && !MemcachedInstance.IsStopped(context))
        {
            yield return MemcachedInstance.Plan(context, Tier, memcached.Memory) with { Machines = memcached.Machines };
        }
    }

    /// <summary>What services find in their environment: REDIS_URL, MEMCACHED_SERVERS. Pure.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Variables(PlanContext context)
    {
        if (context.Stack.Cache?.Redis is not null)
        {
            yield return new("REDIS_URL", Redis.Url(context));
        }

        if (context.Stack.Cache?.Memcached is not null)
        {
            foreach (var variable in MemcachedInstance.Variables(context))
            {
                yield return variable;
            }
        }
    }

    /// <summary>How a person reaches its Redis. Pure.</summary>
    public static TierAccess? Access(PlanContext context) => context.Stack.Cache?.Redis is null ? null : Redis.Access(context);

    /// <summary>What the last lines of an engine mean. Pure.</summary>
    public static AshlarError? Explain(string instance, IReadOnlyList<string> lastLines) => RedisWords.Explain(Tier, instance, lastLines);

    /// <summary>Makes what looks after the engines.</summary>
    public static ITierWatch Watch(TierWatchHost host) => new EngineWatch(Tier, host, TimeProvider.System);

    private static RedisInstance Redis { get; } = new(Tier, RedisUse.Cache);
}
