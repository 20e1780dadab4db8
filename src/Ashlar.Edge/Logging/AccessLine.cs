using System.Buffers;
using System.Globalization;
using System.Text;
using Ashlar.Edge.Caching;

namespace Ashlar.Edge.Logging;

/// <summary>
/// Formats one request as a line of JSON into bytes. Whatever a client sent stays within its string: quotes, backslashes,
/// control bytes and bytes beyond ASCII are escaped (the latter as <c>\u0080</c> to <c>\u00ff</c>, byte for byte).
/// </summary>
internal ref struct AccessLine(Span<byte> into)
{
    /// <summary>No line is longer.</summary>
    public const int MaxBytes = 16 * 1024;

    private const int MaxTarget = 2000;
    private const int MaxHost = 256;
    private const int MaxWord = 64;

    private static readonly SearchValues<byte> _plain = SearchValues.Create(
        [.. Enumerable.Range(0x20, 0x7f - 0x20).Select(b => (byte)b).Where(b => b is not ((byte)'"' or (byte)'\\'))]);

    private readonly Span<byte> _into = into;
    private int _at;

    /// <summary>Writes the line with its line feed.</summary>
    /// <param name="into">At least <see cref="MaxBytes"/>.</param>
    /// <param name="record">The request.</param>
    /// <param name="clock">The caller's own.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> into, scoped in AccessRecord record, AccessClock clock)
    {
        var line = new AccessLine(into);
        line.Raw("{\"time\":\""u8);
        line.Raw(clock.Format(record.StartedUnixMs));
        line.Text("\",\"client\":\""u8, record.Client, MaxWord);
        line.Text("\",\"method\":\""u8, record.Method, MaxWord / 2);
        line.Text("\",\"host\":\""u8, record.Host, MaxHost);
        line.Raw("\",\"target\":\""u8);
        line.Target(record.Target);
        line.Number("\",\"status\":"u8, record.Status);
        line.Number(",\"in\":"u8, record.BytesIn);
        line.Number(",\"out\":"u8, record.BytesOut);
        line.Millis(",\"ms\":"u8, record.DurationMicros);
        if (record.UpstreamMicros >= 0)
        {
            line.Millis(",\"upstream_ms\":"u8, record.UpstreamMicros);
        }

        if (record.ConnectMicros is { } connect)
        {
            line.Millis(",\"connect_ms\":"u8, connect);
        }

        if (record.FirstByteMicros is { } first)
        {
            line.Millis(",\"first_ms\":"u8, first);
        }

        if (record.QueueMicros > 0)
        {
            line.Millis(",\"queue_ms\":"u8, record.QueueMicros);
        }

        line.Name(",\"service\":\""u8, record.Service);
        line.Name(",\"instance\":\""u8, record.Instance);
        if (record.Retries > 0)
        {
            line.Number(",\"retries\":"u8, record.Retries);
        }

        if (record.Cache != CacheWord.None)
        {
            line.Name(",\"cache\":\""u8, CacheWords.Name(record.Cache));
        }

        if (record.Failure != Failure.None)
        {
            line.Name(",\"failure\":\""u8, FailureNames.Of(record.Failure));
        }

        line.Text(",\"id\":\""u8, record.RequestId, MaxWord);
        if (!record.Trace.IsEmpty)
        {
            line.Text("\",\"trace\":\""u8, record.Trace, MaxWord);
        }

        line.Raw("\"}\n"u8);
        return line._at;
    }

    private void Raw(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_into[_at..]);
        _at += bytes.Length;
    }

    private void Number(scoped ReadOnlySpan<byte> before, long value)
    {
        Raw(before);
        value.TryFormat(_into[_at..], out var written, default, CultureInfo.InvariantCulture);
        _at += written;
    }

    private void Millis(scoped ReadOnlySpan<byte> before, long micros)
    {
        Number(before, Math.Max(0, micros) / 1000);
        var rest = (int)(Math.Max(0, micros) % 1000);
        Raw([(byte)'.', (byte)('0' + (rest / 100)), (byte)('0' + (rest / 10 % 10)), (byte)('0' + (rest % 10))]);
    }

    // Our own names: a service's or an instance's, never more than a label and a number.
    private void Name(scoped ReadOnlySpan<byte> before, string? name)
    {
        if (name is not null)
        {
            Raw(before);
            Span<byte> utf8 = stackalloc byte[MaxWord];
            Encoding.UTF8.TryGetBytes(name, utf8, out var written);
            Escaped(utf8[..written]);
            Raw("\""u8);
        }
    }

    private void Text(scoped ReadOnlySpan<byte> before, scoped ReadOnlySpan<byte> text, int max)
    {
        Raw(before);
        Escaped(text.Length > max ? text[..max] : text);
    }

    // A cut may fall anywhere but into the masked part, which is masked before it is cut.
    private void Target(scoped ReadOnlySpan<byte> target)
    {
        var left = MaxTarget;
        foreach (var part in new SecretQuery(target))
        {
            var shown = part.Length > left ? part[..left] : part;
            Escaped(shown);
            left -= shown.Length;
        }

        if (left == 0)
        {
            Raw("..."u8);
        }
    }

    private void Escaped(scoped ReadOnlySpan<byte> text)
    {
        while (text.Length > 0)
        {
            var plain = text.IndexOfAnyExcept(_plain);
            if (plain < 0)
            {
                Raw(text);
                return;
            }

            Raw(text[..plain]);
            Escape(text[plain]);
            text = text[(plain + 1)..];
        }
    }

    private void Escape(byte b)
    {
        if (b is (byte)'"' or (byte)'\\')
        {
            Raw([(byte)'\\', b]);
            return;
        }

        Raw("\\u00"u8);
        Raw([Hex(b >> 4), Hex(b & 15)]);
    }

    private static byte Hex(int digit) => (byte)(digit < 10 ? '0' + digit : 'a' + digit - 10);
}
