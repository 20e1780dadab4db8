namespace Ashlar.Edge.Web;

/// <summary>A URL's path as the path of a file.</summary>
internal static class UrlPath
{
    /// <summary>Decodes what is percent-encoded. -1: it can name no file (an encoded slash, a NUL).</summary>
    /// <param name="path">As received: complete encodings, no segment that climbs.</param>
    /// <param name="decoded">At least as long.</param>
    public static int Decode(ReadOnlySpan<byte> path, Span<byte> decoded)
    {
        var length = 0;
        for (var i = 0; i < path.Length; i++)
        {
            var b = path[i];
            if (b == '%')
            {
                if (i + 2 >= path.Length || !TryHex(path[i + 1], out var high) || !TryHex(path[i + 2], out var low))
                {
                    return -1;
                }

                b = (byte)(high << 4 | low);
                i += 2;
                if (b is (byte)'/' or 0)
                {
                    return -1;
                }
            }

            decoded[length++] = b;
        }

        return length;
    }

    private static bool TryHex(byte b, out int value)
    {
        value = b switch
        {
            >= (byte)'0' and <= (byte)'9' => b - '0',
            >= (byte)'a' and <= (byte)'f' => b - 'a' + 10,
            >= (byte)'A' and <= (byte)'F' => b - 'A' + 10,
            _ => -1,
        };
        return value >= 0;
    }
}
