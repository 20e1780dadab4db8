using Ashlar.Catalog;
using Ashlar.Engines.Redis;
using Ashlar.Engines.Watching;
using Ashlar.Errors;

namespace Ashlar.Engines;

/// <summary>The queue tier's engine: Redis that forgets nothing.</summary>
public static class RedisQueue
{
    /// <summary>Name of the tier.</summary>
    public const string Tier = "queue";

    /// <summary>User that Debian's package makes.</summary>
    public const string EngineUser = "redis";

    /// <summary>What it needs before it can be planned. Pure.</summary>
    public static TierNeeds Needs(PlanContext context) => context.Stack.Queue?.Redis is null ? TierNeeds.None : Redis.Needs;

    /// <summary>The engines wanted. Pure.</summary>
    public static IEnumerable<DesiredInstance> Plan(PlanContext context) =>
        context.Stack.Queue?.Redis is { } redis && !Redis.IsStopped(context) ? [Redis.Plan(context, redis.Memory) with { Machines = redis.Machines }] : [];

    /// <summary>What services find in their environment: REDIS_QUEUE_URL, and REDIS_URL where there is no cache that it could mean. Pure.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Variables(PlanContext context)
    {
        if (context.Stack.Queue?.Redis is null)
        {
            yield break;
        }

        yield return new("REDIS_QUEUE_URL", Redis.Url(context));
        if (context.Stack.Cache?.Redis is null)
        {
            yield return new("REDIS_URL", Redis.Url(context));
        }
    }

    /// <summary>How a person reaches it. Pure.</summary>
    public static TierAccess? Access(PlanContext context) => context.Stack.Queue?.Redis is null ? null : Redis.Access(context);

    /// <summary>What the last lines of an engine mean. Pure.</summary>
    public static AshlarError? Explain(string instance, IReadOnlyList<string> lastLines) => RedisWords.Explain(Tier, instance, lastLines);

    /// <summary>Makes what looks after the engines.</summary>
    public static ITierWatch Watch(TierWatchHost host) => new EngineWatch(Tier, host, TimeProvider.System);

    private static RedisInstance Redis { get; } = new(Tier, RedisUse.Queue);
}
