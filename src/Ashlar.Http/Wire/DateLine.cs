using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Ashlar.Http.Wire;

/// <summary>
/// A Date line (RFC 9110 section 5.6.7), formatted once a second at most. Keep one per loop, in a field: it changes itself.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public struct DateLine
{
    private const int Length = 37; // "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

    private Text _text;
    private long _second;

    /// <summary>The line with its CRLF; valid until the next call.</summary>
    /// <param name="unixMilliseconds">The time, in milliseconds since 1970, UTC.</param>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public ReadOnlySpan<byte> At(long unixMilliseconds)
    {
        var second = unixMilliseconds / 1000;
        if (second != _second)
        {
            _second = second;
            Span<char> line = stackalloc char[Length];
            var time = DateTimeOffset.FromUnixTimeSeconds(second);
            line.TryWrite(CultureInfo.InvariantCulture, $"Date: {time:R}\r\n", out _);
            Encoding.ASCII.GetBytes(line, _text);
        }

        return _text;
    }

    [InlineArray(Length)]
    private struct Text
    {
        private byte _first;
    }
}
