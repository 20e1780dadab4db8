namespace Ashlar.Edge.Web;

/// <summary>
/// A path as rules see it: decoded, with single slashes and without dots, so that no other spelling of <c>/admin</c> gets past a rule
/// about it. What an app may read as the same path must look the same here; a path that looks like another's is held to both rules.
/// </summary>
internal static class NormalPath
{
    /// <summary>Writes the path; returns its length.</summary>
    /// <param name="path">As received; no segment climbs.</param>
    /// <param name="destination">At least as long, and one byte more.</param>
    public static int Write(ReadOnlySpan<byte> path, Span<byte> destination)
    {
        var length = 0;
        for (var i = 0; i < path.Length; i++)
        {
            var b = path[i];
            if (b == '%' && i + 2 < path.Length && TryOctet(path[i + 1], path[i + 2], out var octet))
            {
                b = octet;
                i += 2;
            }

            b = b == '\\' ? (byte)'/' : b;
            if (b == '/')
            {
                length = EndSegment(destination, length);
                if (length > 0 && destination[length - 1] == '/')
                {
                    continue;
                }
            }

            destination[length++] = b;
        }

        return EndSegment(destination, length) is var end && end == 0 ? Slash(destination) : end;
    }

    // A segment that is a dot means nothing.
    private static int EndSegment(Span<byte> path, int length) =>
        length >= 2 && path[length - 1] == '.' && path[length - 2] == '/' ? length - 1 : length;

    private static int Slash(Span<byte> path)
    {
        path[0] = (byte)'/';
        return 1;
    }

    private static bool TryOctet(byte high, byte low, out byte octet)
    {
        octet = 0;
        return char.IsAsciiHexDigit((char)high) && char.IsAsciiHexDigit((char)low)
            && byte.TryParse([high, low], System.Globalization.NumberStyles.HexNumber, null, out octet);
    }
}
