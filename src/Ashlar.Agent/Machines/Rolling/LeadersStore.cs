using Ashlar.Catalog.Store;
using Ashlar.Fleet;

namespace Ashlar.Agent.Machines.Rolling;

/// <summary>
/// The shared store as the leader writes to it: nothing is written unless it still leads at that very revision. So one that has slept, and does not
/// know yet that another leads, changes nothing.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="leadership">The leadership of this machine; null: it does not lead.</param>
internal sealed class LeadersStore(IStore store, Func<Leadership?> leadership) : StoreOver(store)
{
    /// <inheritdoc />
    /// <exception cref="Errors.AshlarException">ASH7530: this machine does not lead any more.</exception>
    public override async ValueTask<CommitResult> CommitAsync(StoreTransaction transaction, CancellationToken cancellation = default)
    {
        var mine = leadership() ?? throw FleetErrors.LeadsNoMore();
        var result = await Under.CommitAsync(transaction with { Conditions = transaction.Conditions.Add(mine.Fence) }, cancellation);
        return result.Succeeded || (await Under.GetAsync(mine.Key, cancellation))?.CreateRevision == mine.CreateRevision ? result : throw FleetErrors.LeadsNoMore();
    }
}
