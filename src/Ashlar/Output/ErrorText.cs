using System.Text.Json;
using Ashlar.Errors;

namespace Ashlar.Output;

/// <summary>How errors are shown: <c>error ASH6011 (cli): cause</c>, and beneath it what to do next.</summary>
internal static class ErrorText
{
    /// <summary>Writes the error and gives the exit code that belongs to it.</summary>
    public static int Write(Screen screen, AshlarError error, bool json)
    {
        var exitCode = ExitCodes.Of(error);
        if (json)
        {
            var report = new ErrorReport(error.Code, error.Tier, error.Message, error.NextStep, exitCode);
            screen.Line(JsonSerializer.Serialize(report, CliJson.Default.ErrorReport));
        }
        else
        {
            screen.Write(Render(screen, error));
        }

        return exitCode;
    }

    /// <summary>The two lines of what keeps nothing from being done.</summary>
    public static string Warning(Screen screen, AshlarError error) => Render(screen, error, "warning", Ink.Warning);

    /// <summary>The two lines.</summary>
    public static string Render(Screen screen, AshlarError error) => Render(screen, error, "error", Ink.Bad);

    private static string Render(Screen screen, AshlarError error, string word, Ink ink)
    {
        var text = $"{screen.Paint($"{word} {error.Code}", ink)} ({error.Tier}): {error.Message}\n";
        return error.NextStep.Length > 0 ? $"{text}{screen.Paint("next:", Ink.Strong)} {error.NextStep}\n" : text;
    }
}
