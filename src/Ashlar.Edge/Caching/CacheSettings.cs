using System.Net;
using Ashlar.Catalog;

namespace Ashlar.Edge.Caching;

/// <summary>What the cache is set to.</summary>
internal sealed record CacheSettings
{
    /// <summary>What a snapshot says.</summary>
    public static CacheSettings Of(CatalogCache cache) => new()
    {
        Memory = cache.Memory,
        LargestBody = cache.MaxObject == 0 ? long.MaxValue : cache.MaxObject,
        StaleIfError = TimeSpan.FromMilliseconds(cache.StaleIfErrorMs),
        Cookies = cache.Cookies,
        Purgers = [.. (cache.PurgeFrom.IsEmpty ? ["127.0.0.0/8", "::1"] : cache.PurgeFrom).Select(Network)],
    };

    private static IPNetwork Network(string text) =>
        IPNetwork.TryParse(text, out var network) ? network
            : IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
            : new IPNetwork(IPAddress.Loopback, 32);

    /// <summary>Bytes it may hold.</summary>
    public required long Memory { get; init; }

    /// <summary>Bytes that one body may have.</summary>
    public long LargestBody { get; init; } = long.MaxValue;

    /// <summary>Time for which a stale response is served instead of an error, where the response does not say.</summary>
    public TimeSpan StaleIfError { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Cookies that make a request somebody's own; empty: any.</summary>
    public IReadOnlyList<string> Cookies { get; init; } = [];

    /// <summary>Addresses that may send PURGE, as networks.</summary>
    public IReadOnlyList<IPNetwork> Purgers { get; init; } = [];
}
