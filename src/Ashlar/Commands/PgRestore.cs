using System.CommandLine;
using Ashlar.Output;
using Ashlar.Postgres;
using Ashlar.Postgres.Administration;

namespace Ashlar.Commands;

/// <summary><c>ashlar pg restore</c>.</summary>
internal static class PgRestore
{
    public static Command Create(Cli cli)
    {
        var file = new Argument<string>("FILE") { Description = "made by pg backup, or by pg_dump in its custom format" };
        var yes = new Option<bool>("--yes") { Description = "do it" };
        return VerbCall.Command(cli, "restore", "put a backup in the database's place; what is there is kept under another name", [file, yes],
            async (call, cancellation) =>
            {
                var access = await PgCommand.AccessAsync(call, cancellation);
                var path = Path.GetFullPath(call.Value(file)!, cli.Folder);
                if (!call.Value(yes)) throw PostgresErrors.NotConfirmed(access.Database, path);
                using var progress = new Progress(cli.Error, cli.Time, "restore", silent: call.Json);
                var report = await Backup.RestoreAsync(access, path, progress.Step, cancellation);
                progress.Dispose();
                call.Print(report, CliJson.Default.RestoreReport, (_, r) =>
                    $"{r.Database} is restored; what was there is kept as {r.Kept}\n"
                    + $"when it is of no use any more: ashlar pg psql --admin -- -c 'DROP DATABASE {r.Kept}'\n");
                return ExitCodes.Ok;
            });
    }
}
