using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Catalog.Etcd;
using Ashlar.Errors;
using Microsoft.Data.Sqlite;

namespace Ashlar.Catalog.Store;

/// <summary>
/// Moves a stack's state from its file to an empty place in etcd. The file is the state until the very last step, and says thereafter that
/// it no longer is. Whatever interrupts it, it can be done again from the start and goes on where it was. What is bound to a lease is not
/// moved: it says who lives now, and who lives says so again. Revisions begin anew.
/// </summary>
public static class StoreMove
{
    private const int Batch = 100;

    /// <summary>Does it. The store of the file must be closed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="target">Where to; nothing may be there.</param>
    /// <param name="cancellation">Interrupts it.</param>
    /// <returns>What was moved.</returns>
    /// <exception cref="AshlarException">
    /// ASH4060 to ASH4066 of the file, ASH4070 to ASH4080 of etcd; ASH4078 if something is there already, ASH4079 if it does not arrive whole.
    /// </exception>
    public static Task<StoreMoveReport> RunAsync(string path, EtcdStore target, CancellationToken cancellation = default) =>
        RunAsync(path, target, _ => { }, cancellation);

    /// <summary>Where the state of a file was moved to, for people; null: it lies in the file.</summary>
    /// <exception cref="AshlarException">ASH4060 to ASH4066.</exception>
    public static string? TargetOf(string path)
    {
        using var connection = SqliteFile.Open(path, evenIfMoved: true);
        return SqliteMoveMark.Read(connection) is { IsMoved: true } mark ? mark.Target : null;
    }

    /// <summary>Tells the name of each step when it is done, so that tests can stop there.</summary>
    internal static async Task<StoreMoveReport> RunAsync(string path, EtcdStore target, Action<string> reached, CancellationToken cancellation)
    {
        var connection = SqliteFile.Open(path, evenIfMoved: true);
        await using var _ = connection.ConfigureAwait(false);
        try
        {
            var mark = SqliteMoveMark.Read(connection);
            if (mark is not { IsMoved: true })
            {
                mark = SqliteMoveMark.Begin(connection, target.ToString());
                reached("begun");
                var record = await ClaimAsync(mark, target, cancellation).ConfigureAwait(false);
                reached("claimed");
                var entries = SqliteMoveMark.Entries(connection);
                await CopyAsync(entries, target, record, reached, cancellation).ConfigureAwait(false);
                await VerifyAsync(entries, target, mark, cancellation).ConfigureAwait(false);
                reached("verified");
                SqliteMoveMark.End(connection);
                reached("marked");
            }

            return await FinishAsync(mark, target, cancellation).ConfigureAwait(false);
        }
        catch (SqliteException e)
        {
            throw SqliteFile.Translate(e, path);
        }
    }

