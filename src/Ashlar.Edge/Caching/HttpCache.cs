using System.Collections.Concurrent;
using Ashlar.Edge.Caching.Rules;
using Ashlar.Edge.Caching.Store;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Caching;

/// <summary>
/// The shared cache of one edge: found and read by all loops without a lock, changed under one. Bounded in bytes; what goes is
/// chosen by SIEVE (Zhang et al., NSDI 2024): a hit only sets a mark.
/// </summary>
internal sealed class HttpCache
{
    // What a URL may have in variants; the oldest goes.
    private const int MostVariants = 64;

    private readonly Lock _lock = new();
    private readonly KeyComparer _comparer = new((ulong)Random.Shared.NextInt64());
    private readonly ConcurrentDictionary<byte[], CacheSlot> _slots;
    private readonly ConcurrentDictionary<byte[], CacheSlot>.AlternateLookup<ReadOnlySpan<byte>> _bySpan;
    private readonly TagIndex _tags = new();
    private CacheSettings _settings;
    private StoredResponse? _newest;
    private StoredResponse? _oldest;
    private StoredResponse? _hand;
    private long _sequence;
    private long _allPurgedAt;
    private long _allExpiredAt;
    private long _evictions;
    private int _count;

    public HttpCache(CacheSettings settings)
    {
        _settings = settings;
        _slots = new(_comparer);
        _bySpan = _slots.GetAlternateLookup<ReadOnlySpan<byte>>();
        Memory = new CacheMemory(settings.Memory, MakeRoom);
    }

    /// <summary>What it is set to.</summary>
    public CacheSettings Settings
    {
        get => Volatile.Read(ref _settings);
        set
        {
            Volatile.Write(ref _settings, value);
            Memory.Limit = value.Memory;
            MakeRoom(0);
        }
    }

    /// <summary>Its bytes.</summary>
    public CacheMemory Memory { get; }

    /// <summary>URLs whose answers are not for all.</summary>
    public PassMemory Passes { get; } = new();

    /// <summary>Stored responses.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Responses that had to go for others.</summary>
    public long Evictions => Volatile.Read(ref _evictions);

    /// <summary>Bytes that one body may have.</summary>
    public long LargestBody => Math.Min(Settings.LargestBody, Memory.Limit / 4);

    /// <summary>64 bits of hash of a key.</summary>
    public ulong HashOf(ReadOnlySpan<byte> key) => _comparer.Hash(key);

    /// <summary>What is known of a URL; null: nothing.</summary>
    public CacheSlot? Find(ReadOnlySpan<byte> key) => _bySpan.TryGetValue(key, out var slot) ? slot : null;

    /// <summary>Whether a response still counts: no purge that means it has come since it was asked for.</summary>
    public bool IsCurrent(StoredResponse response)
    {
        var sequence = Volatile.Read(ref _sequence);
        if (Volatile.Read(ref response.CheckedAt) == sequence)
        {
            return true;
        }

        if (IsPurged(response.Slot, response.Tags, response.Sequence))
        {
            return false;
        }

        response.IsExpired = IsExpired(response);

        Volatile.Write(ref response.CheckedAt, sequence);
        return true;
    }

