using Ashlar.Errors;
using Npgsql;

namespace Ashlar.Jobs.Queue;

/// <summary>Makes and migrates the schema <c>ashlar</c>, in which the queues lie.</summary>
internal static class Schema
{
    /// <summary>The version that this program works with. A new one adds its step to <see cref="Steps"/>.</summary>
    public const int Version = 1;

    /// <summary>Tables in the ring of a queue.</summary>
    public const int Slots = 4;

    /// <summary>Held while something is made, so that two processes that start together do not both make it.</summary>
    public const long Lock = 0x4153484C_4A4F4253;

    private static readonly string[] Callable =
    [
        "enqueue(text, jsonb, interval, timestamptz, text, int, text)", "enqueue_many(text, jsonb[], interval, timestamptz, int, text)",
        "heartbeat(text)", "complete(text)", "fail(text, text, interval)",
    ];

    private static string[] Steps { get; } = [Read("Schema.sql")];

    /// <summary>Makes the schema, or brings it to this version. Idempotent.</summary>
    /// <param name="connection">As a superuser, in the app's database.</param>
    /// <param name="app">The role of the app: it may call the functions, and touches no table.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="AshlarException">ASH3204: the schema is of a newer program, or somebody else's.</exception>
    public static async Task ApplyAsync(NpgsqlConnection connection, string app, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await RunAsync(connection, $"select pg_advisory_xact_lock({Lock})", cancellation);
        var found = await VersionAsync(connection, cancellation);
        if (found > Version)
        {
            throw JobsErrors.SchemaNewer(found, Version);
        }

        if (found == 0)
        {
            if (await AskAsync<bool>(connection, "select exists (select from pg_namespace where nspname = 'ashlar' and pg_get_userbyid(nspowner) <> current_user)", cancellation))
            {
                throw JobsErrors.SchemaTaken();
            }

            await RunAsync(connection, "create schema if not exists ashlar", cancellation);
        }

        foreach (var step in Steps.Skip(found))
        {
            await RunAsync(connection, step, cancellation);
        }

        await RunAsync(connection, found == 0
            ? $"insert into ashlar.state (version, system) select {Version}, system_identifier from pg_control_system()"
            : $"update ashlar.state set version = {Version} where version <> {Version}", cancellation);
        await RunAsync(connection, $"revoke all on all functions in schema ashlar from public; grant usage on schema ashlar to {Identifier(app)}; "
            + string.Concat(Callable.Select(function => $"grant execute on function ashlar.{function} to {Identifier(app)}; ")), cancellation);
        await transaction.CommitAsync(cancellation);
    }

    /// <summary>The version that is there; 0: none.</summary>
    public static async Task<int> VersionAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        await AskAsync<bool>(connection, "select to_regclass('ashlar.state') is not null", cancellation)
            ? await AskAsync<int>(connection, "select coalesce(max(version), 0) from ashlar.state", cancellation)
            : 0;

    /// <summary>Quotes a name.</summary>
    public static string Identifier(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 60 };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private static async Task<T> AskAsync<T>(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(cancellation))!;
    }

    private static string Read(string name)
    {
        using var stream = typeof(Schema).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
