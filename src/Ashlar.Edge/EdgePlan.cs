using System.Collections.Immutable;
using System.Globalization;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;
using Ashlar.Edge.Certificates.Acme;
using Ashlar.Edge.Tier;
using Ashlar.Errors;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Edge;

/// <summary>What the edge tier wants to run: one instance, replaced when the program is another or a person restarts it.</summary>
public static class EdgePlan
{
    /// <summary>Name of the tier and of its service.</summary>
    public const string Tier = "edge";

    // Between the end of a drain and SIGKILL.
    private static readonly TimeSpan _margin = TimeSpan.FromSeconds(5);

    /// <summary>The listening sockets that an edge was last told of; none if it was told nothing.</summary>
    /// <param name="stateFolder">The stack's state folder.</param>
    public static ImmutableArray<CatalogListener> LastListeners(string stateFolder) =>
        StoredSnapshot.Load(EdgeOptions.SnapshotIn(stateFolder))?.Listeners ?? [];

    /// <summary>
    /// Refuses a stack whose <c>edge.tls.authority_ca</c> is no file with certificates. One that has expired is told where it is used, because
    /// it stands in the way of no release.
    /// </summary>
    /// <exception cref="AshlarException">ASH3083.</exception>
    public static Task RequireAsync(StackDefinition stack, CancellationToken cancellation)
    {
        if (stack.Edge.Tls.AuthorityCa is { } path)
        {
            _ = AuthorityCa.Read(Path.GetFullPath(path, stack.Directory));
        }

        return Task.CompletedTask;
    }

    /// <summary>The plan. Pure.</summary>
    public static ImmutableArray<DesiredInstance> Plan(PlanContext context)
    {
        const string Name = $"{Tier}.1";
        if (context.Stopped.Contains(Tier) || context.Stopped.Contains(Name))
        {
            return [];
        }

        var restarts = context.RestartCounts.GetValueOrDefault(Tier) + context.RestartCounts.GetValueOrDefault(Name);
        return
        [
            new DesiredInstance
            {
                Tier = Tier,
                Service = Tier,
                Index = 1,
                Fingerprint = $"{context.ProgramVersion} restarts={restarts.ToString(CultureInfo.InvariantCulture)}"
                    + (context.IdentityFolder.Length > 0 ? " machines" : ""),
                Readiness = Readiness.Channel,
                StopGrace = EdgeOptions.DefaultGrace + _margin,
                StartTimeout = TimeSpan.FromSeconds(30),
                Launch = new LaunchSpec
                {
                    Command =
                    [
                        context.Program, Tier,
                        "--instance", Name,
                        "--channel", Path.Combine(context.StateFolder, "run", "agent.channel"),
                        "--state", context.StateFolder,
                        "--grace", EdgeOptions.DefaultGrace.TotalSeconds.ToString(CultureInfo.InvariantCulture),
                        .. context.IdentityFolder.Length > 0 ? ["--identity", context.IdentityFolder] : ImmutableArray<string>.Empty,
                    ],
                    Environment = ChildEnvironment.OfOwnProgram,
                    WorkingDirectory = context.StateFolder,
                    LogPath = Path.Combine(context.StateFolder, "logs", $"{Name}.log"),
                    Tag = Name,
                    User = context.User,
                },
            },
        ];
    }
}
