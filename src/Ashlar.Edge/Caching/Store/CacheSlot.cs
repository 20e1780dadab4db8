namespace Ashlar.Edge.Caching.Store;

/// <summary>
/// What is known of one URL: its stored variants, newest first, and the fills under way. Read by any loop without a lock; changed
/// under the store's.
/// </summary>
internal sealed class CacheSlot(byte[] key)
{
    private StoredResponse[] _variants = [];

    /// <summary>Scheme, host, path and query.</summary>
    public byte[] Key { get; } = key;

    /// <summary>The stored responses, newest first. An array is never changed, only replaced.</summary>
    public StoredResponse[] Variants
    {
        get => Volatile.Read(ref _variants);
        set => Volatile.Write(ref _variants, value);
    }

    /// <summary>Fills under way that others may wait for.</summary>
    public List<Fill> Fills { get; } = [];

    /// <summary>Fields that its responses vary on, by the last of them.</summary>
    public Variation Known { get; set; } = Variation.None;

    /// <summary>Number of the last purge of this URL.</summary>
    public long PurgedAt;

    /// <summary>Number of the last soft purge of this URL.</summary>
    public long ExpiredAt;

    /// <summary>Attempts to store something here that are under way; while there are any it stays in the table.</summary>
    public int Pending;

    /// <summary>It is in the table no more.</summary>
    public bool IsGone;
}
