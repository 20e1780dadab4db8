namespace Ashlar.Edge.Caching.Store;

/// <summary>
/// Remembers for a while which URLs gave answers that are not for all, so that requests for them do not wait for one another. A
/// table of fixed size that forgets when two fall together: forgetting costs a wait, and no memory can be filled.
/// </summary>
internal sealed class PassMemory
{
    private const int Size = 1 << 14;
    private const long SpanMs = 120_000;

    private readonly ulong[] _hashes = new ulong[Size];
    private readonly long[] _until = new long[Size];

    /// <summary>Remembers a URL.</summary>
    public void Add(ulong hash, long now)
    {
        var at = hash & (Size - 1);
        Volatile.Write(ref _until[at], 0);
        Volatile.Write(ref _hashes[at], hash);
        Volatile.Write(ref _until[at], now + SpanMs);
    }

    /// <summary>Whether it is remembered.</summary>
    public bool Knows(ulong hash, long now)
    {
        var at = hash & (Size - 1);
        return Volatile.Read(ref _hashes[at]) == hash && Volatile.Read(ref _until[at]) > now;
    }

    /// <summary>Forgets a URL.</summary>
    public void Forget(ulong hash)
    {
        var at = hash & (Size - 1);
        if (Volatile.Read(ref _hashes[at]) == hash)
        {
            Volatile.Write(ref _until[at], 0);
        }
    }
}
