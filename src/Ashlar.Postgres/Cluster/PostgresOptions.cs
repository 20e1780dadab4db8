using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Catalog;

namespace Ashlar.Postgres;

/// <summary>
/// What <c>ashlar postgres</c> is told, written by <see cref="ClusterPlan"/>, not by people. Passwords and settings, which may hold
/// some, come in the environment; both are gone from it before PostgreSQL starts.
/// </summary>
internal sealed record PostgresOptions
{
    private const string Prefix = "ASHLAR_PG_";
    private const string SettingsVariable = Prefix + "SETTINGS";

    /// <summary><c>database.2</c>.</summary>
    public required string Instance { get; init; }

    /// <summary>The stack's state folder.</summary>
    public required string State { get; init; }

    /// <summary>What it is when it has no data yet; null: it is the primary. Else the instance to follow, with its port.</summary>
    public (string Instance, int Port)? Follows { get; init; }

    /// <summary>Its port on loopback.</summary>
    public required int Port { get; init; }

    /// <summary>Name of the app's database.</summary>
    public required string Database { get; init; }

    /// <summary>Major version asked for; null: none.</summary>
    public int? Version { get; init; }

    /// <summary>Memory limit in bytes; null: none.</summary>
    public long? Memory { get; init; }

    /// <summary>Settings of the stack.</summary>
    public ImmutableSortedDictionary<string, string> Settings { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Passwords by user.</summary>
    public ImmutableSortedDictionary<string, string> Passwords { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Since when the server has held data, as the agent remembers; null: never. It comes in <see cref="HeldData.Variable"/>.</summary>
    public DateTimeOffset? HeldSince { get; init; }

    /// <summary>Index of the instance.</summary>
    public int Index => int.Parse(Instance.AsSpan(Instance.LastIndexOf('.') + 1), CultureInfo.InvariantCulture);

    /// <summary>Folder of the instance.</summary>
    public string Folder => ClusterNames.Folder(State, Instance);

    /// <summary>The arguments after <c>postgres</c>.</summary>
    public ImmutableArray<string> ToArguments()
    {
        var arguments = ImmutableArray.CreateBuilder<string>();
        arguments.AddRange("--instance", Instance, "--state", State, "--role", Follows is null ? "primary" : "replica", "--port", Text(Port), "--database", Database);
        if (Follows is { } primary)
        {
            arguments.AddRange("--primary", primary.Instance, "--primary-port", Text(primary.Port));
        }

        if (Version is { } version)
        {
            arguments.AddRange("--version", Text(version));
        }

        if (Memory is { } memory)
        {
            arguments.AddRange("--memory", Text(memory));
        }

        return arguments.ToImmutable();
    }

    /// <summary>The variables that go with them.</summary>
    public IEnumerable<KeyValuePair<string, string>> ToVariables() => Passwords
        .Select(p => KeyValuePair.Create(Prefix + p.Key.ToUpperInvariant(), p.Value))
        .Append(KeyValuePair.Create(SettingsVariable, JsonSerializer.Serialize(Settings, SettingsJson.Default.ImmutableSortedDictionaryStringString)));

    /// <summary>Whether a variable is for this program alone.</summary>
    public static bool IsOurs(string variable) => variable.StartsWith(Prefix, StringComparison.Ordinal) || variable == HeldData.Variable;

    /// <summary>Reads both.</summary>
    /// <exception cref="Errors.AshlarException">ASH7014.</exception>
    public static PostgresOptions Parse(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> variables)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : throw PostgresErrors.Arguments($"{arguments[i]} has no value");
            if (arguments[i] is not ("--instance" or "--state" or "--role" or "--port" or "--database" or "--primary" or "--primary-port" or "--version" or "--memory")
                || !given.TryAdd(arguments[i], value))
            {
                throw PostgresErrors.Arguments($"{arguments[i]} is not understood");
            }
        }

        string Need(string name) => given.GetValueOrDefault(name) ?? throw PostgresErrors.Arguments($"{name} is missing");
        long Number(string name, long most) => long.TryParse(Need(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 && number <= most
            ? number : throw PostgresErrors.Arguments($"{name} is no number from 1 to {most}");
        var instance = Need("--instance");
        if (!instance.StartsWith(PostgresTier.Tier + ".", StringComparison.Ordinal)
            || !int.TryParse(instance.AsSpan(PostgresTier.Tier.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index < 1)
        {
            throw PostgresErrors.Arguments("--instance is no server's name");
        }

        return new PostgresOptions
        {
            Instance = instance,
            State = Need("--state"),
            Follows = Need("--role") switch
            {
                "primary" => null,
                "replica" => (Need("--primary"), (int)Number("--primary-port", 65_535)),
                _ => throw PostgresErrors.Arguments("--role is neither primary nor replica"),
            },
            Port = (int)Number("--port", 65_535),
            Database = Need("--database"),
            Version = given.ContainsKey("--version") ? (int)Number("--version", 1000) : null,
            Memory = given.ContainsKey("--memory") ? Number("--memory", long.MaxValue) : null,
            HeldSince = HeldData.Read(variables.GetValueOrDefault(HeldData.Variable)),
            Settings = Read(variables.GetValueOrDefault(SettingsVariable)),
            Passwords = new[] { ClusterNames.Owner, ClusterNames.Replicator, ClusterNames.App }
                .ToImmutableSortedDictionary(user => user, user => variables.GetValueOrDefault(Prefix + user.ToUpperInvariant()) is { Length: > 0 } password
                    ? password : throw PostgresErrors.Arguments($"the password of {user} is missing")),
        };
    }

    private static ImmutableSortedDictionary<string, string> Read(string? json)
    {
        try
        {
            return json is null ? ImmutableSortedDictionary<string, string>.Empty
                : JsonSerializer.Deserialize(json, SettingsJson.Default.ImmutableSortedDictionaryStringString) ?? ImmutableSortedDictionary<string, string>.Empty;
        }
        catch (JsonException)
        {
            throw PostgresErrors.Arguments("the settings are malformed");
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

[JsonSerializable(typeof(ImmutableSortedDictionary<string, string>))]
internal sealed partial class SettingsJson : JsonSerializerContext;
