using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ashlar.Postgres;

/// <summary>
/// The users and the database of the app, set up by a server without network (<c>postgres --single</c>): before anybody can connect,
/// with passwords on its standard input. Done again at each start in order, so that nobody who owns something can lock himself out for good.
/// </summary>
internal static class ClusterUsers
{
    /// <summary>What they were last set up by.</summary>
    /// <param name="Passwords">Hash of the passwords.</param>
    /// <param name="Database">Name of the app's database.</param>
    /// <param name="Library">Version of the C library: another one may lack the data's locale.</param>
    internal sealed record SetUp(string Passwords, string Database, string Library);

    /// <summary>What they are to be set up by.</summary>
    public static SetUp Wanted(PostgresOptions options)
    {
        var text = string.Join('\n', options.Passwords.Select(p => $"{p.Key}={p.Value}"));
        return new SetUp(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))), options.Database, Files.LibraryVersion());
    }

    /// <summary>What they were last set up by; null: unknown.</summary>
    public static SetUp? Read(DataFolder folder)
    {
        try
        {
            return File.Exists(folder.Record) ? JsonSerializer.Deserialize(File.ReadAllText(folder.Record), SetUpJson.Default.SetUp) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes it down.</summary>
    public static void Write(DataFolder folder, SetUp setUp) => Files.Write(folder.Record, JsonSerializer.Serialize(setUp, SetUpJson.Default.SetUp));

    /// <summary>Sets them up, or what has become of them right. Idempotent.</summary>
    /// <param name="programs">Folder of the programs.</param>
    /// <param name="data">Data folder; no server runs on it.</param>
    /// <param name="options">What is wanted.</param>
    /// <param name="before">What was; null: unknown.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="Errors.AshlarException">ASH7007, ASH7008.</exception>
    public static async Task ApplyAsync(string programs, string data, PostgresOptions options, SetUp? before, CancellationToken cancellation)
    {
        var script = new StringBuilder();
        foreach (var (user, rights) in new[] { (ClusterNames.Owner, "SUPERUSER"), (ClusterNames.Replicator, "REPLICATION"), (ClusterNames.App, "") })
        {
            script.Append($"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{user}') THEN CREATE ROLE {user}; END IF; END $$\n")
                .Append($"ALTER ROLE {user} LOGIN {rights} PASSWORD '{options.Passwords[user]}' VALID UNTIL 'infinity'\n");
        }

        script.Append($"GRANT pg_monitor TO {ClusterNames.Replicator}\n");
        if (before is not null && before.Database != options.Database)
        {
            script.Append($"ALTER DATABASE {Identifier(before.Database)} RENAME TO {Identifier(options.Database)}\n");
        }

        var database = Identifier(options.Database);
        if (before?.Database != options.Database)
        {
            // Only then: one that people have dropped or that a restore was putting in place does not come back empty by itself.
            script.Append($"CREATE DATABASE {database} OWNER {ClusterNames.App}\n");
        }

        script.Append($"ALTER DATABASE {database} OWNER TO {ClusterNames.App}\n")
            .Append($"ALTER DATABASE {database} ALLOW_CONNECTIONS true\n")
            .Append($"GRANT ALL ON DATABASE {database} TO {ClusterNames.App}\n")
            .Append($"GRANT CONNECT ON DATABASE {ClusterNames.Maintenance} TO {ClusterNames.Replicator}\n");
        var result = await Tool.RunAsync(Path.Combine(programs, "postgres"),
            ["--single", "-D", data, "-c", "log_statement=none", "-c", "log_min_error_statement=panic", ClusterNames.Maintenance],
            script.ToString(), cancellation: cancellation);
        Check(result, data);
    }

    private static void Check(ToolResult result, string data)
    {
        // Whether a database is there cannot be asked and answered in one statement: that it is there, or not there to be renamed, is no error.
        var errors = result.Error.Split('\n').Where(line => line.Contains("ERROR:", StringComparison.Ordinal) || line.Contains("FATAL:", StringComparison.Ordinal));
        if (result.ExitCode == 0 && errors.All(line => line.Contains("database", StringComparison.Ordinal)
            && (line.Contains("already exists", StringComparison.Ordinal) || line.Contains("does not exist", StringComparison.Ordinal))))
        {
            return;
        }

        throw result.Error.Contains("locale", StringComparison.OrdinalIgnoreCase)
            ? PostgresErrors.WrongLocale(data, result.Reason)
            : PostgresErrors.ToolFailed("postgres --single", result.Reason);
    }

    private static string Identifier(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}

[JsonSerializable(typeof(ClusterUsers.SetUp))]
internal sealed partial class SetUpJson : JsonSerializerContext;
