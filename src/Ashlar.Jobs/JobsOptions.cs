using System.Globalization;
using System.Text.Json;
using Ashlar.Catalog.Channel;

namespace Ashlar.Jobs;

/// <summary>What the jobs process is told when it starts; written by <see cref="JobsPlan"/>, not by people.</summary>
internal sealed record JobsOptions(string Instance, string State, TimeSpan Grace, int Port, JobsSettings Settings)
{
    /// <summary>The variable with the settings. A secret.</summary>
    public const string SettingsVariable = "ASHLAR_JOBS_SETTINGS";

    /// <summary>Folder of the metrics files.</summary>
    public string Metrics => Path.Combine(State, "metrics");

    /// <summary>Where it writes how the queues are, for the dashboard.</summary>
    public string Report => Path.Combine(State, "run", "jobs.json");

    /// <summary>Folder in which it notes which commands run.</summary>
    public string Commands => Path.Combine(State, "run", "commands");

    /// <param name="arguments"><c>--instance NAME --state FOLDER [--grace SECONDS]</c>.</param>
    /// <param name="take">Gives a variable and removes it from the environment.</param>
    /// <exception cref="Errors.AshlarException">ASH3201.</exception>
    public static JobsOptions Parse(IReadOnlyList<string> arguments, Func<string, string?> take)
    {
        var given = new TierArguments(arguments, ["--instance", "--state", "--grace"], JobsErrors.Arguments);
        return new JobsOptions(
            given.Get("--instance"),
            given.Get("--state"),
            given.Seconds("--grace", TimeSpan.FromSeconds(30)),
            int.TryParse(take("PORT"), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536 ? port : throw JobsErrors.Arguments("PORT is missing or no port"),
            Read(take(SettingsVariable)));
    }

    private static JobsSettings Read(string? text)
    {
        try
        {
            return JsonSerializer.Deserialize(text ?? "", JobsSettingsJson.Default.JobsSettings) ?? throw JobsErrors.Arguments($"{SettingsVariable} is empty");
        }
        catch (JsonException)
        {
            // What is in it is secret, and so is where it is wrong.
            throw JobsErrors.Arguments($"{SettingsVariable} is missing or cannot be read");
        }
    }
}
