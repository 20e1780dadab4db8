using System.Collections.Immutable;

namespace Ashlar.Postgres.Administration;

/// <summary>What <c>ashlar pg info</c> shows.</summary>
public sealed record ClusterReport
{
    /// <summary>Version as the server says it: <c>15.20</c>.</summary>
    public required string Version { get; init; }

    /// <summary>True: the version that all tests run with.</summary>
    public required bool Proven { get; init; }

    /// <summary>Name of the app's database.</summary>
    public required string Database { get; init; }

    /// <summary>Its size in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>Sessions of clients now.</summary>
    public required int Connections { get; init; }

    /// <summary>Sessions there can be.</summary>
    public required int MostConnections { get; init; }

    /// <summary>Share of blocks read that were in memory, 0 to 1, since the statistics began; null: none was read.</summary>
    public double? HitRatio { get; init; }

    /// <summary>True: pages have checksums.</summary>
    public required bool Checksums { get; init; }

    /// <summary>Pages whose checksum was wrong when they were read.</summary>
    public required long ChecksumFailures { get; init; }

    /// <summary>Bytes free on the disk of the primary's data.</summary>
    public long DiskFree { get; init; }

    /// <summary>Settings that do not have PostgreSQL's default, with their values.</summary>
    public ImmutableSortedDictionary<string, string> Settings { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The slots that hold the log back for replicas.</summary>
    public ImmutableArray<SlotReport> Slots { get; init; } = [];
}

/// <summary>A replication slot.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Active">True: a replica streams through it.</param>
/// <param name="State"><c>reserved</c>, <c>extended</c>, <c>unreserved</c> or <c>lost</c>; null: it was never used.</param>
/// <param name="HeldBytes">Bytes of log that it holds back; null: none.</param>
public sealed record SlotReport(string Name, bool Active, string? State, long? HeldBytes);

/// <summary>A session.</summary>
/// <param name="Pid">Process id of its server process.</param>
/// <param name="User">Database user.</param>
/// <param name="Database">Database.</param>
/// <param name="Application">What the client calls itself.</param>
/// <param name="State"><c>active</c>, <c>idle</c>, <c>idle in transaction</c>.</param>
/// <param name="WaitsFor">What it waits for; empty: nothing.</param>
/// <param name="Seconds">Seconds since its statement began, or since it has been in its state.</param>
/// <param name="Query">Its statement, the running or the last one, cut off at 1000 characters.</param>
public sealed record SessionReport(int Pid, string User, string Database, string Application, string State, string WaitsFor, double Seconds, string Query);

/// <summary>A session that waits for a lock, with the one that it waits for.</summary>
/// <param name="Pid">Who waits.</param>
/// <param name="Seconds">For how long.</param>
/// <param name="Lock">What it waits for: mode and object.</param>
/// <param name="Query">Its statement.</param>
/// <param name="BlockedBy">Sessions that hold it, or stand before it.</param>
/// <param name="BlockerState">State of the first of these.</param>
/// <param name="BlockerQuery">Its statement, the running or the last one.</param>
public sealed record LockReport(int Pid, double Seconds, string Lock, string Query, ImmutableArray<int> BlockedBy, string BlockerState, string BlockerQuery);
