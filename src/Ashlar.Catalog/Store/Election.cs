using System.Text;
using Ashlar.Errors;

namespace Ashlar.Catalog.Store;

/// <summary>Elections by the primitives of any store: the candidate whose key has the lowest create revision leads, as in etcd.</summary>
internal static class Election
{
    public static async ValueTask<Leadership> CampaignAsync(
        IStore store, string election, string candidate, long lease, CancellationToken cancellation)
    {
        var prefix = election + "/";
        var key = $"{prefix}{lease:x16}";
        await store.CommitAsync(
            new StoreTransaction([], [new StoreWrite(key, Encoding.UTF8.GetBytes(candidate), lease)]), cancellation).ConfigureAwait(false);
        try
        {
            while (true)
            {
                var range = await store.ListAsync(prefix, cancellation).ConfigureAwait(false);
                var own = range.Entries.FirstOrDefault(entry => entry.Key == key) ?? throw new LeaseLostException(lease);
                if (own.CreateRevision == range.Entries.Min(entry => entry.CreateRevision))
                {
                    return new Leadership(key, own.CreateRevision);
                }

                await DeletionAsync(store, prefix, range.Revision + 1, cancellation).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            try
            {
                await store.CommitAsync(new StoreTransaction([], [new StoreWrite(key, null)]), CancellationToken.None).ConfigureAwait(false);
            }
            catch (AshlarException)
            {
                // The store is away: the candidate is withdrawn by the end of its lease.
            }

            throw;
        }
    }

    private static async Task DeletionAsync(IStore store, string prefix, long revision, CancellationToken cancellation)
    {
        try
        {
            await foreach (var change in store.WatchAsync(prefix, revision, cancellation).ConfigureAwait(false))
            {
                if (change.Value is null)
                {
                    return;
                }
            }
        }
        catch (CompactedException)
        {
            // The caller lists again, which is all a deletion asks for.
        }
    }
}
