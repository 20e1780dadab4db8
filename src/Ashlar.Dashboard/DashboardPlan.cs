using Ashlar.Catalog;

namespace Ashlar.Dashboard;

/// <summary>What the dashboard tier wants to run.</summary>
public static class DashboardPlan
{
    /// <summary>Name of the tier and of its service.</summary>
    public const string Tier = "dashboard";

    /// <summary>What it needs before it can be planned. Pure.</summary>
    public static TierNeeds Needs(PlanContext context) => TierNeeds.None;

    /// <summary>The dashboard's process. Pure.</summary>
    public static IEnumerable<DesiredInstance> Plan(PlanContext context) => [];
}
