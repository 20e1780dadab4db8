using Ashlar.Edge.Caching.Rules;

namespace Ashlar.Edge.Caching.Store;

/// <summary>One stored response. What it says never changes; a validation makes a new one on the same body.</summary>
internal sealed class StoredResponse(CacheSlot slot, CacheBody body)
{
    /// <summary>Bytes that an entry costs besides key, head, tags and body: the objects around it.</summary>
    public const int Overhead = 640;

    /// <summary>The URL it belongs to.</summary>
    public CacheSlot Slot { get; } = slot;

    /// <summary>Its body.</summary>
    public CacheBody Body { get; } = body;

    /// <summary>Its status.</summary>
    public required int Status { get; init; }

    /// <summary>Status line and field lines, without the empty line: what a hit sends before its own fields.</summary>
    public required byte[] Head { get; init; }

    /// <summary>Length of the status line in <see cref="Head"/>.</summary>
    public required int StatusLine { get; init; }

    /// <summary>Length of the body; -1 while it comes and its length is not known.</summary>
    public long Length { get; init; }

    /// <summary>How long it serves.</summary>
    public Freshness Freshness { get; init; }

    /// <summary>The entity tag; empty: none.</summary>
    public ReadOnlyMemory<byte> ETag { get; init; }

    /// <summary>Last-Modified in seconds since 1970; -1: none.</summary>
    public long LastModified { get; init; } = -1;

    /// <summary>Date in seconds since 1970, its own or when it was received.</summary>
    public long Date { get; init; }

    /// <summary>What it varies on.</summary>
    public required Variation Variation { get; init; }

    /// <summary>It says Strict-Transport-Security itself.</summary>
    public bool HasHsts { get; init; }

    /// <summary>Its tags.</summary>
    public TagState[] Tags { get; init; } = [];

    /// <summary>Number of the last purge when it was asked for: later ones that mean it take it out.</summary>
    public required long Sequence { get; init; }

    /// <summary>Number of the last purge against which it was looked at.</summary>
    public long CheckedAt;

    /// <summary>A soft purge has made it stale.</summary>
    public bool IsExpired;

    /// <summary>Used since the eviction's hand came by (SIEVE).</summary>
    public bool Visited;

    /// <summary>In the list of what can be evicted.</summary>
    public bool IsListed;

    /// <summary>Its neighbours in the list of what can be evicted.</summary>
    public StoredResponse? Newer;

    /// <inheritdoc cref="Newer"/>
    public StoredResponse? Older;

    /// <summary>The same once its length is known.</summary>
    public StoredResponse Completed(long length)
    {
        var line = System.Text.Encoding.ASCII.GetBytes($"Content-Length: {length}\r\n");
        return new StoredResponse(Slot, Body)
        {
            Status = Status,
            Head = [.. Head, .. line],
            StatusLine = StatusLine,
            Length = length,
            Freshness = Freshness,
            ETag = ETag,
            LastModified = LastModified,
            Date = Date,
            Variation = Variation,
            Tags = Tags,
            HasHsts = HasHsts,
            Sequence = Sequence,
        };
    }

    /// <summary>Bytes besides the body.</summary>
    public long Cost => Overhead + Slot.Key.Length + Head.Length + Variation.Cost + Tags.Length * 16;

    /// <summary>The field lines.</summary>
    public ReadOnlySpan<byte> Fields => Head.AsSpan(StatusLine);

    /// <summary>Whether it has something by which the origin can find it valid.</summary>
    public bool HasValidator => !ETag.IsEmpty || LastModified >= 0;
}
