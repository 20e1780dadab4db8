using System.Globalization;

namespace Ashlar.Postgres;

/// <summary>What <c>pg_controldata</c> says of a data folder.</summary>
/// <param name="SystemIdentifier">Made by initdb; copies have the same.</param>
/// <param name="Timeline">Timeline of the latest checkpoint.</param>
/// <param name="Redo">Log position from which recovery would begin.</param>
/// <param name="Values">All lines, by what stands before the colon.</param>
internal sealed record ControlData(ulong SystemIdentifier, int Timeline, LogPosition Redo, IReadOnlyDictionary<string, string> Values)
{
    /// <summary>Reads the text; null if it is not what <c>pg_controldata</c> writes.</summary>
    public static ControlData? Parse(string text)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n'))
        {
            var colon = line.IndexOf(':');
            if (colon > 0)
            {
                values[line[..colon].Trim()] = line[(colon + 1)..].Trim();
            }
        }

        return ulong.TryParse(values.GetValueOrDefault("Database system identifier"), NumberStyles.None, CultureInfo.InvariantCulture, out var system)
            && int.TryParse(values.GetValueOrDefault("Latest checkpoint's TimeLineID"), NumberStyles.None, CultureInfo.InvariantCulture, out var timeline)
            && LogPosition.TryParse(values.GetValueOrDefault("Latest checkpoint's REDO location"), out var redo)
            ? new ControlData(system, timeline, redo, values) : null;
    }

    /// <summary>True: the server ended in order, and no recovery lies before its next start.</summary>
    public bool EndedInOrder => Values.GetValueOrDefault("Database cluster state") == "shut down";

    /// <summary>A number that stands there; 0 if it does not.</summary>
    public int Number(string name) => int.TryParse(Values.GetValueOrDefault(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}

/// <summary>A position in the write-ahead log (<c>pg_lsn</c>): bytes since its beginning.</summary>
internal readonly record struct LogPosition(ulong Bytes) : IComparable<LogPosition>
{
    /// <inheritdoc />
    public int CompareTo(LogPosition other) => Bytes.CompareTo(other.Bytes);

    /// <summary>Reads <c>16/B374D848</c>.</summary>
    public static bool TryParse(string? text, out LogPosition position)
    {
        position = default;
        var slash = text?.IndexOf('/') ?? -1;
        if (slash is < 1 or > 8 || text!.Length - slash - 1 is < 1 or > 8
            || !uint.TryParse(text.AsSpan(0, slash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            || !uint.TryParse(text.AsSpan(slash + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low))
        {
            return false;
        }

        position = new LogPosition(((ulong)high << 32) | low);
        return true;
    }

    /// <inheritdoc />
    public override string ToString() => $"{Bytes >> 32:X}/{Bytes & 0xFFFFFFFF:X}";
}
