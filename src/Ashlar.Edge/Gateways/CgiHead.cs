using Ashlar.Http.Transport;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Gateways;

/// <summary>
/// Makes an HTTP head of the one that a script answers with (RFC 3875 section 6): the Status field becomes the status line, a Location
/// without one a 302, and lines may end with LF alone. Whether the fields are valid is left to <see cref="ResponseHead"/>.
/// </summary>
internal static class CgiHead
{
    /// <summary>Looks for the end of the head.</summary>
    /// <param name="data">What the script has said so far.</param>
    /// <param name="limits">What a head may cost.</param>
    /// <param name="length">Length of the head with its empty line, when it is complete.</param>
    public static ParseStatus Find(ReadOnlySpan<byte> data, HttpLimits limits, out int length)
    {
        length = 0;
        var start = 0;
        var window = data[..Math.Min(data.Length, limits.MaxHeadBytes)];
        while (window[start..].IndexOf((byte)'\n') is var feed and >= 0)
        {
            var line = Line(window.Slice(start, feed));
            start += feed + 1;
            if (line.IsEmpty)
            {
                length = start;
                return ParseStatus.Done;
            }
        }

        return data.Length >= limits.MaxHeadBytes ? ParseStatus.Bad : ParseStatus.NeedMore;
    }

    /// <summary>Writes the HTTP head. False: it is none of a script.</summary>
    /// <param name="head">The script's head, by <see cref="Find"/>.</param>
    /// <param name="destination">Empty, and with room for a line more, and for a byte more in each line.</param>
    public static bool Translate(ReadOnlySpan<byte> head, PooledBuffer destination)
    {
        if (!ReadStatus(head, out var status, out var hasLocation, out var fields) || fields == 0)
        {
            return false;
        }

        destination.Append("HTTP/1.1 "u8);
        destination.Append(!status.IsEmpty ? status : hasLocation ? "302 Found"u8 : "200 OK"u8);
        destination.Append("\r\n"u8);
        while (Next(ref head, out var line))
        {
            if (!IsAboutConnection(line))
            {
                destination.Append(line);
                destination.Append("\r\n"u8);
            }
        }

        destination.Append("\r\n"u8);
        return true;
    }

    /// <summary>The status that a script answers with; 0: this is no head of a script.</summary>
    /// <param name="head">The script's head, by <see cref="Find"/>.</param>
    public static int StatusOf(ReadOnlySpan<byte> head) =>
        !ReadStatus(head, out var status, out var hasLocation, out var fields) || fields == 0 ? 0
        : status.IsEmpty ? hasLocation ? 302 : 200
        : int.Parse(status[..3], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture);

    private static bool ReadStatus(ReadOnlySpan<byte> head, out ReadOnlySpan<byte> status, out bool hasLocation, out int fields)
    {
        status = default;
        hasLocation = false;
        fields = 0;
        while (Next(ref head, out var line))
        {
            fields++;
            hasLocation |= Is(line, "location"u8);
            if (!Is(line, "status"u8))
            {
                continue;
            }

            // The status of a final answer: a script has no way to send a head before its head.
            ReadOnlySpan<byte> value = Trim(line[7..]);
            var isStatus = value.Length >= 3 && value[0] is >= (byte)'2' and <= (byte)'9' && char.IsAsciiDigit((char)value[1]) && char.IsAsciiDigit((char)value[2])
                && (value.Length == 3 || value[3] == ' ');
            if (!isStatus || !status.IsEmpty)
            {
                return false;
            }

            status = value;
        }

        return true;
    }

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text)
    {
        while (text is [(byte)' ' or (byte)'\t', ..])
        {
            text = text[1..];
        }

        while (text is [.., (byte)' ' or (byte)'\t'])
        {
            text = text[..^1];
        }

        return text;
    }

    // How connections are used is between us and the server; the status is said already.
    private static bool IsAboutConnection(ReadOnlySpan<byte> line) =>
        Is(line, "status"u8) || Is(line, "connection"u8) || Is(line, "keep-alive"u8) || Is(line, "transfer-encoding"u8) || Is(line, "trailer"u8)
        || Is(line, "upgrade"u8);

    private static bool Is(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name) =>
        line.Length > name.Length && line[name.Length] == ':' && System.Text.Ascii.EqualsIgnoreCase(line[..name.Length], name);

    private static bool Next(scoped ref ReadOnlySpan<byte> head, out ReadOnlySpan<byte> line)
    {
        var feed = head.IndexOf((byte)'\n');
        line = feed < 0 ? default : Line(head[..feed]);
        head = feed < 0 ? default : head[(feed + 1)..];
        return !line.IsEmpty;
    }

    private static ReadOnlySpan<byte> Line(ReadOnlySpan<byte> line) => line is [.., (byte)'\r'] ? line[..^1] : line;
}
