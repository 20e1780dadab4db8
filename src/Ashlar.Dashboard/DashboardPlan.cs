using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Catalog;
using Ashlar.Processes;

namespace Ashlar.Dashboard;

/// <summary>What the dashboard tier wants to run: one instance behind the edge, which shows the stack and can change nothing.</summary>
public static class DashboardPlan
{
    /// <summary>Name of the tier and of its service.</summary>
    public const string Tier = "dashboard";

    /// <summary>Name of the secret that lets a visitor in.</summary>
    public const string TokenSecret = "dashboard.token";

    private const string Name = $"{Tier}.1";

    // Its streams never end by themselves, so a drain always takes all of this.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    /// <summary>What it needs before it can be planned: its token. Pure.</summary>
    public static TierNeeds Needs(PlanContext context) => Wanted(context) ? new TierNeeds([], [TokenSecret]) : TierNeeds.None;

    /// <summary>The dashboard's process. Pure.</summary>
    public static IEnumerable<DesiredInstance> Plan(PlanContext context)
    {
        if (!Wanted(context) || context.Stopped.Contains(Tier) || context.Stopped.Contains(Name))
        {
            return [];
        }

        var token = context.Secrets.GetValueOrDefault(TokenSecret, "");
        var listen = context.Stack.Dashboard.Listen?.Address;
        ImmutableArray<string> command = [context.Program, Tier, "--instance", Name, "--state", context.StateFolder];
        return
        [
            new DesiredInstance
            {
                Tier = Tier,
                Service = Tier,
                Index = 1,
                Fingerprint = Fingerprint(context, token, listen),
                HasEndpoint = true,
                Readiness = Readiness.Http,
                StopGrace = Grace,
                StartTimeout = TimeSpan.FromSeconds(30),
                Launch = new LaunchSpec
                {
                    Command = listen is null ? command : [.. command, "--listen", listen],
                    Environment = Environment.Add(DashboardOptions.TokenVariable, token),
                    WorkingDirectory = context.StateFolder,
                    LogPath = Path.Combine(context.StateFolder, "logs", $"{Name}.log"),
                    Tag = Name,
                    User = context.User,
                },
            },
        ];
    }

    // A stack without services has no edge that could lead to it.
    private static bool Wanted(PlanContext context) => context.Stack.Dashboard.Enabled && !context.Stack.Services.IsEmpty;

    private static string Fingerprint(PlanContext context, string token, string? listen)
    {
        var restarts = context.RestartCounts.GetValueOrDefault(Tier) + context.RestartCounts.GetValueOrDefault(Name);
        var text = string.Create(CultureInfo.InvariantCulture, $"{token} {listen} {context.User}");
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
        return string.Create(CultureInfo.InvariantCulture, $"{context.ProgramVersion} {hash} restarts={restarts}");
    }

    private static ImmutableSortedDictionary<string, string> Environment { get; } =
        ChildEnvironment.OfOwnProgram.AddRange(ChildEnvironment.SmallProcess);
}
