namespace Ashlar.Edge.Caching;

/// <summary>Room that the exchanges of one loop use in turn, each for the length of a call.</summary>
internal sealed class CacheScratch
{
    /// <summary>Longest key; a longer URL is not looked up.</summary>
    public const int LongestKey = 8 * 1024;

    /// <summary>Where <see cref="Counts"/> has the bytes sent from the store.</summary>
    public const int BytesServed = 15;

    /// <summary>Requests by what the cache did for them, in the order of <see cref="CacheWord"/>; written by its loop only.</summary>
    public long[] Counts { get; } = new long[16];

    /// <summary>Room for a key.</summary>
    public byte[] Key { get; } = new byte[LongestKey];

    /// <summary>Room for further lines of a request, and for Cache-Status.</summary>
    public byte[] Lines { get; } = new byte[4 * 1024];

    /// <summary>Room for what a request has in the fields that a response varies on; grows.</summary>
    public byte[] Variation = new byte[512];
}
