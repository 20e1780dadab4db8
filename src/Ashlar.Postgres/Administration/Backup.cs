using System.Globalization;
using Ashlar.Catalog;
using Ashlar.Errors;
using Npgsql;

namespace Ashlar.Postgres.Administration;

/// <summary>What a backup is, and what is known of it.</summary>
/// <param name="File">Its path.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Tables">Tables whose rows are in it.</param>
/// <param name="Verified">What was verified, for people.</param>
public sealed record BackupReport(string File, long Bytes, int Tables, string Verified);

/// <summary>What a restore has put in place.</summary>
/// <param name="Database">The database.</param>
/// <param name="Kept">Name under which the one before is kept.</param>
public sealed record RestoreReport(string Database, string Kept);

/// <summary>Dumps the app's database into one file, and puts such a file in its place.</summary>
public static class Backup
{
    private const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Where backups lie that nobody has given another place: <c>.ashlar/backups</c>, which no release holds.</summary>
    /// <param name="stackFolder">The stack's folder.</param>
    /// <exception cref="AshlarException">ASH7023: it cannot be made.</exception>
    public static string Folder(string stackFolder)
    {
        var folder = Path.Combine(stackFolder, PostgresTier.StateFolder, "backups");
        try
        {
            return Directory.CreateDirectory(folder, Mine | UnixFileMode.UserExecute).FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PostgresErrors.BackupFailed(folder, e.Message);
        }
    }

    /// <summary>What to tell of a place that the next release would take along; null: it is a good one.</summary>
    /// <param name="stackFolder">The stack's folder.</param>
    /// <param name="file">Full path of the file.</param>
    public static AshlarError? Shipped(string stackFolder, string file) =>
        Path.GetRelativePath(stackFolder, file).Split('/')[0] is not (".." or PostgresTier.StateFolder) ? PostgresErrors.BackupShipped(file) : null;

    /// <summary>Name of a backup that nobody has named: <c>shop-20261122-115038.dump</c>.</summary>
    public static string NameOf(string database, DateTimeOffset now) => string.Create(CultureInfo.InvariantCulture, $"{database}-{now.UtcDateTime:yyyyMMdd-HHmmss}.dump");

