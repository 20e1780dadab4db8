using Ashlar.Agent.Hosting;
using Ashlar.Dashboard;
using Ashlar.Dns.Tier;
using Ashlar.Edge;
using Ashlar.Edge.Gateways.Cgi;
using Ashlar.Engines;
using Ashlar.Jobs;
using Ashlar.Postgres;

namespace Ashlar;

/// <summary>
/// Starts the tier that the first argument names. One program is every tier; these entries are not for people and not in the help.
/// </summary>
internal static class TierHost
{
    private const string InstanceOption = "--instance";

    /// <summary>True if the first argument names a tier. Those of the dashboard, of DNS and of the jobs are verbs too, which have no such option.</summary>
    public static bool Serves(string[] arguments) =>
        arguments is ["agent" or "edge" or CgiTier.Word or PostgresTier.Word, ..] or ["dashboard" or "dns" or JobsPlan.Tier, InstanceOption, ..] || (arguments is [var word, ..] && EngineStart.Serves(word));

    /// <summary>Runs the tier until it ends; the result is the exit code of the process.</summary>
    public static Task<int> RunAsync(string tier, string[] arguments) => tier switch
    {
        "agent" => AgentHost.MainAsync(arguments),
        "edge" => EdgeTier.RunAsync(arguments),
        "dns" => DnsTier.RunAsync(arguments),
        "dashboard" => DashboardTier.RunAsync(arguments),
        JobsPlan.Tier => JobsTier.RunAsync(arguments),
        CgiTier.Word => CgiTier.RunAsync(arguments),
        PostgresTier.Word => PostgresProcess.RunAsync(arguments),
        _ when EngineStart.Serves(tier) => EngineStart.RunAsync(tier, arguments),
        _ => throw new ArgumentException($"There is no tier '{tier}'.", nameof(tier)),
    };
}
