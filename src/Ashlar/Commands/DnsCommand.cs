using System.Collections.Immutable;
using System.CommandLine;
using System.Text;
using Ashlar.Dns.Wire;
using Ashlar.Dns.Zones;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar dns</c>, with its second word <c>check</c>.</summary>
internal static class DnsCommand
{
    public static Verb Verb { get; } = new("dns", VerbGroup.Settings, "List, add and explain the records of the stack's zones; check a master file", Create,
        "ashlar dns list", "ashlar dns add www.example.com A 192.0.2.7", "ashlar dns explain www.example.com AAAA", "ashlar dns check example.com.zone");

    private static Command Create(Cli cli)
    {
        var file = new Argument<string>("FILE") { Description = "master file of a zone" };
        var zone = new Option<string?>("--zone") { Description = "name of the zone, for a file that does not begin with $ORIGIN", HelpName = "NAME" };
        return VerbCall.Command(cli, Verb,
        [
            VerbCall.Command(cli, "check", "check a zone's master file", [file, zone], (call, cancellation) => CheckAsync(call, call.Value(file)!, call.Value(zone), cancellation)),
            .. DnsRecordCommands.Create(cli),
        ], (_, _) => throw CliErrors.Usage("dns", "it needs a second word: list, add, rm, import, check or explain."));
    }

    private static async Task<int> CheckAsync(VerbCall call, string file, string? zone, CancellationToken cancellation)
    {
        var apex = zone is null ? null : DnsName.TryParse(zone, DnsName.Root, out var name, out var mistake) ? name : throw CliErrors.Usage("dns", $"'{zone}' is no name of a zone: {mistake}.");
        var (records, mistakes) = MasterFile.Read(await ReadAsync(Path.GetFullPath(file, call.Cli.Folder), cancellation), file, apex);
        var (made, wrong) = mistakes.IsEmpty ? Zone.Of(records, file, apex) : (null, []);
        var report = new ZoneReport(made is not null, made?.Apex.ToString(), made?.Serial, made?.Records.Count() ?? records.Length, [.. mistakes, .. wrong]);
        call.Print(report, CliJson.Default.ZoneReport, Render);
        return report.Valid ? ExitCodes.Ok : ExitCodes.StackInvalid;
    }

    /// <summary>Reads a file that was named on the command line.</summary>
    public static async Task<string> ReadAsync(string path, CancellationToken cancellation)
    {
        try
        {
            return await File.ReadAllTextAsync(path, cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw File.Exists(path) ? CliErrors.NotPossible($"{path} cannot be read: {e.Message.TrimEnd('.')}.", "Make it readable for you.") : CliErrors.NoSuchPath(path);
        }
    }

    private static string Render(Screen screen, ZoneReport report)
    {
        var text = new StringBuilder();
        foreach (var mistake in report.Mistakes) text.Append(screen.Paint("error", Ink.Bad)).Append(' ').Append(mistake).Append('\n');
        return (report.Valid
            ? text.Append(screen.Paint("good", Ink.Good)).Append($": {report.Zone} serial {report.Serial}, {report.Records} records\n")
            : text.Append($"{report.Mistakes.Length} {(report.Mistakes.Length == 1 ? "mistake" : "mistakes")}\n")).ToString();
    }
}

/// <summary>What <c>dns check --json</c> writes.</summary>
/// <param name="Valid">True: it can be served.</param>
/// <param name="Zone">Its name; null: it is none.</param>
/// <param name="Serial">Number of its state; null: it has none.</param>
/// <param name="Records">Records read.</param>
/// <param name="Mistakes">All that was found.</param>
internal sealed record ZoneReport(bool Valid, string? Zone, uint? Serial, int Records, ImmutableArray<ZoneMistake> Mistakes);