    /// <summary>Makes one: beside its place, with mode 0600, read back to its end, then renamed.</summary>
    /// <param name="access">The primary.</param>
    /// <param name="file">Path of the file.</param>
    /// <param name="replace">True: one that is there is replaced when the new one is good.</param>
    /// <param name="drill">True: it is also restored into a database of its own, which is dropped again.</param>
    /// <param name="progress">Told what is done.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="AshlarException">ASH7001, ASH7022, ASH7023, ASH7028: no file is left behind.</exception>
    public static async Task<BackupReport> MakeAsync(TierAccess access, string file, bool replace, bool drill, Action<string> progress, CancellationToken cancellation)
    {
        var programs = PostgresPrograms.Newest();
        if (Directory.Exists(file) || (File.Exists(file) && !replace))
        {
            throw PostgresErrors.BackupExists(file, Directory.Exists(file));
        }

        var part = $"{file}.{Environment.ProcessId}.part";
        try
        {
            new FileStream(part, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Mine }).Dispose();
            progress($"pg_dump of {access.Database}");
            await RunAsync(programs, "pg_dump", access, access.Database, ["--format=custom", "--no-password", $"--file={part}"],
                said => PostgresErrors.BackupFailed(file, said), cancellation);
            progress("reading it back");
            var tables = await ReadAsync(programs, part, said => PostgresErrors.BackupFailed(file, said), cancellation);
            var verified = "its list and every byte of its data were read back";
            if (drill)
            {
                progress("restoring it into a database of its own");
                var scratch = Scratch(access.Database, "drill");
                await RestoreIntoAsync(programs, access, part, scratch, said => PostgresErrors.BackupFailed(file, said), cancellation);
                await DropAsync(access, scratch, cancellation);
                verified += ", and it was restored into a database of its own";
            }

            using (var written = new FileStream(part, FileMode.Open, FileAccess.ReadWrite))
            {
                written.Flush(flushToDisk: true);
            }

            File.Move(part, file, replace);
            Files.SyncFolder(Path.GetDirectoryName(file)!);
            return new BackupReport(file, new FileInfo(file).Length, tables, verified);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PostgresErrors.BackupFailed(file, e.Message);
        }
        finally
        {
            TryDelete(part);
        }
    }

    /// <summary>Restores a file into a new database, which then takes the place of the present one; that is kept under another name.</summary>
    /// <param name="access">The primary.</param>
    /// <param name="file">The file.</param>
    /// <param name="progress">Told what is done.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="AshlarException">ASH7001, ASH7022, ASH7024, ASH7025: the database is as before.</exception>
    public static async Task<RestoreReport> RestoreAsync(TierAccess access, string file, Action<string> progress, CancellationToken cancellation)
    {
        var programs = PostgresPrograms.Newest();
        if (!File.Exists(file))
        {
            throw PostgresErrors.BackupUnreadable(file, "there is no such file");
        }

        progress("reading it");
        await ReadAsync(programs, file, said => PostgresErrors.BackupUnreadable(file, said), cancellation);
        var next = Scratch(access.Database, "next");
        progress("restoring it into a database of its own");
        await RestoreIntoAsync(programs, access, file, next, said => PostgresErrors.RestoreFailed(file, said), cancellation);
        var kept = Scratch(access.Database, "before");
        progress("putting it in place");
        await SwapAsync(access, next, kept, cancellation);
        return new RestoreReport(access.Database, kept);
    }

    /// <summary>Reads the whole archive; gives how many tables have rows in it.</summary>
    private static async Task<int> ReadAsync(string programs, string file, Func<string, AshlarException> failed, CancellationToken cancellation)
    {
        var list = await Tool.RunAsync(Path.Combine(programs, "pg_restore"), ["--list", file], cancellation: cancellation);
        if (list.ExitCode != 0)
        {
            throw failed(list.Reason);
        }

        var all = await Tool.RunAsync(Path.Combine(programs, "pg_restore"), ["--file=/dev/null", file], cancellation: cancellation);
        return all.ExitCode == 0 ? list.Output.Split('\n').Count(line => line.Contains(" TABLE DATA ", StringComparison.Ordinal)) : throw failed(all.Reason);
    }

    private static async Task RestoreIntoAsync(
        string programs, TierAccess access, string file, string database, Func<string, AshlarException> failed, CancellationToken cancellation)
    {
        var owner = access.App?.User ?? access.User;
        await ExecuteAsync(access, $"CREATE DATABASE {Identifier(database)} OWNER {Identifier(owner)} TEMPLATE template0", cancellation);
        try
        {
            await RunAsync(programs, "pg_restore", access, database, ["--exit-on-error", "--no-owner", $"--role={owner}", "--no-password", $"--dbname={database}", file], failed, cancellation);
        }
        catch
        {
            await DropAsync(access, database, CancellationToken.None);
            throw;
        }
    }

    // Renaming needs that nobody is in it. New sessions are refused for the moment that it takes.
    private static async Task SwapAsync(TierAccess access, string next, string kept, CancellationToken cancellation)
    {
        var name = Identifier(access.Database);
        await ExecuteAsync(access, $"ALTER DATABASE {name} ALLOW_CONNECTIONS false", cancellation);
        try
        {
            await EmptyAsync(access, access.Database, cancellation);
            await ExecuteAsync(access, $"ALTER DATABASE {name} RENAME TO {Identifier(kept)}", cancellation);
        }
        catch
        {
            await ExecuteAsync(access, $"ALTER DATABASE {name} ALLOW_CONNECTIONS true", CancellationToken.None);
            throw;
        }

        await ExecuteAsync(access, $"ALTER DATABASE {Identifier(next)} RENAME TO {name}", CancellationToken.None);
        await ExecuteAsync(access, $"ALTER DATABASE {Identifier(kept)} ALLOW_CONNECTIONS true", CancellationToken.None);
    }

    private static async Task EmptyAsync(TierAccess access, string database, CancellationToken cancellation)
    {
        const string end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()";
        const int tries = 100;
        for (var i = 0; i < tries; i++)
        {
            var left = await ClusterQuestions.AskAsync(access, async connection =>
            {
                await using var command = new NpgsqlCommand(end, connection);
                command.Parameters.AddWithValue(database);
                return (long)(await command.ExecuteScalarAsync(cancellation))!;
            }, ClusterNames.Maintenance);
            if (left == 0)
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
        }
    }

    private static Task<int> DropAsync(TierAccess access, string database, CancellationToken cancellation) =>
        ExecuteAsync(access, $"DROP DATABASE IF EXISTS {Identifier(database)} WITH (FORCE)", cancellation);

    private static Task<int> ExecuteAsync(TierAccess access, string statement, CancellationToken cancellation) => ClusterQuestions.AskAsync(access, async connection =>
    {
        await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 0 };
        return await command.ExecuteNonQueryAsync(cancellation);
    }, ClusterNames.Maintenance);

    private static async Task RunAsync(
        string programs, string program, TierAccess access, string database, IEnumerable<string> arguments, Func<string, AshlarException> failed, CancellationToken cancellation)
    {
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var name in Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(n => n.StartsWith("PG", StringComparison.Ordinal)))
        {
            environment[name] = null;
        }

        environment["PGHOST"] = access.Address;
        environment["PGPORT"] = access.Port.ToString(CultureInfo.InvariantCulture);
        environment["PGUSER"] = access.User;
        environment["PGPASSWORD"] = access.Password;
        environment["PGDATABASE"] = database;
        var result = await Tool.RunAsync(Path.Combine(programs, program), arguments, environment: environment, cancellation: cancellation);
        if (result.ExitCode != 0)
        {
            throw failed(result.Reason);
        }
    }

    private static string Scratch(string database, string what)
    {
        const int longest = 63;
        var suffix = string.Create(CultureInfo.InvariantCulture, $"_{what}_{DateTime.UtcNow:yyyyMMdd_HHmmss}");
        return database[..Math.Min(database.Length, longest - suffix.Length)] + suffix;
    }

    private static string Identifier(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What failed before is the error to show.
        }
    }
}
