using System.CommandLine;
using Ashlar.Output;
using Ashlar.Postgres.Administration;

namespace Ashlar.Commands;

/// <summary><c>ashlar pg backup</c>.</summary>
internal static class PgBackup
{
    public static Command Create(Cli cli)
    {
        var file = new Argument<string?>("FILE") { Arity = ArgumentArity.ZeroOrOne, Description = "where to; default: the database and the time, in this folder" };
        var drill = new Option<bool>("--drill") { Description = "also restore it into a database of its own, which is dropped again" };
        return VerbCall.Command(cli, "backup", "dump the database into one file and read it back", [file, drill], async (call, cancellation) =>
        {
            var access = await PgCommand.AccessAsync(call, cancellation);
            var path = Path.GetFullPath(call.Value(file) ?? Backup.NameOf(access.Database, cli.Time.GetUtcNow()), cli.Folder);
            using var progress = new Progress(cli.Error, cli.Time, "backup", silent: call.Json);
            var report = await Backup.MakeAsync(access, path, call.Value(drill), progress.Step, cancellation);
            progress.Dispose();
            call.Print(report, CliJson.Default.BackupReport, (_, r) =>
                $"{r.File}: {Units.Bytes(r.Bytes)}, {r.Tables} {(r.Tables == 1 ? "table" : "tables")}\nverified: {r.Verified}\n");
            return ExitCodes.Ok;
        });
    }
}
