namespace Ashlar.Edge.Caching.Store;

/// <summary>The bytes that a cache may hold, counted where they are taken and given back; never more than the limit.</summary>
/// <param name="limit">Bytes.</param>
/// <param name="makeRoom">Frees at least so many bytes if it can; called by whichever loop needs them.</param>
internal sealed class CacheMemory(long limit, Action<long> makeRoom)
{
    private long _limit = limit;
    private long _used;

    /// <summary>Bytes that may be used.</summary>
    public long Limit
    {
        get => Volatile.Read(ref _limit);
        set => Volatile.Write(ref _limit, value);
    }

    /// <summary>Bytes in use.</summary>
    public long Used => Volatile.Read(ref _used);

    /// <summary>Takes bytes, evicting for them; false: there is no room even so.</summary>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _used, bytes) <= Limit)
        {
            return true;
        }

        Interlocked.Add(ref _used, -bytes);
        makeRoom(bytes);
        if (Interlocked.Add(ref _used, bytes) <= Limit)
        {
            return true;
        }

        Interlocked.Add(ref _used, -bytes);
        return false;
    }

    /// <summary>Gives bytes back.</summary>
    public void GiveBack(long bytes) => Interlocked.Add(ref _used, -bytes);
}
