using System.Collections.Immutable;
using Ashlar.Catalog;

namespace Ashlar.Engines;

/// <summary>Looks after the engines of one tier.</summary>
internal sealed class EngineWatch(string tier, TierWatchHost host, TimeProvider time) : ITierWatch
{
    public void Pursue(PlanContext context, ImmutableArray<DesiredInstance> instances) => _ = (tier, host, time);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
