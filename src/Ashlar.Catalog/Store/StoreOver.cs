namespace Ashlar.Catalog.Store;

/// <summary>A store over another one: what it does not do itself the other does. It does not own it.</summary>
/// <param name="store">The other.</param>
public abstract class StoreOver(IStore store) : IStore
{
    /// <summary>The other.</summary>
    protected IStore Under => store;

    /// <inheritdoc />
    public virtual ValueTask<StoreEntry?> GetAsync(string key, CancellationToken cancellation = default) => store.GetAsync(key, cancellation);

    /// <inheritdoc />
    public virtual ValueTask<StoreRange> ListAsync(string prefix, CancellationToken cancellation = default) => store.ListAsync(prefix, cancellation);

    /// <inheritdoc />
    public virtual ValueTask<CommitResult> CommitAsync(StoreTransaction transaction, CancellationToken cancellation = default) => store.CommitAsync(transaction, cancellation);

    /// <inheritdoc />
    public virtual IAsyncEnumerable<StoreEvent> WatchAsync(string prefix, long fromRevision, CancellationToken cancellation = default) =>
        store.WatchAsync(prefix, fromRevision, cancellation);

    /// <inheritdoc />
    public virtual ValueTask<long> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellation = default) => store.GrantLeaseAsync(timeToLive, cancellation);

    /// <inheritdoc />
    public virtual ValueTask<bool> KeepAliveAsync(long lease, CancellationToken cancellation = default) => store.KeepAliveAsync(lease, cancellation);

    /// <inheritdoc />
    public virtual ValueTask RevokeLeaseAsync(long lease, CancellationToken cancellation = default) => store.RevokeLeaseAsync(lease, cancellation);

    /// <inheritdoc />
    public virtual ValueTask<Leadership> CampaignAsync(string election, string candidate, long lease, CancellationToken cancellation = default) =>
        store.CampaignAsync(election, candidate, lease, cancellation);

    /// <inheritdoc />
    public virtual ValueTask CompactAsync(long revision, CancellationToken cancellation = default) => store.CompactAsync(revision, cancellation);

    /// <inheritdoc />
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
