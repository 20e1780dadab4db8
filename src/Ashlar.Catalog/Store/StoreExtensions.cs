using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Ashlar.Catalog.Store;

/// <summary>What callers do most often with a store.</summary>
public static class StoreExtensions
{
    /// <summary>The JSON under a key; null if there is none.</summary>
    /// <exception cref="JsonException">Something else is there.</exception>
    public static async ValueTask<T?> GetAsync<T>(this IStore store, string key, JsonTypeInfo<T> type, CancellationToken cancellation = default)
        where T : class =>
        await store.GetAsync(key, cancellation).ConfigureAwait(false) is { } entry ? JsonSerializer.Deserialize(entry.Value.Span, type) : null;

    /// <summary>Writes one key whatever it held.</summary>
    /// <returns>The store's revision after it.</returns>
    public static async ValueTask<long> PutAsync<T>(
        this IStore store, string key, T value, JsonTypeInfo<T> type, long lease = 0, CancellationToken cancellation = default)
    {
        var transaction = new StoreTransaction([], [Put(key, value, type, lease)]);
        return (await store.CommitAsync(transaction, cancellation).ConfigureAwait(false)).Revision;
    }

    /// <summary>Deletes one key; one that is not there is no error.</summary>
    public static async ValueTask DeleteAsync(this IStore store, string key, CancellationToken cancellation = default) =>
        await store.CommitAsync(new StoreTransaction([], [new StoreWrite(key, null)]), cancellation).ConfigureAwait(false);

    /// <summary>A write of JSON for a transaction.</summary>
    public static StoreWrite Put<T>(string key, T value, JsonTypeInfo<T> type, long lease = 0) =>
        new(key, JsonSerializer.SerializeToUtf8Bytes(value, type), lease);
}
