using System.Collections.Immutable;

namespace Ashlar.Catalog.Store;

/// <summary>
/// The shared, revisioned key-value store that holds desired state: SQLite on one machine, etcd on many.
/// Every commit that changes something gets the next revision; keys are ordered byte-wise; values are opaque bytes.
/// Keys are 1 to <see cref="StoreLimits.KeyLength"/> printable ASCII characters without space. The limits are <see cref="StoreLimits"/>;
/// what exceeds them is an <see cref="ArgumentException"/>. Any implementation must pass <c>StoreContract</c>.
/// </summary>
public interface IStore : IAsyncDisposable
{
    /// <summary>The entry under a key, or null.</summary>
    ValueTask<StoreEntry?> GetAsync(string key, CancellationToken cancellation = default);

    /// <summary>All entries whose key begins with a prefix, in order, and the revision they were read at.</summary>
    ValueTask<StoreRange> ListAsync(string prefix, CancellationToken cancellation = default);

    /// <summary>
    /// Writes all or nothing: every condition must hold. What is acknowledged survives the loss of power. A key is written once at most.
    /// Throws <see cref="LeaseLostException"/> if a lease that a write names is gone; then nothing is written.
    /// On etcd it may remain unknown whether it was made (ASH4072): read again before doing it again. A transaction of conditions that its
    /// own writes undo is safe to repeat.
    /// </summary>
    ValueTask<CommitResult> CommitAsync(StoreTransaction transaction, CancellationToken cancellation = default);

    /// <summary>
    /// All changes under a prefix with a revision of at least <paramref name="fromRevision"/>, those past and those to come, in order, never twice.
    /// Throws <see cref="CompactedException"/> if that revision is no longer kept, or the store has gone back to a backup: list again.
    /// </summary>
    IAsyncEnumerable<StoreEvent> WatchAsync(string prefix, long fromRevision, CancellationToken cancellation = default);

    /// <summary>Grants a lease; keys bound to it are deleted when it ends. A lease is a minimum life.</summary>
    ValueTask<long> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellation = default);

    /// <summary>
    /// Renews it. False: it is gone, and so are its keys. Who acts only while it lives counts its time, on a clock that only runs forward, from
    /// before the question and not from the answer.
    /// </summary>
    ValueTask<bool> KeepAliveAsync(long lease, CancellationToken cancellation = default);

    /// <summary>Ends it at once with its keys. Ending one that is gone is no error.</summary>
    ValueTask RevokeLeaseAsync(long lease, CancellationToken cancellation = default);

    /// <summary>
    /// Waits until <paramref name="candidate"/> is the leader under <paramref name="election"/>. It leads while the lease lives.
    /// <see cref="Leadership.Fence"/> belongs into the conditions of every write the leader makes. A cancellation withdraws the candidate.
    /// Throws <see cref="LeaseLostException"/> if the lease ends before. After any other error the candidate may still stand: campaign again
    /// with the same lease, or end it.
    /// </summary>
    ValueTask<Leadership> CampaignAsync(string election, string candidate, long lease, CancellationToken cancellation = default);

    /// <summary>Forgets changes older than a revision; entries stay.</summary>
    ValueTask CompactAsync(long revision, CancellationToken cancellation = default);
}

/// <summary>A key with its value.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value.</param>
/// <param name="CreateRevision">Revision at which the key came to be.</param>
/// <param name="ModRevision">Revision of its last change.</param>
/// <param name="Lease">Lease it is bound to; 0: none.</param>
public sealed record StoreEntry(string Key, ReadOnlyMemory<byte> Value, long CreateRevision, long ModRevision, long Lease);

/// <summary>Entries as of a revision.</summary>
public sealed record StoreRange(ImmutableArray<StoreEntry> Entries, long Revision);

/// <summary>Conditions and the writes to make if all hold.</summary>
public sealed record StoreTransaction(ImmutableArray<StoreCondition> Conditions, ImmutableArray<StoreWrite> Writes);

/// <summary>Holds if the key's revision is the one given; 0 means that the key does not exist.</summary>
/// <param name="Key">The key.</param>
/// <param name="ModRevision">Expected revision of its last change; null: not asked.</param>
/// <param name="CreateRevision">Expected revision at which it came to be; null: not asked.</param>
public sealed record StoreCondition(string Key, long? ModRevision = null, long? CreateRevision = null);

