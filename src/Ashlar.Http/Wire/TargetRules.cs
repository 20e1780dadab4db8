namespace Ashlar.Http.Wire;

/// <summary>
/// What a path may hold. A path is routed and forwarded as the very bytes that came; those that an app could read as
/// another path than the one that was routed are refused.
/// </summary>
internal static class TargetRules
{
    /// <summary>The problem with a path, or null.</summary>
    /// <param name="path">Visible ASCII, from the first slash up to the query.</param>
    public static HttpProblem? Check(ReadOnlySpan<byte> path) =>
        path.ContainsAny((byte)'%', (byte)'\\') ? CheckSlowly(path)
        : path.IndexOf("/.."u8) >= 0 && Climbs(path) ? HttpProblem.PathClimbs
        : null;

    private static HttpProblem? CheckSlowly(ReadOnlySpan<byte> path)
    {
        for (var i = 0; i < path.Length; i++)
        {
            if (path[i] == '\\')
            {
                return HttpProblem.PathEncoding;
            }

            if (path[i] == '%')
            {
                var value = Octet(path, i);
                if (value is < 0 or 0 or '\r' or '\n' || IsOverlong(value, Octet(path, i + 3)))
                {
                    return HttpProblem.PathEncoding;
                }
            }
        }

        return Climbs(path) ? HttpProblem.PathClimbs : null;
    }

    /// <summary>
    /// Whether a segment is <c>..</c> in any spelling: with encoded dots, between encoded slashes or backslashes, or
    /// with a parameter behind it (<c>..;x</c>, which servlet containers strip before they resolve it).
    /// </summary>
    private static bool Climbs(ReadOnlySpan<byte> path)
    {
        var dots = 0;
        var onlyDots = false;
        for (var i = 0; i < path.Length; i++)
        {
            int b = path[i];
            if (b == '%')
            {
                b = Octet(path, i);
                i += 2;
            }

            switch (b)
            {
                case '/' or '\\' or ';':
                    if (onlyDots && dots == 2)
                    {
                        return true;
                    }

                    onlyDots = b != ';';
                    dots = 0;
                    break;
                case '.':
                    dots++;
                    break;
                default:
                    onlyDots = false;
                    break;
            }
        }

        return onlyDots && dots == 2;
    }

    /// <summary>The octet encoded at an offset, or -1.</summary>
    private static int Octet(ReadOnlySpan<byte> path, int at)
    {
        if (at + 2 >= path.Length || path[at] != '%')
        {
            return -1;
        }

        var high = Bytes.Hex(path[at + 1]);
        var low = Bytes.Hex(path[at + 2]);
        return high < 0 || low < 0 ? -1 : high << 4 | low;
    }

    /// <summary>Whether two octets begin a UTF-8 sequence longer than its character needs: <c>%c0%af</c> for a slash.</summary>
    private static bool IsOverlong(int lead, int next) => next is >= 0x80 and <= 0xbf && lead switch
    {
        0xc0 or 0xc1 => true,
        0xe0 => next < 0xa0,
        0xf0 => next < 0x90,
        _ => false,
    };
}
