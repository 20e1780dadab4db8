using Ashlar.Errors;

namespace Ashlar.Postgres;

/// <summary>What a server's last lines say when it ends before it was ready.</summary>
internal static class LastWords
{
    /// <summary>In our words; null: nothing that is known.</summary>
    public static AshlarError? Explain(string instance, IReadOnlyList<string> lines)
    {
        var fatal = lines.LastOrDefault(line => line.Contains("FATAL:", StringComparison.Ordinal) || line.Contains("PANIC:", StringComparison.Ordinal));
        return fatal is null ? null : PostgresErrors.ToolFailed(instance, fatal[(fatal.IndexOf(":  ", StringComparison.Ordinal) is >= 0 and var at ? at + 3 : 0)..]).Error;
    }
}
