using System.Collections.Immutable;

namespace Ashlar.Postgres.Watching;

/// <summary>What one look at a server shows.</summary>
internal sealed record ServerLook
{
    /// <summary>True: it replays another server's log.</summary>
    public required bool InRecovery { get; init; }

    /// <summary>Position up to which it has written (primary) or replayed (replica), in bytes.</summary>
    public required long Position { get; init; }

    /// <summary>Position up to which a replica has received; on a primary the same as <see cref="Position"/>.</summary>
    public long Received { get; init; }

    /// <summary>Seconds since the last transaction that was replayed was committed; null: none was, or a primary.</summary>
    public double? ReplayAge { get; init; }

    /// <summary>True: it receives the log at this moment.</summary>
    public bool Streams { get; init; }

    /// <summary>Number of the version, as <c>server_version_num</c>.</summary>
    public int Version { get; init; }

    /// <summary>Sessions of clients that run a statement.</summary>
    public long Active { get; init; }

    /// <summary>Sessions of clients that wait for the next transaction.</summary>
    public long Idle { get; init; }

    /// <summary>Sessions of clients that hold a transaction open and do nothing.</summary>
    public long IdleInTransaction { get; init; }

    /// <summary>Sums over all databases since the statistics began.</summary>
    public DatabaseCounts Counts { get; init; } = new();
}

/// <summary>Sums over all databases of a server.</summary>
internal sealed record DatabaseCounts(
    long Commits = 0, long Rollbacks = 0, long Deadlocks = 0, long BlocksHit = 0, long BlocksRead = 0, long TemporaryBytes = 0, long ChecksumFailures = 0);

/// <summary>What the primary says of those who follow it.</summary>
/// <param name="Slots">Its slots.</param>
/// <param name="Clones">Per cent that each copy in the making has, by application name; null: not known yet.</param>
/// <param name="Bytes">Size of all databases, where it was asked for.</param>
internal sealed record Followers(ImmutableArray<SlotLook> Slots, ImmutableDictionary<string, int?> Clones, long? Bytes);

/// <summary>A replication slot.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Active">True: somebody uses it.</param>
/// <param name="State"><c>reserved</c>, <c>extended</c>, <c>unreserved</c> or <c>lost</c>; null: it was never used.</param>
internal sealed record SlotLook(string Name, bool Active, string? State);
