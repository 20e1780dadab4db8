using Ashlar.Output;
using Ashlar.Stack;

namespace Ashlar;

/// <summary>Loads the stack file for a verb, and says what is wrong with it.</summary>
internal static class StackFile
{
    /// <summary>The stack of a path. Warnings are shown; mistakes are all shown, then the verb ends.</summary>
    /// <exception cref="Errors.AshlarException">There is no file (ASH6014, ASH6027), or it has mistakes (ASH10xx, ASH6028).</exception>
    public static StackDefinition Require(VerbCall call, string path)
    {
        var full = Path.GetFullPath(path, call.Cli.Folder);
        if (!Path.Exists(full)) throw CliErrors.NoSuchPath(full);
        var result = StackLoader.Load(full);
        if (call.Json) return result.Require();
        if (result.Errors.Any(error => error.Code == "ASH1002")) throw CliErrors.NoStack(full);
        call.Cli.Error.Write(Render(call.Cli.Error, result.Diagnostics, call.Cli.Folder));
        return result.Stack ?? throw CliErrors.StackInvalid(result.Errors.Count());
    }

    /// <summary>The diagnostics as compilers write them, paths relative to where the reader is.</summary>
    public static string Render(Screen screen, IEnumerable<Diagnostic> diagnostics, string folder) => string.Concat(diagnostics.Select(diagnostic =>
    {
        var (ink, word) = diagnostic.Severity switch
        {
            DiagnosticSeverity.Error => (Ink.Bad, "error"),
            DiagnosticSeverity.Warning => (Ink.Warning, "warning"),
            _ => (Ink.Dim, "note"),
        };
        var text = (diagnostic with { File = Shorten(diagnostic.File, folder) }).ToString();
        return text.Replace($" {word} {diagnostic.Code}", " " + screen.Paint($"{word} {diagnostic.Code}", ink)) + "\n";
    }));

    private static string Shorten(string file, string folder) =>
        file.StartsWith(folder + "/", StringComparison.Ordinal) ? Path.GetRelativePath(folder, file) : file;
}
