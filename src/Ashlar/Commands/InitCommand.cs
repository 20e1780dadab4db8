using System.Collections.Immutable;
using System.CommandLine;
using Ashlar.Output;
using Ashlar.Stack;

namespace Ashlar.Commands;

/// <summary><c>ashlar init</c>.</summary>
internal static class InitCommand
{
    private const string FileName = "ashlar.yaml";

    public static Verb Verb { get; } = new("init", VerbGroup.Start, "Look at this folder and write a stack file that runs", Create,
        "ashlar init", "ashlar init path/to/app", "ashlar init --force");

    private static Command Create(Cli cli)
    {
        var path = new Argument<string?>("PATH") { Arity = ArgumentArity.ZeroOrOne, Description = "folder of the app; default: this folder" };
        var force = new Option<bool>("--force") { Description = "overwrite an ashlar.yaml that is there" };
        var print = new Option<bool>("--print") { Description = "print the file, write nothing" };
        return VerbCall.Command(cli, Verb, [path, force, print], (call, _) =>
        {
            var folder = StackLocation.OfPath(cli.Folder, call.Value(path) ?? call.StackPath ?? ".");
            var found = StackDetector.Look(folder) ?? throw CliErrors.NothingDetected(folder);
            var file = Path.Combine(folder, FileName);
            var report = new InitReport(found.Kind, file, found.Text, found.Reasons);
            if (call.Value(print))
            {
                call.Print(report, CliJson.Default.InitReport, (_, r) => r.Text);
                return Task.FromResult(ExitCodes.Ok);
            }

            Write(file, found.Text, call.Value(force));
            call.Print(report, CliJson.Default.InitReport, Render);
            return Task.FromResult(ExitCodes.Ok);
        });
    }

    private static void Write(string file, string text, bool force)
    {
        try
        {
            using var stream = new FileStream(file, force ? FileMode.Create : FileMode.CreateNew, FileAccess.Write);
            stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
        }
        catch (IOException) when (!force && Path.Exists(file))
        {
            throw CliErrors.FileExists(file);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw CliErrors.NotPossible($"{file} cannot be written: {e.Message.TrimEnd('.')}.", "check the folder's owner and mode, or use --print.");
        }
    }

    private static string Render(Screen screen, InitReport report) =>
        string.Concat(report.Reasons.Select(reason => $"  {reason}\n"))
        + $"wrote {screen.Paint(report.File, Ink.Strong)} for a {report.Kind} app\n{screen.Paint("next:", Ink.Strong)} ashlar up\n";
}

/// <summary>What <c>init --json</c> writes.</summary>
/// <param name="Kind">What was found: <c>Procfile</c>, <c>Django</c>, <c>Node</c>, …</param>
/// <param name="File">Path of the stack file.</param>
/// <param name="Text">Its text.</param>
/// <param name="Reasons">Why it says what it says.</param>
internal sealed record InitReport(string Kind, string File, string Text, ImmutableArray<string> Reasons);
