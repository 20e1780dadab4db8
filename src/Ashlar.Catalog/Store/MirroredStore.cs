using System.Runtime.CompilerServices;
using Ashlar.Errors;

namespace Ashlar.Catalog.Store;

/// <summary>
/// The shared store as one machine uses it: what it has read or seen change is kept in a store of its own too, and read from there while
/// the shared one cannot be reached. So a machine that starts without its fellows still knows what it is to run. Nothing can be written then.
/// </summary>
/// <param name="shared">The shared store.</param>
/// <param name="own">The machine's own.</param>
/// <param name="passing">Prefixes of what is true only now, and not kept.</param>
public sealed class MirroredStore(IStore shared, IStore own, params string[] passing) : StoreOver(shared)
{
    private const string Prefix = "shared/";
    private const int Batch = StoreLimits.TransactionLength;
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan JustNow = TimeSpan.FromSeconds(5);
    private long _failedAt;
    private long _hinderedAt;

    /// <summary>The shared store, without a copy in its place.</summary>
    public IStore Shared => Under;

    /// <summary>True: the last read was answered from the machine's own copy.</summary>
    public bool IsCutOff { get; private set; }

    /// <summary>Why the machine's own copy is not kept now, as when its disk is full; null: it is up to date as far as the store is reached.</summary>
    public AshlarError? Hindrance { get; private set; }

    /// <summary>Has the first reads answered from the machine's own copy, if it has one: whoever starts need not wait for the others.</summary>
    public async ValueTask BeginFromCopyAsync(string key, CancellationToken cancellation = default)
    {
        if (await own.GetAsync(Prefix + key, cancellation) is not null)
        {
            Fail();
        }
    }

    /// <inheritdoc />
    public override async ValueTask<StoreEntry?> GetAsync(string key, CancellationToken cancellation = default)
    {
        try
        {
            if (!HasJustFailed)
            {
                var entry = await Under.GetAsync(key, cancellation);
                IsCutOff = false;
                return entry;
            }
        }
        catch (AshlarException e) when (IsOutOfReach(e))
        {
            Fail();
        }

        return await own.GetAsync(Prefix + key, cancellation) is { } kept ? kept with { Key = key } : null;
    }

    /// <inheritdoc />
    public override async ValueTask<StoreRange> ListAsync(string prefix, CancellationToken cancellation = default)
    {
        try
        {
            if (!HasJustFailed)
            {
                var range = await Under.ListAsync(prefix, cancellation);
                IsCutOff = false;
                return range;
            }
        }
        catch (AshlarException e) when (IsOutOfReach(e))
        {
            Fail();
        }

        var kept = await own.ListAsync(Prefix + prefix, cancellation);
        return kept with { Entries = [.. kept.Entries.Select(entry => entry with { Key = entry.Key[Prefix.Length..] })] };
    }

