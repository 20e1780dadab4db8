using Ashlar.Catalog;

namespace Ashlar.Engines;

/// <summary>The cache tier's engines.</summary>
public static class CacheEngines
{
    /// <summary>Name of the tier.</summary>
    public const string Tier = "cache";

    /// <summary>User that Debian's package makes.</summary>
    public const string EngineUser = "redis";

    /// <summary>What it needs before it can be planned. Pure.</summary>
    public static TierNeeds Needs(PlanContext context) => TierNeeds.None;

    /// <summary>The engines wanted. Pure.</summary>
    public static IEnumerable<DesiredInstance> Plan(PlanContext context) => [];

    /// <summary>What services find in their environment. Pure.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Variables(PlanContext context) => [];

    /// <summary>Makes what looks after the engines.</summary>
    public static ITierWatch Watch(TierWatchHost host) => new EngineWatch();
}
