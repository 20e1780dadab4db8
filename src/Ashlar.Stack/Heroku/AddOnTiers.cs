using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Ashlar.Stack;

/// <summary>Heroku's add-ons as tiers of the stack. What the stack file says stands above them.</summary>
internal static class AddOnTiers
{
    private static readonly FrozenDictionary<string, string> _others = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["scheduler"] = "the key \"schedule\" runs commands at set times",
        ["papertrail"] = "ashlar logs has the lines of all services",
        ["logdna"] = "ashlar logs has the lines of all services",
        ["ssl"] = "the key \"edge.listen.https\" has certificates",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What to do about an add-on that becomes no tier; null: it becomes one.</summary>
    public static string? AdviceOf(string addOn) =>
        Add(new DataTiers(), [addOn]) != new DataTiers() ? null
        : _others.GetValueOrDefault(addOn, "no tier stands for it: give the app the service's address and keys by ashlar config set");

    /// <summary>The tiers of the file, with those that app.json's add-ons ask for.</summary>
    public static DataTiers Add(DataTiers tiers, ImmutableArray<string> addOns) => addOns.Aggregate(tiers, (t, addOn) => addOn switch
    {
        "heroku-postgresql" => t with { Database = t.Database ?? new() },
        // Apps keep jobs in it as well as what may be forgotten, so it is the one that forgets nothing.
        "heroku-redis" => t with { Queue = t.Queue ?? new() { Redis = new() } },
        "memcachier" or "memcachedcloud" => t with { Cache = (t.Cache ?? new()) with { Memcached = t.Cache?.Memcached ?? new() } },
        _ => t,
    });
}
