using System.Globalization;
using System.Net;
using Ashlar.Catalog.Channel;
using Ashlar.Errors;

namespace Ashlar.Dashboard;

/// <summary>What the dashboard is told when it starts; written by <see cref="DashboardPlan"/>, not by people.</summary>
/// <param name="Instance">Its name: <c>dashboard.1</c>.</param>
/// <param name="State">The stack's state folder.</param>
/// <param name="Port">Port on loopback to listen on.</param>
/// <param name="Token">What a visitor must know.</param>
/// <param name="Listen">Address of <c>dashboard.listen</c>, which people may then call it by; null: loopback only.</param>
internal sealed record DashboardOptions(string Instance, string State, int Port, string Token, IPAddress? Listen)
{
    /// <summary>The variable with the token.</summary>
    public const string TokenVariable = "ASHLAR_DASHBOARD_TOKEN";

    private const int ShortestToken = 16;

    /// <summary>Where it asks how the stack is.</summary>
    public string WatchSocket => Path.Combine(State, "run", "watch.sock");

    /// <summary>Output of everything that runs.</summary>
    public string Logs => Path.Combine(State, "logs");

    /// <summary>The edge's log of requests.</summary>
    public string AccessLog => Path.Combine(State, "run", "access.log");

    /// <summary>How the queues are.</summary>
    public string Jobs => Path.Combine(State, "run", "jobs.json");

    /// <summary>What happened to the stack.</summary>
    public string Events => Path.Combine(State, "run", "events.log");

    /// <summary>Folder of the metrics files.</summary>
    public string Metrics => Path.Combine(State, "metrics");

    /// <summary>Folder of the series.</summary>
    public string Series => Path.Combine(Metrics, "series");

    /// <param name="arguments"><c>--instance NAME --state FOLDER [--listen ADDRESS]</c>.</param>
    /// <param name="take">Gives a variable and removes it from the environment.</param>
    /// <exception cref="AshlarException">ASH7201.</exception>
    public static DashboardOptions Parse(IReadOnlyList<string> arguments, Func<string, string?> take)
    {
        var given = new TierArguments(arguments, ["--instance", "--state", "--listen"], DashboardErrors.Arguments);
        IPAddress? listen = null;
        if (given.Find("--listen") is { } address && !IPAddress.TryParse(address, out listen))
        {
            throw given.NotUnderstood("--listen");
        }

        var token = take(TokenVariable);
        return new DashboardOptions(
            given.Get("--instance"),
            given.Get("--state"),
            int.TryParse(take("PORT"), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536
                ? port
                : throw DashboardErrors.Arguments("PORT is missing or no port"),
            token is { Length: >= ShortestToken } ? token : throw DashboardErrors.Arguments($"{TokenVariable} is missing or too short"),
            listen);
    }
}