    private bool IsExpired(StoredResponse response)
    {
        if (Volatile.Read(ref _allExpiredAt) > response.Sequence || Volatile.Read(ref response.Slot.ExpiredAt) > response.Sequence)
        {
            return true;
        }

        foreach (var tag in response.Tags)
        {
            if (Volatile.Read(ref tag.ExpiredAt) > response.Sequence)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Begins to ask the origin for a URL, or joins the one that does already.
    /// </summary>
    /// <param name="key">The URL.</param>
    /// <param name="request">The request's head.</param>
    /// <param name="buffer">The buffer it was parsed from.</param>
    /// <param name="shared">False: nobody is to wait for this one, and it joins none.</param>
    /// <param name="joined">True: another asks already.</param>
    public Fill Begin(ReadOnlySpan<byte> key, RequestHead request, ReadOnlySpan<byte> buffer, bool shared, out bool joined)
    {
        lock (_lock)
        {
            if (!_bySpan.TryGetValue(key, out var slot))
            {
                slot = new CacheSlot(key.ToArray());
                _slots[slot.Key] = slot;
            }

            var mine = slot.Known.For(request, buffer);
            if (shared)
            {
                foreach (var fill in slot.Fills)
                {
                    if (fill.State is FillState.Asked or FillState.Flowing && fill.Wanted.Is(mine) && fill.Sequence >= slot.PurgedAt)
                    {
                        joined = true;
                        return fill;
                    }
                }
            }

            joined = false;
            var begun = new Fill(slot, mine, _sequence);
            slot.Pending++;
            if (shared)
            {
                slot.Fills.Add(begun);
            }

            return begun;
        }
    }

    /// <summary>A fill is over: nobody joins it any more, and a URL of which nothing is stored is forgotten.</summary>
    public void End(Fill fill)
    {
        lock (_lock)
        {
            fill.Slot.Fills.Remove(fill);
            fill.Slot.Pending--;
            ForgetIfEmpty(fill.Slot);
        }
    }

    /// <summary>The tags of a response; null: more than can be kept.</summary>
    public TagState[]? TagsOf(ReadOnlySpan<byte> fields)
    {
        lock (_lock)
        {
            return _tags.Of(fields);
        }
    }

    /// <summary>Stores a complete response in place of the one with the same variation. The store takes a lease of its own on the body.</summary>
    public StoreRule Store(StoredResponse response)
    {
        if (!Memory.TryTake(response.Cost))
        {
            return StoreRule.NoRoom;
        }

        lock (_lock)
        {
            var slot = response.Slot;
            if (IsPurged(slot, response.Tags, response.Sequence) || slot.IsGone
                || (response.Tags.Length > 0 && !_tags.IsKnown(response.Tags, response.Sequence)) || !response.Body.TryLease())
            {
                Memory.GiveBack(response.Cost);
                return StoreRule.Purged;
            }

            List<StoredResponse> kept = [response];
            foreach (var other in slot.Variants)
            {
                if (other.Variation.Is(response.Variation) || kept.Count == MostVariants || !SameFields(other, response))
                {
                    Unlist(other);
                }
                else
                {
                    kept.Add(other);
                }
            }

            slot.Variants = [.. kept];
            slot.Known = response.Variation;
            foreach (var tag in response.Tags)
            {
                _tags.Use(tag);
            }

            response.CheckedAt = _sequence;
            response.IsListed = true;
            response.Older = _newest;
            if (_newest is not null)
            {
                _newest.Newer = response;
            }

            _newest = response;
            _oldest ??= response;
            _count++;
            return StoreRule.Stored;
        }
    }

    /// <summary>Takes a response out.</summary>
    public void Remove(StoredResponse response)
    {
        lock (_lock)
        {
            if (response.IsListed)
            {
                Drop(response);
            }
        }
    }

    /// <summary>Takes all responses of a URL out, and what is on its way for it.</summary>
    /// <returns>How many were stored.</returns>
    public int Purge(ReadOnlySpan<byte> key, bool soft)
    {
        lock (_lock)
        {
            if (!_bySpan.TryGetValue(key, out var slot))
            {
                return 0;
            }

            var count = slot.Variants.Count(IsCurrent);
            Volatile.Write(ref soft ? ref slot.ExpiredAt : ref slot.PurgedAt, _sequence + 1);
            Purged();
            if (soft)
            {
                return count;
            }

            foreach (var variant in slot.Variants)
            {
                Unlist(variant);
            }

            slot.Variants = [];
            ForgetIfEmpty(slot);
            return count;
        }
    }

    /// <summary>Takes out what is stored of a path and query, of every host and scheme.</summary>
    /// <returns>How many were stored.</returns>
    public int PurgePath(ReadOnlySpan<byte> path, bool soft)
    {
        var count = 0;
        foreach (var key in _slots.Keys)
        {
            var slash = key.AsSpan().IndexOf((byte)'/');
            if (slash >= 0 && path.SequenceEqual(key.AsSpan(slash)))
            {
                count += Purge(key, soft);
            }
        }

        return count;
    }

    /// <summary>Takes out every response that has a tag.</summary>
    /// <returns>How many were stored.</returns>
    public int PurgeTag(string tag, bool soft)
    {
        lock (_lock)
        {
            var count = _tags.Purge(tag, soft, _sequence + 1);
            Purged();
            return count;
        }
    }

    /// <summary>Takes everything out.</summary>
    /// <returns>How many were stored.</returns>
    public int PurgeAll(bool soft)
    {
        lock (_lock)
        {
            var count = _count;
            Volatile.Write(ref soft ? ref _allExpiredAt : ref _allPurgedAt, _sequence + 1);
            Purged();
            while (!soft && _oldest is { } response)
            {
                Drop(response);
            }

            return count;
        }
    }

    // What is purged is written first: whoever sees the new number sees that too.
    private void Purged() => Volatile.Write(ref _sequence, _sequence + 1);

    private bool IsPurged(CacheSlot slot, TagState[] tags, long sequence)
    {
        if (Volatile.Read(ref _allPurgedAt) > sequence || Volatile.Read(ref slot.PurgedAt) > sequence)
        {
            return true;
        }

        foreach (var tag in tags)
        {
            if (Volatile.Read(ref tag.PurgedAt) > sequence)
            {
                return true;
            }
        }

        return false;
    }

    // Variants chosen by other fields than the newest's could never be told apart from it.
    private static bool SameFields(StoredResponse a, StoredResponse b) =>
        a.Variation.Names.Length == b.Variation.Names.Length
        && a.Variation.Names.Zip(b.Variation.Names).All(static pair => pair.First.AsSpan().SequenceEqual(pair.Second));

    private void MakeRoom(long bytes)
    {
        lock (_lock)
        {
            while (_oldest is not null && Memory.Used + bytes > Memory.Limit)
            {
                Evict();
            }
        }
    }

    private void Evict()
    {
        var candidate = _hand ?? _oldest!;
        while (candidate.Visited && IsCurrent(candidate))
        {
            candidate.Visited = false;
            candidate = candidate.Newer ?? _oldest!;
        }

        _hand = candidate.Newer;
        _evictions++;
        Drop(candidate);
    }

    private void Drop(StoredResponse response)
    {
        var slot = response.Slot;
        slot.Variants = [.. slot.Variants.Where(variant => variant != response)];
        Unlist(response);
        ForgetIfEmpty(slot);
    }

    private void Unlist(StoredResponse response)
    {
        if (!response.IsListed)
        {
            return;
        }

        response.IsListed = false;
        if (_hand == response)
        {
            _hand = response.Newer;
        }

        if (response.Newer is { } newer)
        {
            newer.Older = response.Older;
        }
        else
        {
            _newest = response.Older;
        }

        if (response.Older is { } older)
        {
            older.Newer = response.Newer;
        }
        else
        {
            _oldest = response.Newer;
        }

        (response.Newer, response.Older) = (null, null);
        _count--;
        foreach (var tag in response.Tags)
        {
            _tags.Release(tag);
        }

        Memory.GiveBack(response.Cost);
        response.Body.Release();
    }

    private void ForgetIfEmpty(CacheSlot slot)
    {
        if (slot.Pending == 0 && slot.Variants.Length == 0 && !slot.IsGone)
        {
            slot.IsGone = true;
            _slots.TryRemove(slot.Key, out _);
        }
    }
}
