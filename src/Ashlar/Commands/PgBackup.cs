using System.CommandLine;
using Ashlar.Output;
using Ashlar.Postgres.Administration;

namespace Ashlar.Commands;

/// <summary><c>ashlar pg backup</c>.</summary>
internal static class PgBackup
{
    public static Command Create(Cli cli)
    {
        var file = new Argument<string?>("FILE") { Arity = ArgumentArity.ZeroOrOne, Description = "where to; default: the database and the time, in .ashlar/backups" };
        var force = new Option<bool>("--force") { Description = "replace a file that is there" };
        var drill = new Option<bool>("--drill") { Description = "also restore it into a database of its own, which is dropped again" };
        return VerbCall.Command(cli, "backup", "dump the database into one file and read it back", [file, force, drill], async (call, cancellation) =>
        {
            var access = await PgCommand.AccessAsync(call, cancellation);
            var path = call.Value(file) is { } named
                ? Path.GetFullPath(named, cli.Folder)
                : Path.Combine(Backup.Folder(call.StackFolder), Backup.NameOf(access.Database, cli.Time.GetUtcNow()));
            using var progress = new Progress(cli.Error, cli.Time, "backup", silent: call.Json);
            var report = await Backup.MakeAsync(access, path, call.Value(force), call.Value(drill), progress.Step, cancellation);
            progress.Dispose();
            call.Print(report, CliJson.Default.BackupReport, (_, r) =>
                $"{r.File}: {Units.Bytes(r.Bytes)}, {r.Tables} {(r.Tables == 1 ? "table" : "tables")}\nverified: {r.Verified}\n");
            if (Backup.Shipped(call.StackFolder, path) is { } shipped) cli.Error.Line($"warning {shipped.Code}: {shipped.Message} {shipped.NextStep}");
            return ExitCodes.Ok;
        });
    }
}
