using System.Collections.Immutable;
using System.CommandLine;
using Ashlar.Dns;
using Ashlar.Dns.Tier;
using Ashlar.Dns.Zones;
using Ashlar.Edge;
using Ashlar.Errors;
using Ashlar.Output;
using Ashlar.Postgres;
using Ashlar.Stack;

namespace Ashlar.Commands;

/// <summary><c>ashlar check</c>.</summary>
internal static class CheckCommand
{
    public static Verb Verb { get; } = new("check", VerbGroup.Start, "Check the stack file and say all its mistakes", Create,
        "ashlar check", "ashlar check examples/two-apps", "ashlar check --json");

    private static Command Create(Cli cli)
    {
        var path = new Argument<string?>("PATH")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "folder of the stack, or its file; default: this folder",
        };
        return VerbCall.Command(cli, Verb, [path], async (call, cancellation) =>
        {
            var result = await JudgeAsync(StackLoader.Load(Path.GetFullPath(call.Value(path) ?? call.StackPath ?? ".", cli.Folder)), cancellation);
            var report = new CheckReport(result.Stack is not null, result.Diagnostics);
            call.Print(report, CliJson.Default.CheckReport, (screen, r) =>
                StackFile.Render(screen, r.Diagnostics, cli.Folder) + Verdict(screen, result));
            return report.Valid ? ExitCodes.Ok : ExitCodes.StackInvalid;
        });
    }

    /// <summary>What the tiers would say that know their keys: the database of its settings, if this machine has one, DNS of its zones, and the edge of its files.</summary>
    private static async Task<StackLoadResult> JudgeAsync(StackLoadResult result, CancellationToken cancellation)
    {
        if (result.Stack is not { } stack) return result;
        var settings = (await PostgresTier.MistakesAsync(stack, cancellation)).Select(m => result.At($"database.settings.{m.Name}", m.Error, stack.Directory));
        var zones = (stack.Dns?.Zones ?? []).SelectMany(zone => DnsPlan.Judge(stack, zone).Select(mistake => OfZone(result, stack, zone, mistake)));
        Diagnostic[] mistakes = [.. settings, .. zones, .. await OfEdgeAsync(result, stack, cancellation)];
        return mistakes.Length == 0 ? result : result with { Stack = null, Diagnostics = [.. result.Diagnostics, .. mistakes] };
    }

    private static async Task<Diagnostic[]> OfEdgeAsync(StackLoadResult result, StackDefinition stack, CancellationToken cancellation)
    {
        try
        {
            await EdgePlan.RequireAsync(stack, cancellation);
            return [];
        }
        catch (AshlarException e)
        {
            return [result.At("edge.tls.authority_ca", e.Error, stack.Directory)];
        }
    }

    private static Diagnostic OfZone(StackLoadResult result, StackDefinition stack, DnsZoneDefinition zone, ZoneMistake mistake) => mistake.Source == zone.File
        ? new Diagnostic(Path.GetFullPath(mistake.Source, stack.Directory), mistake.Line, mistake.Column, DiagnosticSeverity.Error, ZoneCode, mistake.Text, null)
        : result.At(mistake.Source, DnsErrors.ZoneBroken(zone.Name, [mistake.Text]).Error, stack.Directory);

    private static readonly string ZoneCode = DnsErrors.ZoneBroken("", [""]).Error.Code;

    private static string Verdict(Screen screen, StackLoadResult result)
    {
        if (result.Stack is not { } stack) return $"{result.Errors.Count()} {(result.Errors.Count() == 1 ? "mistake" : "mistakes")}\n";
        var services = stack.Services.Select(service => service.Instances == 1 ? service.Name : $"{service.Name}={service.Instances}");
        return $"{screen.Paint("good", Ink.Good)}: {stack.Name} with {string.Join(", ", services)}\n";
    }
}

/// <summary>What <c>check --json</c> writes.</summary>
/// <param name="Valid">True: the stack can be brought up.</param>
/// <param name="Diagnostics">All that was found.</param>
internal sealed record CheckReport(bool Valid, ImmutableArray<Diagnostic> Diagnostics);
