using System.Collections.Immutable;
using Ashlar.Catalog;

namespace Ashlar.Engines;

/// <summary>Looks after the engines of one tier.</summary>
internal sealed class EngineWatch : ITierWatch
{
    public void Pursue(PlanContext context, ImmutableArray<DesiredInstance> instances) { }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
