using System.Globalization;

namespace Ashlar.Logs;

/// <summary>A line of a log.</summary>
/// <param name="Instance">Who wrote it.</param>
/// <param name="Text">The line.</param>
/// <param name="Time">When it was written, to about a second; null: not known.</param>
internal sealed record InstanceLine(string Instance, string Text, DateTimeOffset? Time)
{
    /// <summary>How wide a time is shown.</summary>
    public const int TimeWidth = 24;

    /// <summary>Its place among the lines of other logs: its time, or the best guess.</summary>
    public DateTimeOffset Place { get; init; } = Time ?? DateTimeOffset.MinValue;

    /// <summary>The time for people and programs: <c>2026-03-14T15:09:26.535Z</c>; null: not known.</summary>
    public string? TimeText => Time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>True: it goes on with what the line before says (a stack trace, an indented block).</summary>
    public bool Continues => Text is [' ' or '\t', ..];
}
