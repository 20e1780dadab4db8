using Ashlar.Errors;

namespace Ashlar.Postgres;

/// <summary>What the lines say that a server or one of its programs has written before it ended.</summary>
internal static class LastWords
{
    private const int Most = 3;

    // What a server says before it has a log.
    private const string Early = "postgres: ";

    // What is wrong with a setting PostgreSQL says in a line of its log, and then that something was.
    private static readonly string[] Words = ["error:", "fatal:", "panic:", "invalid value for parameter", "unrecognized configuration parameter"];

    /// <summary>True: the line says what is wrong.</summary>
    public static bool Tells(string line) => line.StartsWith(Early, StringComparison.Ordinal) || Words.Any(word => line.Contains(word, StringComparison.OrdinalIgnoreCase));

    /// <summary>In our words; null: nothing that is known.</summary>
    public static AshlarError? Explain(string instance, IReadOnlyList<string> lines)
    {
        // Clients that come too early are told so in a line with their names; that is none of its own.
        var telling = lines.Where(line => Tells(line) && !line.Contains('@') && !line.Contains("STATEMENT:", StringComparison.Ordinal)).TakeLast(Most).Select(Text).ToArray();
        return telling.Length == 0 ? null : PostgresErrors.ToolFailed(instance, string.Join(" / ", telling)).Error;
    }

    // 2026-11-22 12:12:14.590 UTC [26341] FATAL:  the text
    private static string Text(string line) => line.IndexOf(":  ", StringComparison.Ordinal) is >= 0 and var at ? line[(at + 3)..] : line;
}
