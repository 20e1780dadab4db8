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
    /// Gives each line its place and leaves out what is older than <paramref name="since"/>. A line without a time belongs to the one
    /// before it; where no line has one, all are taken to be written when the last was.
    /// </summary>
    /// <param name="lines">Of one log, oldest first.</param>
    /// <param name="since">Null: all are kept.</param>
    /// <param name="lastWrite">When the log was last written.</param>
    public static IEnumerable<InstanceLine> Complete(IReadOnlyList<InstanceLine> lines, DateTimeOffset? since, DateTimeOffset lastWrite)
    {
        var place = lines.FirstOrDefault(line => line.Time is not null)?.Time ?? lastWrite;
        var begun = since is null;
        foreach (var line in lastWrite < since ? [] : lines)
        {
            place = line.Time ?? place;
            begun |= place >= since;
            if (begun) yield return line with { Place = place };
        }
    }

    [GeneratedRegex(@"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?", RegexOptions.CultureInvariant)]
    private static partial Regex Iso();
}
