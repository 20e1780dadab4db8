using System.Collections.Immutable;

namespace Ashlar.Stack;

/// <summary>The HTTP cache of the edge.</summary>
public sealed record EdgeCacheDefinition
{
    /// <summary>Bytes for stored answers. Default 256 MiB.</summary>
    public long Memory { get; init; } = 256L << 20;

    /// <summary>Bytes of the largest body that is stored; null: a quarter of the memory.</summary>
    public long? MaxObject { get; init; }

    /// <summary>Time for which a stale answer is served instead of an error, where the answer does not say. Default 1 minute.</summary>
    public TimeSpan StaleIfError { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Cookies that make a request somebody's own; empty: any.</summary>
    public ImmutableArray<string> Cookies { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Addresses or networks that may send PURGE; empty: this machine.</summary>
    public ImmutableArray<string> PurgeFrom { get; init => field = value.IsDefault ? [] : value; } = [];
}
