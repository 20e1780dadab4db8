namespace Ashlar.Errors;

/// <summary>
/// An error as the two lines that the command line shows. A program that prepares an engine writes them to its log when it cannot, and
/// the agent reads them back: so whoever waits for the engine is told the error itself.
/// </summary>
public static class ErrorLines
{
    private const string First = "error ";
    private const string Second = "next: ";

    /// <summary><c>error ASH7101 (cache): …</c> and beneath it <c>next: …</c>.</summary>
    public static string Write(AshlarError error) =>
        $"{First}{error.Code} ({error.Tier}): {OneLine(error.Message)}\n{Second}{OneLine(error.NextStep)}\n";

    /// <summary>The last error that stands in these lines; null: none does.</summary>
    public static AshlarError? Find(IReadOnlyList<string> lines)
    {
        for (var i = lines.Count - 1; i >= 0; i--)
        {
            if (Read(lines[i]) is { } error)
            {
                return i + 1 < lines.Count && lines[i + 1].StartsWith(Second, StringComparison.Ordinal)
                    ? error with { NextStep = lines[i + 1][Second.Length..] }
                    : error;
            }
        }

        return null;
    }

    private static AshlarError? Read(string line)
    {
        const int codeLength = 7;
        var after = First.Length + codeLength;
        if (!line.StartsWith($"{First}ASH", StringComparison.Ordinal) || line.Length <= after || !line.AsSpan(after).StartsWith(" ("))
        {
            return null;
        }

        var end = line.IndexOf("): ", after, StringComparison.Ordinal);
        return end < 0 ? null : new AshlarError(line[First.Length..after], line[(after + 2)..end], line[(end + 3)..], "");
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
