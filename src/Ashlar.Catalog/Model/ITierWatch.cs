using System.Collections.Immutable;
using Ashlar.Errors;

namespace Ashlar.Catalog;

/// <summary>
/// Looks after engines that Ashlar runs but did not write, inside the agent: learns what they cannot tell by themselves (role, lag)
/// and asks for what only the agent can do. Nothing on a request's path waits for it.
/// </summary>
public interface ITierWatch : IAsyncDisposable
{
    /// <summary>Watches over what this plan wants from now on. Called after every change of the plan; returns at once.</summary>
    /// <param name="context">The context that the tier's plan was made from.</param>
    /// <param name="instances">What the tier's plan wants; empty: nothing any more.</param>
    void Pursue(PlanContext context, ImmutableArray<DesiredInstance> instances);
}

/// <summary>What a watch may do. All of it may be called from any thread and returns at once.</summary>
/// <param name="Report">Says what is known of an instance, by name (<c>database.2</c>); null: nothing any more.</param>
/// <param name="Restart">Has an instance stopped and started again, for a reason that people are told.</param>
/// <param name="Warn">Says in the agent's log what people should know.</param>
public sealed record TierWatchHost(Action<string, InstanceFact?> Report, Action<string, string> Restart, Action<AshlarError> Warn);

/// <summary>What a tier's watch knows of an instance.</summary>
/// <param name="Role"><c>primary</c> or <c>replica</c>, as the server itself says; null: unknown or without roles.</param>
/// <param name="LagBytes">Bytes of the primary's log not replayed yet; null: not a replica, or unknown.</param>
/// <param name="LagSeconds">Age of what is replayed, 0 when nothing is outstanding; null: not a replica, or unknown.</param>
/// <param name="Detail">What people should know, or empty (<c>cloning 41 %</c>).</param>
public sealed record InstanceFact(string? Role = null, long? LagBytes = null, double? LagSeconds = null, string Detail = "");
