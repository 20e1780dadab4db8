using System.CommandLine;
using System.Globalization;
using Ashlar.Postgres;
using Ashlar.Processes;

namespace Ashlar.Commands;

/// <summary><c>ashlar pg psql</c>: becomes psql, connected to the primary.</summary>
internal static class PgPsql
{
    private static readonly Option<bool> Admin = new("--admin") { Description = "as the superuser instead of the app's user" };
    private static readonly Argument<string[]> Arguments = new("ARGUMENT")
    {
        Arity = ArgumentArity.ZeroOrMore,
        CaptureRemainingTokens = true,
        Description = "arguments of psql, after --",
    };

    public static Command Create(Cli cli) => VerbCall.Command(cli, "psql", "open psql on the primary", [Admin, Arguments], RunAsync);

    public static async Task<int> RunAsync(VerbCall call, CancellationToken cancellation)
    {
        var access = await PgCommand.AccessAsync(call, cancellation);
        var who = call.Value(Admin) ? access : access.App ?? access;
        var program = Path.Combine(PostgresPrograms.Newest(), "psql");
        var environment = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            environment[(string)variable.Key] = (string?)variable.Value ?? "";
        }

        // What else names a server or a user there would lead elsewhere.
        foreach (var name in environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal) && name is not "PGOPTIONS" and not "PGTZ").ToArray())
        {
            environment.Remove(name);
        }

        environment["PGHOST"] = who.Address;
        environment["PGPORT"] = who.Port.ToString(CultureInfo.InvariantCulture);
        environment["PGUSER"] = who.User;
        environment["PGPASSWORD"] = who.Password;
        environment["PGDATABASE"] = who.Database;
        ExecInPlace.Run(program, ["psql", .. OneOff.Strip(call.Value(Arguments) ?? [])], environment);
        return ExitCodes.Failed;
    }
}
