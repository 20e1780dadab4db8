using System.Collections.Immutable;
using System.CommandLine;
using Ashlar.Output;
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
        return VerbCall.Command(cli, Verb, [path], (call, _) =>
        {
            var result = StackLoader.Load(Path.GetFullPath(call.Value(path) ?? call.StackPath ?? ".", cli.Folder));
            var report = new CheckReport(result.Stack is not null, result.Diagnostics);
            call.Print(report, CliJson.Default.CheckReport, (screen, r) =>
                StackFile.Render(screen, r.Diagnostics, cli.Folder) + Verdict(screen, result));
            return Task.FromResult(report.Valid ? ExitCodes.Ok : ExitCodes.StackInvalid);
        });
    }

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
