using System.Collections.Immutable;

namespace Ashlar.Stack;

/// <summary>Heroku's add-ons as tiers of the stack. What the stack file says stands above them.</summary>
internal static class AddOnTiers
{
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