    /// <summary>
    /// Tells of every change for ever, first of all that is there, and keeps the copy up to date. What was missed while the store could not
    /// be reached is told when it can: a key that has gone meanwhile as a delete.
    /// </summary>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>Changes, in order within one connection.</returns>
    public async IAsyncEnumerable<StoreEvent> FollowAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        // Also what the copy knows from before: who has read it must be told if that has gone while nobody listened.
        var known = (await own.ListAsync(Prefix, cancellation)).Entries.Select(entry => entry.Key[Prefix.Length..]).ToHashSet(StringComparer.Ordinal);
        while (true)
        {
            var range = await ReachedAsync(() => Under.ListAsync("", cancellation), cancellation);
            await KeepAsync(() => ReplaceAsync(range, cancellation));
            IsCutOff = false;
            foreach (var gone in known.Except(range.Entries.Select(entry => entry.Key), StringComparer.Ordinal).ToArray())
            {
                known.Remove(gone);
                yield return new StoreEvent(gone, null, range.Revision);
            }

            foreach (var entry in range.Entries)
            {
                known.Add(entry.Key);
                yield return new StoreEvent(entry.Key, entry.Value, entry.ModRevision);
            }

            var watch = Under.WatchAsync("", range.Revision + 1, cancellation).GetAsyncEnumerator(cancellation);
            await using var ended = watch.ConfigureAwait(false);
            while (await NextAsync(watch))
            {
                var change = watch.Current;
                await KeepAsync(change, cancellation);
                _ = change.Value is null ? known.Remove(change.Key) : known.Add(change.Key);
                yield return change;
            }
        }
    }

    /// <summary>Closes the shared store; the machine's own is its owner's.</summary>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Under.DisposeAsync();
    }

    // What etcd says when it is there and healthy stays an error: only its absence is made up for.
    private static bool IsOutOfReach(AshlarException e) => e.Error.Code is "ASH4070" or "ASH4071";

    // An agent that starts reads much at once: it waits for the store's silence only for the first of it.
    private bool HasJustFailed => IsCutOff && Environment.TickCount64 - Volatile.Read(ref _failedAt) < JustNow.TotalMilliseconds;

    private void Fail()
    {
        Volatile.Write(ref _failedAt, Environment.TickCount64);
        IsCutOff = true;
    }

    private static async Task<bool> NextAsync(IAsyncEnumerator<StoreEvent> watch)
    {
        try
        {
            return await watch.MoveNextAsync();
        }
        catch (Exception e) when (e is CompactedException or AshlarException)
        {
            return false; // All is listed again.
        }
    }

    private async Task<T> ReachedAsync<T>(Func<ValueTask<T>> ask, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return await ask();
            }
            catch (AshlarException)
            {
                IsCutOff = true;
                await Task.Delay(Again, cancellation);
            }
        }
    }

    // A copy with a gap would hold what never was together: after one, all is copied again.
    private Task KeepAsync(StoreEvent change, CancellationToken cancellation) =>
        Hindrance is not null ? Environment.TickCount64 - _hinderedAt < JustNow.TotalMilliseconds ? Task.CompletedTask
            : KeepAsync(async () => await ReplaceAsync(await Under.ListAsync("", cancellation), cancellation))
        : !IsLasting(change.Key) ? Task.CompletedTask
        : KeepAsync(async () => await own.CommitAsync(new StoreTransaction([], [new StoreWrite(Prefix + change.Key, change.Value)]), cancellation));

    // Who follows is told all the same: orders are for machines with a full disk too.
    private async Task KeepAsync(Func<Task> write)
    {
        try
        {
            await write();
            Hindrance = null;
        }
        catch (AshlarException e)
        {
            (Hindrance, _hinderedAt) = (e.Error, Environment.TickCount64);
        }
    }

    private async Task ReplaceAsync(StoreRange range, CancellationToken cancellation)
    {
        var before = (await own.ListAsync(Prefix, cancellation)).Entries.ToDictionary(entry => entry.Key[Prefix.Length..], entry => entry.Value, StringComparer.Ordinal);
        var now = range.Entries.Where(entry => IsLasting(entry.Key)).ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal);
        var writes = now.Where(entry => !before.TryGetValue(entry.Key, out var kept) || !kept.Span.SequenceEqual(entry.Value.Span))
            .Select(entry => new StoreWrite(Prefix + entry.Key, entry.Value))
            .Concat(before.Keys.Where(key => !now.ContainsKey(key)).Select(key => new StoreWrite(Prefix + key, null)));
        foreach (var batch in Batches(writes))
        {
            await own.CommitAsync(new StoreTransaction([], [.. batch]), cancellation);
        }
    }

    private static IEnumerable<List<StoreWrite>> Batches(IEnumerable<StoreWrite> writes)
    {
        var (batch, bytes) = (new List<StoreWrite>(), 0);
        foreach (var write in writes)
        {
            var size = write.Key.Length + (write.Value?.Length ?? 0);
            if (batch.Count == Batch || (bytes > 0 && bytes + size > StoreLimits.TransactionBytes))
            {
                yield return batch;
                (batch, bytes) = ([], 0);
            }

            batch.Add(write);
            bytes += size;
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }

    private bool IsLasting(string key) => !Array.Exists(passing, prefix => key.StartsWith(prefix, StringComparison.Ordinal));
}
