using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Ashlar.Catalog.Channel;

/// <summary>What an edge answers to <see cref="CommandNames.Cache"/>, as JSON in <see cref="CommandResult.Text"/>.</summary>
public sealed record CacheAnswer
{
    /// <summary>Of a purge: stored answers that were meant.</summary>
    public long Purged { get; init; }

    /// <summary>Of <c>stats</c>: its figures; null otherwise, and where there is no cache.</summary>
    public CacheFigures? Figures { get; init; }

    /// <summary>Of <c>explain</c>: what is stored of the URL.</summary>
    public ImmutableArray<CacheVariant> Variants { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Of <c>explain</c>: requests that ask the app for it now.</summary>
    public int Asking { get; init; }

    /// <summary>Of <c>explain</c>: its last answers were not for all, so that nobody waits for another.</summary>
    public bool Passed { get; init; }
}

/// <summary>A cache in figures, since its edge started.</summary>
public sealed record CacheFigures
{
    /// <summary>Bytes it may hold.</summary>
    public long Limit { get; init; }

    /// <summary>Bytes in use.</summary>
    public long Used { get; init; }

    /// <summary>Stored answers.</summary>
    public long Stored { get; init; }

    /// <summary>Requests answered from the store while fresh.</summary>
    public long Hits { get; init; }

    /// <summary>Requests answered by something stale.</summary>
    public long Stale { get; init; }

    /// <summary>Requests answered by what another was getting.</summary>
    public long Collapsed { get; init; }

    /// <summary>Requests answered by something stale that the app found valid.</summary>
    public long Revalidated { get; init; }

    /// <summary>Requests that were looked up and went to the app.</summary>
    public long Misses { get; init; }

    /// <summary>Requests that are not looked up: other methods, with bodies, upgrades.</summary>
    public long Passed { get; init; }

    /// <summary>Bytes sent from the store.</summary>
    public long BytesServed { get; init; }

    /// <summary>Stored answers that had to go for others.</summary>
    public long Evictions { get; init; }
}

/// <summary>A stored answer.</summary>
public sealed record CacheVariant
{
    /// <summary>Scheme of the URL: <c>http</c> or <c>https</c>.</summary>
    public string Scheme { get; init; } = "";

    /// <summary>Its status.</summary>
    public int Status { get; init; }

    /// <summary>Bytes of its body.</summary>
    public long Bytes { get; init; }

    /// <summary>Its age in seconds.</summary>
    public long Age { get; init; }

    /// <summary>Seconds for which it is fresh; below 0: since when it is stale.</summary>
    public long FreshFor { get; init; }

    /// <summary>Fields that it varies on.</summary>
    public ImmutableArray<string> Vary { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Its tags.</summary>
    public ImmutableArray<string> Tags { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>By what the app can find it valid; empty: by nothing.</summary>
    public string Validator { get; init; } = "";
}

/// <summary>The records of the cache's commands as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CacheAnswer))]
public sealed partial class CacheAnswerJson : JsonSerializerContext;