    /// <summary>SHA-256 over the length and the bytes of each key and value, in the order of keys.</summary>
    internal static string Hash(IEnumerable<KeyValuePair<string, byte[]>> entries)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var (key, value) in entries)
        {
            foreach (var part in (ReadOnlySpan<byte[]>)[Encoding.ASCII.GetBytes(key), value])
            {
                BinaryPrimitives.WriteInt32BigEndian(length, part.Length);
                hash.AppendData(length);
                hash.AppendData(part);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // The record in the target, made now or by an earlier try of the same file.
    private static async Task<StoreEntry> ClaimAsync(SqliteMoveMark mark, EtcdStore target, CancellationToken cancellation)
    {
        if (await target.GetAsync(Keys.Move, cancellation).ConfigureAwait(false) is { } there)
        {
            return Read(there) switch
            {
                { Source: var source } when source != mark.Source => throw CatalogErrors.MoveTargetTaken(mark.Target, "the state of another store was moved there"),
                { State: MoveState.Moved } => throw CatalogErrors.MoveTargetTaken(
                    mark.Target, "this state was moved there before and lives there since; the file is an older copy"),
                _ => there,
            };
        }

        if ((await target.ListAsync("", cancellation).ConfigureAwait(false)).Entries is { Length: > 0 } entries)
        {
            throw CatalogErrors.MoveTargetTaken(mark.Target, $"{entries.Length} keys are there already");
        }

        var record = StoreExtensions.Put(Keys.Move, new MoveRecord(mark.Source, MoveState.Copying), MoveJson.Default.MoveRecord);
        var claimed = await target.CommitAsync(new StoreTransaction([new(Keys.Move, CreateRevision: 0)], [record]), cancellation).ConfigureAwait(false);
        return claimed.Succeeded && await target.GetAsync(Keys.Move, cancellation).ConfigureAwait(false) is { } made
            ? made
            : throw CatalogErrors.MoveTargetTaken(mark.Target, "another move there has just begun");
    }

    private static async Task CopyAsync(
        SortedDictionary<string, byte[]> entries, EtcdStore target, StoreEntry record, Action<string> reached, CancellationToken cancellation)
    {
        var there = await ContentAsync(target, cancellation).ConfigureAwait(false);
        var writes = entries.Where(entry => !there.TryGetValue(entry.Key, out var value) || !value.AsSpan().SequenceEqual(entry.Value))
            .Select(entry => new StoreWrite(entry.Key, entry.Value))
            .Concat(there.Keys.Where(key => !entries.ContainsKey(key)).Select(key => new StoreWrite(key, null)));
        var (batch, bytes) = (new List<StoreWrite>(), 0);
        foreach (var write in writes)
        {
            var length = write.Key.Length + (write.Value?.Length ?? 0);
            if (batch.Count == Batch || bytes + length > StoreLimits.TransactionBytes - StoreLimits.KeyLength)
            {
                await WriteAsync().ConfigureAwait(false);
                (batch, bytes) = ([], 0);
            }

            batch.Add(write);
            bytes += length;
        }

        await WriteAsync().ConfigureAwait(false);
        async Task WriteAsync()
        {
            StoreCondition ours = new(Keys.Move, CreateRevision: record.CreateRevision);
            if (!(await target.CommitAsync(new StoreTransaction([ours], [.. batch]), cancellation).ConfigureAwait(false)).Succeeded)
            {
                throw CatalogErrors.MoveTargetTaken(target.ToString(), "something else has changed it meanwhile");
            }

            reached("batch");
        }
    }

    private static async Task VerifyAsync(
        SortedDictionary<string, byte[]> entries, EtcdStore target, SqliteMoveMark mark, CancellationToken cancellation)
    {
        var there = await ContentAsync(target, cancellation).ConfigureAwait(false);
        var hash = Hash(entries);
        if (there.Count != entries.Count || hash != Hash(there))
        {
            throw CatalogErrors.MoveDiffers(mark.Target, entries.Count, there.Count);
        }

        var verified = new MoveRecord(mark.Source, MoveState.Verified, entries.Count, hash);
        await target.PutAsync(Keys.Move, verified, MoveJson.Default.MoveRecord, cancellation: cancellation).ConfigureAwait(false);
    }

    private static async Task<StoreMoveReport> FinishAsync(SqliteMoveMark mark, EtcdStore target, CancellationToken cancellation)
    {
        if (await target.GetAsync(Keys.Move, cancellation).ConfigureAwait(false) is not { } entry
            || Read(entry) is not { State: not MoveState.Copying } record || record.Source != mark.Source)
        {
            throw CatalogErrors.MoveTargetTaken(target.ToString(), $"the state was moved to {mark.Target} before, and is not there");
        }

        var moved = record with { State = MoveState.Moved };
        await target.PutAsync(Keys.Move, moved, MoveJson.Default.MoveRecord, cancellation: cancellation).ConfigureAwait(false);
        return new StoreMoveReport(record.Keys, record.Hash ?? "", target.ToString());
    }

    private static async Task<SortedDictionary<string, byte[]>> ContentAsync(EtcdStore target, CancellationToken cancellation) => new(
        (await target.ListAsync("", cancellation).ConfigureAwait(false)).Entries
            .Where(entry => entry.Key != Keys.Move).ToDictionary(entry => entry.Key, entry => entry.Value.ToArray(), StringComparer.Ordinal),
        StringComparer.Ordinal);

    private static MoveRecord Read(StoreEntry entry)
    {
        try
        {
            return JsonSerializer.Deserialize(entry.Value.Span, MoveJson.Default.MoveRecord) ?? new MoveRecord("", MoveState.Copying);
        }
        catch (JsonException)
        {
            return new MoveRecord("", MoveState.Copying);
        }
    }
}

/// <summary>What was moved.</summary>
/// <param name="Keys">Number of keys.</param>
/// <param name="Hash">SHA-256 over all keys and values, hexadecimal.</param>
/// <param name="Target">Where they lie now.</param>
public sealed record StoreMoveReport(int Keys, string Hash, string Target);

internal enum MoveState
{
    Copying,
    Verified,
    Moved,
}

internal sealed record MoveRecord(string Source, MoveState State, int Keys = 0, string? Hash = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(MoveRecord))]
internal sealed partial class MoveJson : JsonSerializerContext;
