using System.Globalization;

namespace Ashlar.Edge.Logging;

/// <summary>Formats times as <c>2026-11-22T08:33:40.123Z</c>; remembers the second, which thousands of lines share.</summary>
internal sealed class AccessClock
{
    private readonly byte[] _text = "0000-00-00T00:00:00.000Z"u8.ToArray();
    private long _second = long.MinValue;

    public ReadOnlySpan<byte> Format(long unixMs)
    {
        unixMs = Math.Clamp(unixMs, 0, 253402300799999);
        var second = unixMs / 1000;
        if (second != _second)
        {
            _second = second;
            DateTimeOffset.FromUnixTimeSeconds(second).TryFormat(_text, out _, "yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture);
        }

        var ms = (int)(unixMs % 1000);
        _text[20] = (byte)('0' + (ms / 100));
        _text[21] = (byte)('0' + (ms / 10 % 10));
        _text[22] = (byte)('0' + (ms % 10));
        return _text;
    }
}
