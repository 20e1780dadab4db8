using System.Collections.Immutable;
using System.Globalization;
using Ashlar.Catalog;
using Ashlar.Dns.Stacks;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Dns.Tier;

/// <summary>What the DNS tier wants to run: one name server on every machine, replaced when the program is another or a person restarts it.</summary>
public static class DnsPlan
{
    private const string Name = $"{CatalogDns.Tier}.1";
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);

    /// <summary>The plan. Pure.</summary>
    public static IEnumerable<DesiredInstance> Plan(PlanContext context)
    {
        if (context.Stack.Dns is null || context.Stopped.Contains(CatalogDns.Tier) || context.Stopped.Contains(Name))
        {
            return [];
        }

        var restarts = context.RestartCounts.GetValueOrDefault(CatalogDns.Tier) + context.RestartCounts.GetValueOrDefault(Name);
        return
        [
            new DesiredInstance
            {
                Tier = CatalogDns.Tier,
                Service = CatalogDns.Tier,
                Index = 1,
                Fingerprint = $"{context.ProgramVersion} restarts={restarts.ToString(CultureInfo.InvariantCulture)}",
                Readiness = Readiness.Channel,
                StopGrace = Grace + Margin,
                StartTimeout = TimeSpan.FromSeconds(30),
                Launch = new LaunchSpec
                {
                    Command =
                    [
                        context.Program, CatalogDns.Tier,
                        "--instance", Name,
                        "--channel", Path.Combine(context.StateFolder, "run", "agent.channel"),
                        "--state", context.StateFolder,
                        "--grace", Grace.TotalSeconds.ToString(CultureInfo.InvariantCulture),
                    ],
                    Environment = Environment,
                    WorkingDirectory = context.StateFolder,
                    LogPath = Path.Combine(context.StateFolder, "logs", $"{Name}.log"),
                    Tag = Name,
                    User = context.User,
                },
            },
        ];
    }

    /// <summary>Refuses a stack whose zones have mistakes, before anything is built for it: the last good ones stay.</summary>
    /// <exception cref="Errors.AshlarException">ASH3100.</exception>
    public static Task RequireAsync(StackDefinition stack, CancellationToken cancellation)
    {
        foreach (var zone in stack.Dns?.Zones ?? [])
        {
            cancellation.ThrowIfCancellationRequested();
            if (Judge(stack, zone) is { IsEmpty: false } mistakes)
            {
                throw DnsErrors.ZoneBroken(zone.Name, [.. mistakes.Select(mistake => mistake.ToString())]);
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>What is wrong with a zone of a stack file.</summary>
    public static ImmutableArray<Zones.ZoneMistake> Judge(StackDefinition stack, DnsZoneDefinition zone)
    {
        var files = new CatalogZone(zone.Name, zone.File, zone.TimeToLive ?? 0) { Records = zone.Records };
        return StackZones.Judge(files, file => File.ReadAllText(Path.GetFullPath(file, stack.Directory))).Mistakes;
    }

    private static ImmutableSortedDictionary<string, string> Environment { get; } = ChildEnvironment.OfOwnProgram.AddRange(ChildEnvironment.SmallProcess).Remove("DOTNET_TieredCompilation");
}
