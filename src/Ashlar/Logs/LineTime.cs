using System.Globalization;
using System.Text.RegularExpressions;

namespace Ashlar.Logs;

/// <summary>The time that a line begins with, where its app writes one.</summary>
internal static partial class LineTime
{
    /// <summary>ISO 8601 within the first 40 characters, UTC if no zone stands there; null if there is none.</summary>
    public static DateTimeOffset? Of(string line)
    {
        var match = Iso().Match(line.Length > 40 ? line[..40] : line);
        return match.Success && DateTimeOffset.TryParse(match.Value.Replace(',', '.'), CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;
    }

    /// <summary>
    /// The lines from <paramref name="since"/> on. A line without a time belongs to the one before it; where no line has one,
    /// all are kept if the last was written since.
    /// </summary>
    public static IEnumerable<string> Since(IReadOnlyList<string> lines, DateTimeOffset since, DateTimeOffset lastWrite)
    {
        if (lastWrite < since) return [];
        var times = lines.Select(Of).ToList();
        if (times.All(time => time is null)) return lines;
        var first = times.FindIndex(time => time >= since);
        return first < 0 ? [] : lines.Skip(first);
    }

    [GeneratedRegex(@"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?", RegexOptions.CultureInvariant)]
    private static partial Regex Iso();
}
