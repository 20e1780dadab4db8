using Ashlar.Catalog.Channel;
using Ashlar.Errors;

namespace Ashlar.Edge.Tier;

/// <summary>What the edge is told on its command line; written by <see cref="EdgePlan"/>, not by people.</summary>
/// <param name="Instance">Its name: <c>edge.1</c>.</param>
/// <param name="Channel">Path of the agent's channel.</param>
/// <param name="State">The stack's state folder; the edge writes in <c>run</c> and <c>metrics</c> below it.</param>
/// <param name="Grace">Bound of the drain after SIGTERM.</param>
internal sealed record EdgeOptions(string Instance, string Channel, string State, TimeSpan Grace)
{
    public static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(30);

    /// <summary>Folder of the machine's certificate, key and authority; null: the stack has one machine.</summary>
    public string? Identity { get; init; }

    /// <summary>Last snapshot, for a start without an agent.</summary>
    public string SnapshotPath => SnapshotIn(State);

    /// <summary>The access log. Below <c>run</c>, which belongs to the user that tiers run as.</summary>
    public string AccessLogPath => Path.Combine(State, "run", "access.log");

    /// <summary>Folder of the metrics files.</summary>
    public string MetricsFolder => Path.Combine(State, "metrics");

    public static string SnapshotIn(string state) => Path.Combine(state, "run", "edge.snapshot.json");

    /// <exception cref="AshlarException">ASH3012: an argument is missing, unknown or malformed.</exception>
    public static EdgeOptions Parse(IReadOnlyList<string> arguments)
    {
        var given = new TierArguments(arguments, ["--instance", "--channel", "--state", "--identity", "--grace"], EdgeErrors.Arguments);
        var grace = given.Seconds("--grace", DefaultGrace);
        return new EdgeOptions(given.Get("--instance"), given.Get("--channel"), given.Get("--state"), grace)
        {
            Identity = given.Find("--identity"),
        };
    }
}
