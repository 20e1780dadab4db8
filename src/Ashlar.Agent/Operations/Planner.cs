using System.Collections.Immutable;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Delivery.Releases;

namespace Ashlar.Agent.Operations;

/// <summary>Release + orders of people + listening sockets → target. Pure.</summary>
/// <param name="options">The agent's own.</param>
/// <param name="programVersion">Build of the program that the tiers are started from.</param>
/// <param name="user">User that services and tiers run as; null: the agent's own.</param>
internal sealed class Planner(AgentOptions options, string programVersion, string? user)
{
    /// <summary>The target of a release.</summary>
    public Target Plan(Release release, DesiredState desired, ImmutableArray<CatalogListener> listeners)
    {
        var context = new PlanContext
        {
            Stack = release.Stack,
            Release = release.Name,
            ReleaseFolder = release.Folder,
            Contents = release.Contents,
            ConfigVars = release.ConfigVars,
            Scale = desired.Scale.ToImmutableSortedDictionary(s => s.Key, s => s.Value.Count),
            Stopped = desired.Stopped,
            RestartCounts = desired.RestartCounts,
            Listeners = listeners,
            StateFolder = options.State.Path,
            Program = options.Program,
            ProgramVersion = programVersion,
            User = user,
        };
        return new Target
        {
            Stack = release.Stack,
            Release = release.Name,
            Instances = Tiers.Plan(context),
            Maintenance = desired.Maintenance,
        };
    }
}
