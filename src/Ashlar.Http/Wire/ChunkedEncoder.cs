namespace Ashlar.Http.Wire;

/// <summary>Writes chunked framing (RFC 9112 section 7.1).</summary>
public static class ChunkedEncoder
{
    /// <summary>Most bytes <see cref="WriteHead"/> writes.</summary>
    public const int MaxHeadLength = 10;

    /// <summary>Stands behind the data of a chunk.</summary>
    public static ReadOnlySpan<byte> ChunkEnd => "\r\n"u8;

    /// <summary>The last chunk and the end of the body, without trailers.</summary>
    public static ReadOnlySpan<byte> End => "0\r\n\r\n"u8;

    /// <summary>The last chunk alone: trailer lines, each with CRLF, and a CRLF follow.</summary>
    public static ReadOnlySpan<byte> LastChunk => "0\r\n"u8;

    /// <summary>Writes the line before a chunk's data.</summary>
    /// <param name="destination">At least <see cref="MaxHeadLength"/> bytes.</param>
    /// <param name="length">Length of the data, above 0: a chunk of 0 would end the body.</param>
    /// <returns>How many bytes were written.</returns>
    public static int WriteHead(Span<byte> destination, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        length.TryFormat(destination, out var written, "x");
        destination[written] = (byte)'\r';
        destination[written + 1] = (byte)'\n';
        return written + 2;
    }

    /// <summary>Writes the line before a chunk's data with zeros in front, so that its place can be kept free: 6 bytes.</summary>
    internal static void WritePaddedHead(Span<byte> destination, int length)
    {
        for (var i = 3; i >= 0; i--)
        {
            destination[i] = "0123456789abcdef"u8[length & 15];
            length >>= 4;
        }

        destination[4] = (byte)'\r';
        destination[5] = (byte)'\n';
    }
}
