using System.Globalization;

namespace Ashlar.Dns.Wire;

/// <summary>Times in seconds as master files have them: <c>3600</c>, <c>1h30m</c>, <c>2w</c>.</summary>
internal static class MasterTime
{
    private const long Most = int.MaxValue;

    /// <summary>The seconds, 0 to 2³¹ − 1; null: it is none.</summary>
    public static uint? Parse(string text)
    {
        if (text.Length == 0 || !char.IsAsciiDigit(text[0]))
        {
            return null;
        }

        long sum = 0, number = 0;
        var digits = false;
        foreach (var c in text)
        {
            if (char.IsAsciiDigit(c))
            {
                (number, digits) = ((number * 10) + (c - '0'), true);
            }
            else if (digits && Unit(c) is { } unit)
            {
                (sum, number, digits) = (sum + (number * unit), 0, false);
            }
            else
            {
                return null;
            }

            if (number > Most || sum > Most)
            {
                return null;
            }
        }

        return sum + number <= Most ? (uint)(sum + number) : null;
    }

    private static int? Unit(char c) => char.ToLower(c, CultureInfo.InvariantCulture) switch
    {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        'w' => 604800,
        _ => null,
    };
}

/// <summary>A word of a master file.</summary>
/// <param name="Text">It, with its escapes and without its quotes.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
/// <param name="IsQuoted">True: it stood in quotes.</param>
internal readonly record struct MasterWord(string Text, int Line, int Column, bool IsQuoted);