/// <summary>A put, or with a null value a delete.</summary>
public sealed record StoreWrite(string Key, ReadOnlyMemory<byte>? Value, long Lease = 0);

/// <summary>Whether a transaction was written, and the store's revision after it.</summary>
public sealed record CommitResult(bool Succeeded, long Revision);

/// <summary>One change. A null value is a delete.</summary>
public sealed record StoreEvent(string Key, ReadOnlyMemory<byte>? Value, long Revision);

/// <summary>Leadership of an election.</summary>
/// <param name="Key">The key that is held.</param>
/// <param name="CreateRevision">Its revision: the fencing token.</param>
public sealed record Leadership(string Key, long CreateRevision)
{
    /// <summary>Condition that holds only while this leadership does.</summary>
    public StoreCondition Fence => new(Key, CreateRevision: CreateRevision);
}

/// <summary>The revision asked for has been compacted away.</summary>
public sealed class CompactedException(long oldestRevision) : Exception($"Changes before revision {oldestRevision} are no longer kept.")
{
    /// <summary>Oldest revision that can still be watched from.</summary>
    public long OldestRevision { get; } = oldestRevision;
}

/// <summary>The lease has ended, and its keys with it.</summary>
public sealed class LeaseLostException(long lease) : Exception($"Lease {lease:x} has ended.")
{
    /// <summary>Which one.</summary>
    public long Lease { get; } = lease;
}

/// <summary>What every store takes.</summary>
public static class StoreLimits
{
    /// <summary>Longest key, in characters.</summary>
    public const int KeyLength = 512;

    /// <summary>Largest value: 1 MiB.</summary>
    public const int ValueLength = 1 << 20;

    /// <summary>Conditions, and writes, that one transaction may hold. A condition that asks for both revisions counts twice.</summary>
    public const int TransactionLength = 128;

    /// <summary>Largest transaction, keys and values together: 1.25 MiB, so that etcd takes it (1.5 MiB) with all that is around them.</summary>
    public const int TransactionBytes = 5 << 18;

    /// <summary>Checks a transaction against the limits.</summary>
    /// <exception cref="ArgumentException">It exceeds one, or writes a key twice.</exception>
    public static void Check(StoreTransaction transaction)
    {
        var comparisons = transaction.Conditions.Sum(
            condition => (condition.ModRevision is null ? 0 : 1) + (condition.CreateRevision is null ? 0 : 1));
        if (Math.Max(transaction.Conditions.Length, comparisons) > TransactionLength || transaction.Writes.Length > TransactionLength)
        {
            throw new ArgumentException($"More than {TransactionLength} conditions or writes.", nameof(transaction));
        }

        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var write in transaction.Writes)
        {
            CheckKey(write.Key);
            if (!keys.Add(write.Key))
            {
                throw new ArgumentException($"Key {write.Key} is written twice.", nameof(transaction));
            }

            if (write.Value is { Length: > ValueLength } value)
            {
                throw new ArgumentException($"The value of {write.Key} has {value.Length} bytes.", nameof(transaction));
            }
        }

        foreach (var condition in transaction.Conditions)
        {
            CheckKey(condition.Key);
        }

        var bytes = transaction.Conditions.Sum(condition => condition.Key.Length)
            + transaction.Writes.Sum(write => (long)write.Key.Length + (write.Value?.Length ?? 0));
        if (bytes > TransactionBytes)
        {
            throw new ArgumentException($"A transaction of {bytes} bytes.", nameof(transaction));
        }
    }

    /// <summary>Checks a key.</summary>
    /// <exception cref="ArgumentException">It is empty, too long or not printable ASCII.</exception>
    public static void CheckKey(string key)
    {
        if (key.Length is 0 or > KeyLength)
        {
            throw new ArgumentException($"A key of {key.Length} characters.", nameof(key));
        }

        CheckPrefix(key);
    }

    /// <summary>Checks a prefix, which may be empty.</summary>
    /// <exception cref="ArgumentException">It is not printable ASCII.</exception>
    public static void CheckPrefix(string prefix)
    {
        if (prefix.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw new ArgumentException("A key that is not printable ASCII.", nameof(prefix));
        }
    }
}
