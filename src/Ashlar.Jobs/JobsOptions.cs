using System.Globalization;
using System.Text.Json;

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
        string? instance = null, state = null;
        var grace = TimeSpan.FromSeconds(30);
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : throw JobsErrors.Arguments($"{arguments[i]} has no value");
            switch (arguments[i])
            {
                case "--instance":
                    instance = value;
                    break;
                case "--state":
                    state = value;
                    break;
                case "--grace" when double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds):
                    grace = TimeSpan.FromSeconds(seconds);
                    break;
                default:
                    throw JobsErrors.Arguments($"{arguments[i]} {value} is not understood");
            }
        }

        return new JobsOptions(
            instance ?? throw JobsErrors.Arguments("--instance is missing"),
            state ?? throw JobsErrors.Arguments("--state is missing"),
            grace,
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
