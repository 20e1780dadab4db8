using Ashlar.Catalog.Channel;
using Ashlar.Dns.Resolving;
using Ashlar.Errors;

namespace Ashlar.Dns.Tier;

/// <summary>What the name server is told on its command line; written by <see cref="DnsPlan"/>, not by people.</summary>
/// <param name="Instance">Its name: <c>dns.1</c>.</param>
/// <param name="Channel">Path of the agent's channel.</param>
/// <param name="State">The stack's state folder; it writes in <c>run</c> and <c>metrics</c> below it.</param>
/// <param name="Grace">Bound of the drain after SIGTERM.</param>
internal sealed record DnsOptions(string Instance, string Channel, string State, TimeSpan Grace)
{
    /// <summary>Last snapshot, for a start without an agent.</summary>
    public string SnapshotPath => Path.Combine(State, "run", "dns.snapshot.json");

    /// <summary>Serials and last good answers, for the next start.</summary>
    public string KeptPath => Path.Combine(State, "run", "dns.kept.json");

    /// <summary>Folder of the metrics files.</summary>
    public string MetricsFolder => Path.Combine(State, "metrics");

    /// <summary>Where the system names its resolvers.</summary>
    public string ResolversPath { get; init; } = SystemResolvers.SystemFile;

    /// <exception cref="AshlarException">ASH3101: an argument is missing, unknown or malformed.</exception>
    public static DnsOptions Parse(IReadOnlyList<string> arguments)
    {
        var given = new TierArguments(arguments, ["--instance", "--channel", "--state", "--grace"], DnsErrors.Arguments);
        return new DnsOptions(given.Get("--instance"), given.Get("--channel"), given.Get("--state"), given.Seconds("--grace", TimeSpan.Zero));
    }
}
