using System.Collections.Immutable;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Delivery.Releases;
using Ashlar.Stack;

namespace Ashlar.Agent.Operations;

/// <summary>Release + orders of people + what is kept → target. Pure.</summary>
/// <param name="options">The agent's own.</param>
/// <param name="programVersion">Build of the program that the tiers are started from.</param>
/// <param name="user">User that services and tiers run as; null: the agent's own.</param>
/// <param name="engineUsers">Users of engines, by tier.</param>
internal sealed class Planner(AgentOptions options, string programVersion, string? user, ImmutableSortedDictionary<string, string> engineUsers)
{
    /// <summary>Folder with the machine's identity as the edge may read it; empty: the stack stands on one machine.</summary>
    public string IdentityFolder { get; init; } = "";

    /// <summary>What of the stack is this machine's; null: all of it.</summary>
    public Func<MachinePart?> Part { get; init; } = () => null;

    /// <summary>Build of the program that the tiers are started from.</summary>
    public string ProgramVersion => programVersion;

    /// <summary>The same, with tiers that are started from another program.</summary>
    public Planner With(string program) => new(options with { Program = program }, ProgramIdentity.Of(program), user, engineUsers) { Part = Part, IdentityFolder = IdentityFolder };

    /// <summary>What the tiers need for a release before there can be a target.</summary>
    public TierNeeds Needs(Release release, DesiredState desired) => Tiers.Needs(Context(release, desired));

    /// <summary>The target of a release.</summary>
    public Target Plan(Release release, DesiredState desired, ImmutableArray<CatalogListener> listeners, KeptNeeds kept)
    {
        var context = Context(release, desired) with { Listeners = listeners, Ports = kept.Ports, Secrets = kept.Secrets };
        var all = Tiers.Plan(context);
        var (here, elsewhere) = Part() is { } part ? part.Split(context, all) : (all, []);
        return new Target
        {
            Stack = release.Stack,
            Release = release.Name,
            Instances = here,
            Elsewhere = elsewhere,
            Maintenance = desired.Maintenance,
            Records = desired.Records,
            RecordsChanged = Math.Max(desired.RecordsChanged, release.Created.ToUnixTimeSeconds()),
            Context = context,
        };
    }

    /// <summary>What runs while nothing is ordered: on a machine that holds shared state, that alone.</summary>
    /// <param name="stack">The stack, as far as it is known.</param>
    public Target Bare(StackDefinition stack)
    {
        var context = Tiers.Sketch(stack) with
        {
            StateFolder = options.State.Path,
            Program = options.Program,
            ProgramVersion = programVersion,
            User = user,
            EngineUsers = engineUsers,
        };
        return new Target { Stack = stack, Instances = Part()?.Split(context, []).Here ?? [] };
    }

    private PlanContext Context(Release release, DesiredState desired) => new()
    {
        Stack = release.Stack,
        Release = release.Name,
        ReleaseFolder = release.Folder,
        Contents = release.Contents,
        ConfigVars = release.ConfigVars,
        Scale = desired.Scale.ToImmutableSortedDictionary(s => s.Key, s => s.Value.Count),
        Stopped = desired.Stopped,
        RestartCounts = desired.RestartCounts,
        StateFolder = options.State.Path,
        Program = options.Program,
        ProgramVersion = programVersion,
        User = user,
        EngineUsers = engineUsers,
        IdentityFolder = IdentityFolder,
    };
}
