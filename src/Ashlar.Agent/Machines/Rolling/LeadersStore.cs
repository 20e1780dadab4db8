using Ashlar.Catalog.Store;
using Ashlar.Fleet;

namespace Ashlar.Agent.Machines.Rolling;

/// <summary>
/// The shared store as the leader writes to it: nothing is written unless it still leads at that very revision. So one that has slept, and does not
/// know yet that another leads, changes nothing.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="leadership">The leadership of this machine; null: it does not lead.</param>
internal sealed class LeadersStore(IStore store, Func<Leadership?> leadership) : IStore
{
    /// <inheritdoc />
    /// <exception cref="Errors.AshlarException">ASH7530: this machine does not lead any more.</exception>
    public async ValueTask<CommitResult> CommitAsync(StoreTransaction transaction, CancellationToken cancellation = default)
    {
        var mine = leadership() ?? throw FleetErrors.LeadsNoMore();
        var result = await store.CommitAsync(transaction with { Conditions = transaction.Conditions.Add(mine.Fence) }, cancellation);
        return result.Succeeded || (await store.GetAsync(mine.Key, cancellation))?.CreateRevision == mine.CreateRevision ? result : throw FleetErrors.LeadsNoMore();
    }

    /// <inheritdoc />
    public ValueTask<StoreEntry?> GetAsync(string key, CancellationToken cancellation = default) => store.GetAsync(key, cancellation);

    /// <inheritdoc />
    public ValueTask<StoreRange> ListAsync(string prefix, CancellationToken cancellation = default) => store.ListAsync(prefix, cancellation);

    /// <inheritdoc />
    public IAsyncEnumerable<StoreEvent> WatchAsync(string prefix, long fromRevision, CancellationToken cancellation = default) =>
        store.WatchAsync(prefix, fromRevision, cancellation);

    /// <inheritdoc />
    public ValueTask<long> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellation = default) => store.GrantLeaseAsync(timeToLive, cancellation);

    /// <inheritdoc />
    public ValueTask<bool> KeepAliveAsync(long lease, CancellationToken cancellation = default) => store.KeepAliveAsync(lease, cancellation);

    /// <inheritdoc />
    public ValueTask RevokeLeaseAsync(long lease, CancellationToken cancellation = default) => store.RevokeLeaseAsync(lease, cancellation);

    /// <inheritdoc />
    public ValueTask<Leadership> CampaignAsync(string election, string candidate, long lease, CancellationToken cancellation = default) =>
        store.CampaignAsync(election, candidate, lease, cancellation);

    /// <inheritdoc />
    public ValueTask CompactAsync(long revision, CancellationToken cancellation = default) => store.CompactAsync(revision, cancellation);

    /// <summary>The store is its owner's.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
