namespace Ashlar.Edge.Web;

/// <summary>
/// A path as rules see it: decoded, with single slashes and without dots, so that no other spelling of <c>/admin</c> gets past a rule
/// about it. What an app may read as the same path must look the same here; a path that looks like another's is held to both rules.
/// </summary>
internal static class NormalPath
{
    private static readonly byte[][] _scripts = [".php/"u8.ToArray(), ".cgi/"u8.ToArray()];

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

            Append(b == '\\' ? (byte)'/' : b, destination, ref length);
        }

        return End(destination, length);
    }

    /// <summary>Writes the path as servlet containers read it, without the parameters of its segments; returns its length.</summary>
    /// <param name="path">Written by <see cref="Write"/>.</param>
    /// <param name="destination">At least as long, and one byte more.</param>
    public static int WriteWithoutParameters(ReadOnlySpan<byte> path, Span<byte> destination)
    {
        var length = 0;
        var isParameter = false;
        foreach (var b in path)
        {
            isParameter = b != '/' && (isParameter || b == ';');
            if (!isParameter)
            {
                Append(b, destination, ref length);
            }
        }

        return End(destination, length);
    }

    /// <summary>What lies behind a script in a path, with its slash; empty: nothing does.</summary>
    public static ReadOnlySpan<byte> BehindScript(ReadOnlySpan<byte> path)
    {
        foreach (var ending in _scripts)
        {
            if (path.IndexOf(ending) is var at and > 0)
            {
                return path[(at + ending.Length - 1)..];
            }
        }

        return default;
    }

    private static void Append(byte b, Span<byte> path, ref int length)
    {
        if (b == '/')
        {
            length = EndSegment(path, length);
            if (length > 0 && path[length - 1] == '/')
            {
                return;
            }
        }

        path[length++] = b;
    }

    private static int End(Span<byte> path, int length) => EndSegment(path, length) is var end && end == 0 ? Slash(path) : end;

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
