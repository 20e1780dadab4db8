using System.Collections.Immutable;

namespace Ashlar.Agent.Api;

/// <summary>Arguments of <c>state-backup</c> and <c>state-restore</c>.</summary>
/// <param name="Path">Absolute path of the file.</param>
/// <param name="Replace">Of a backup: true replaces a file that is there.</param>
public sealed record StateFileArguments(string Path, bool Replace = false);

/// <summary>A backup of the state, read back and found whole.</summary>
/// <param name="Path">Its file; it holds every config var.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Revision">Revision that it has at least.</param>
/// <param name="Hash">SHA-256 of what is in it, hexadecimal; empty: of a file of SQLite, which was checked by its own means.</param>
public sealed record StateBackupResult(string Path, long Bytes, long Revision, string Hash = "");

/// <summary>Where the state is.</summary>
/// <param name="Epoch">How often it was restored, and one.</param>
/// <param name="Endpoints">Addresses of etcd's members.</param>
public sealed record StateTold(int Epoch, ImmutableArray<Uri> Endpoints);

/// <summary>How the store of the stack's state is.</summary>
public sealed record StateResult
{
    /// <summary><c>sqlite</c> or <c>etcd</c>.</summary>
    public required string Store { get; init; }

    /// <summary>True: it can be read and changed now.</summary>
    public bool Available { get; init; }

    /// <summary>Why it cannot; null: it can.</summary>
    public Errors.AshlarError? Error { get; init; }

    /// <summary>Its revision; 0: not known.</summary>
    public long Revision { get; init; }

    /// <summary>How often it was restored, and one.</summary>
    public int Epoch { get; init; } = 1;

    /// <summary>Bytes of it; the largest member's.</summary>
    public long Size { get; init; }

    /// <summary>Bytes that it may have; 0: no limit of its own.</summary>
    public long Quota { get; init; }

    /// <summary>File of SQLite; empty: it is etcd.</summary>
    public string File { get; init; } = "";

    /// <summary>The members of etcd.</summary>
    public ImmutableArray<StateMemberLine> Members { get; init; } = [];

    /// <summary>etcd's alarms, and what else is to be known, with what to do.</summary>
    public ImmutableArray<Errors.AshlarError> Alarms { get; init; } = [];

    /// <summary>What happens to the state when a machine fails.</summary>
    public string Spare { get; init; } = "";
}

/// <summary>A member of etcd for people.</summary>
/// <param name="Machine">Its machine.</param>
/// <param name="Instance"><c>etcd.2</c>.</param>
/// <param name="Address">Where agents reach it.</param>
/// <param name="Role"><c>leader</c>, <c>follower</c>, <c>learner</c>, or empty: not known.</param>
/// <param name="State"><c>healthy</c>, or why not.</param>
/// <param name="Size">Bytes of its data.</param>
/// <param name="InUse">Bytes of them that are in use.</param>
/// <param name="Version">etcd's version.</param>
public sealed record StateMemberLine(string Machine, string Instance, string Address, string Role, string State, long Size, long InUse, string Version);
