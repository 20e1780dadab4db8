namespace Ashlar.Engines.Watching;

/// <summary>What an engine says of itself at one moment. Counters begin with its process.</summary>
internal sealed record EngineFigures
{
    /// <summary>Tells one process of the engine from the next.</summary>
    public required string Run { get; init; }

    /// <summary>Memory of its data in bytes.</summary>
    public long Memory { get; init; }

    /// <summary>Its limit in bytes.</summary>
    public long MemoryLimit { get; init; }

    /// <summary>Keys or items that it holds.</summary>
    public long Keys { get; init; }

    /// <summary>Open connections of clients.</summary>
    public long Connections { get; init; }

    /// <summary>Clients that wait for something to come (BLPOP and its like).</summary>
    public long Blocked { get; init; }

    /// <summary>Counter: reads that found their key.</summary>
    public long Hits { get; init; }

    /// <summary>Counter: reads that did not.</summary>
    public long Misses { get; init; }

    /// <summary>Counter: keys thrown away for want of memory.</summary>
    public long Evictions { get; init; }

    /// <summary>Counter: commands.</summary>
    public long Commands { get; init; }

    /// <summary>Counter: connections turned away.</summary>
    public long Rejected { get; init; }

    /// <summary>Why it cannot write what it must keep; null: it can, or keeps nothing.</summary>
    public string? WriteTrouble { get; init; }

    /// <summary>How much of its log it has read at its start, 0 to 100; null: all.</summary>
    public double? Loaded { get; init; }
}
