using System.Collections.Immutable;
using Ashlar.Catalog;
using Ashlar.Delivery.Plans;
using Ashlar.Edge;

namespace Ashlar.Agent;

/// <summary>The tiers of the house. Each contributes a pure plan; nothing else here knows what a tier is.</summary>
internal static class Tiers
{
    /// <summary>The tier in front.</summary>
    public const string Edge = EdgePlan.Tier;

    /// <summary>What the team runs.</summary>
    public const string Services = ServicesPlan.Tier;

    /// <summary>All tiers in the order of the house, from the front.</summary>
    public static ImmutableArray<(string Name, Func<PlanContext, IEnumerable<DesiredInstance>> Plan)> All { get; } =
    [
        (Edge, context => EdgePlan.Plan(context)),
        (Services, ServicesPlan.Plan),
    ];

    /// <summary>The order in which they stop: what is in front last. They start in the opposite order.</summary>
    public static ImmutableArray<string> StopOrder { get; } = [Services, Edge];

    /// <summary>All instances that the tiers want.</summary>
    public static ImmutableArray<DesiredInstance> Plan(PlanContext context) => [.. All.SelectMany(tier => tier.Plan(context))];
}
