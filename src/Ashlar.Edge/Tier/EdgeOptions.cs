using System.Globalization;
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
        string? instance = null, channel = null, state = null, identity = null;
        var grace = DefaultGrace;
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : throw EdgeErrors.Arguments($"{arguments[i]} has no value");
            switch (arguments[i])
            {
                case "--instance":
                    instance = value;
                    break;
                case "--channel":
                    channel = value;
                    break;
                case "--state":
                    state = value;
                    break;
                case "--identity":
                    identity = value;
                    break;
                case "--grace" when double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and <= 86_400:
                    grace = TimeSpan.FromSeconds(seconds);
                    break;
                default:
                    throw EdgeErrors.Arguments($"{arguments[i]} {value} is not understood");
            }
        }

        return new EdgeOptions(
            instance ?? throw EdgeErrors.Arguments("--instance is missing"),
            channel ?? throw EdgeErrors.Arguments("--channel is missing"),
            state ?? throw EdgeErrors.Arguments("--state is missing"),
            grace)
        {
            Identity = identity,
        };
    }
}
