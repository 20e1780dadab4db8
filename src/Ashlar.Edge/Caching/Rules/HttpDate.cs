using System.Globalization;
using System.Text;

namespace Ashlar.Edge.Caching.Rules;

/// <summary>HTTP-date in its three forms (RFC 9110 section 5.6.7), in seconds since 1970.</summary>
internal static class HttpDate
{
    /// <summary>Length of the form that is written.</summary>
    public const int Length = 29;

    private const int LongestText = 40;

    /// <summary>Reads a date; false if it is none of the three forms.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out long seconds)
    {
        seconds = 0;
        if (text.Length is < 24 or > LongestText)
        {
            return false;
        }

        var comma = text.IndexOf((byte)',');
        return comma switch
        {
            3 => TryFixed(text, out seconds),
            > 3 => TryRfc850(text[(comma + 1)..], out seconds),
            _ => TryAsctime(text, out seconds),
        };
    }

    /// <summary>Writes the preferred form, <see cref="Length"/> bytes.</summary>
    public static void Write(Span<byte> destination, long seconds)
    {
        Span<char> text = stackalloc char[Length];
        DateTimeOffset.FromUnixTimeSeconds(seconds).TryFormat(text, out _, "R", CultureInfo.InvariantCulture);
        Encoding.ASCII.GetBytes(text, destination);
    }

    // Sun, 06 Nov 1994 08:49:37 GMT
    private static bool TryFixed(ReadOnlySpan<byte> text, out long seconds)
    {
        seconds = 0;
        return text.Length == Length && text[4] == ' ' && text[7] == ' ' && text[11] == ' ' && text[16] == ' '
            && FieldText.Is(text[25..], " gmt"u8)
            && TryNumber(text.Slice(5, 2), out var day) && TryMonth(text.Slice(8, 3), out var month) && TryNumber(text.Slice(12, 4), out var year)
            && TryTime(text.Slice(17, 8), out var time) && TryJoin(year, month, day, time, out seconds);
    }

    // Sunday, 06-Nov-94 08:49:37 GMT: a year more than 50 years ahead is of the last century
    private static bool TryRfc850(ReadOnlySpan<byte> text, out long seconds)
    {
        seconds = 0;
        if (text.Length != 23 || text[0] != ' ' || text[3] != '-' || text[7] != '-' || text[10] != ' ' || !FieldText.Is(text[19..], " gmt"u8)
            || !TryNumber(text.Slice(1, 2), out var day) || !TryMonth(text.Slice(4, 3), out var month) || !TryNumber(text.Slice(8, 2), out var year)
            || !TryTime(text.Slice(11, 8), out var time))
        {
            return false;
        }

        var now = DateTime.UtcNow.Year;
        year += now / 100 * 100;
        return TryJoin(year > now + 50 ? year - 100 : year, month, day, time, out seconds);
    }

    // Sun Nov  6 08:49:37 1994
    private static bool TryAsctime(ReadOnlySpan<byte> text, out long seconds)
    {
        seconds = 0;
        return text.Length == 24 && text[3] == ' ' && text[7] == ' ' && text[10] == ' ' && text[19] == ' '
            && TryMonth(text.Slice(4, 3), out var month) && TryNumber(text[8] == ' ' ? text.Slice(9, 1) : text.Slice(8, 2), out var day)
            && TryTime(text.Slice(11, 8), out var time) && TryNumber(text.Slice(20, 4), out var year) && TryJoin(year, month, day, time, out seconds);
    }

    private static bool TryNumber(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        foreach (var b in text)
        {
            if (b is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            value = value * 10 + (b - '0');
        }

        return true;
    }

    private static bool TryMonth(ReadOnlySpan<byte> text, out int month)
    {
        ReadOnlySpan<byte> names = "janfebmaraprmayjunjulaugsepoctnovdec"u8;
        for (month = 1; month <= 12; month++)
        {
            if (FieldText.Is(text, names.Slice((month - 1) * 3, 3)))
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryTime(ReadOnlySpan<byte> text, out int seconds)
    {
        seconds = 0;
        if (text[2] != ':' || text[5] != ':' || !TryNumber(text[..2], out var hour) || !TryNumber(text.Slice(3, 2), out var minute)
            || !TryNumber(text.Slice(6, 2), out var second) || hour > 23 || minute > 59 || second > 60)
        {
            return false;
        }

        seconds = hour * 3600 + minute * 60 + Math.Min(second, 59);
        return true;
    }

    private static bool TryJoin(int year, int month, int day, int time, out long seconds)
    {
        seconds = 0;
        if (year is < 1 or > 9999 || day < 1 || day > DateTime.DaysInMonth(year, month))
        {
            return false;
        }

        seconds = (new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc) - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond + time;
        return true;
    }
}
