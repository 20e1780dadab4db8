using System.Collections.Immutable;

namespace Ashlar.Catalog;

/// <summary>The HTTP cache as the edge is told of it.</summary>
public sealed record CatalogCache
{
    /// <summary>Bytes it may hold.</summary>
    public long Memory { get; init; }

    /// <summary>Bytes of the largest body; 0: a quarter of the memory.</summary>
    public long MaxObject { get; init; }

    /// <summary>Milliseconds for which a stale answer is served instead of an error, where the answer does not say.</summary>
    public long StaleIfErrorMs { get; init; }

    /// <summary>Cookies that make a request somebody's own; empty: any.</summary>
    public ImmutableArray<string> Cookies { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Addresses or networks that may send PURGE; empty: this machine.</summary>
    public ImmutableArray<string> PurgeFrom { get; init => field = value.IsDefault ? [] : value; } = [];
}
