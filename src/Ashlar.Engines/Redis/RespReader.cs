using System.Buffers.Text;
using System.Collections.Immutable;
using System.Text;

namespace Ashlar.Engines.Redis;

/// <summary>Reads RESP2 answers out of bytes, within limits. Pure.</summary>
internal static class RespReader
{
    /// <summary>Longest line without its end.</summary>
    public const int LongestLine = 16 << 10;

    /// <summary>Longest bulk.</summary>
    public const int LongestBulk = 1 << 20;

    /// <summary>Most items of a list, those of lists within it included.</summary>
    public const int MostItems = 10_000;

    /// <summary>Most lists within each other.</summary>
    public const int DeepestList = 8;

    /// <summary>Bytes of the largest answer that is read.</summary>
    public const int Largest = 4 << 20;

    /// <summary>Reads one answer from the beginning of these bytes.</summary>
    /// <param name="bytes">What has been received.</param>
    /// <param name="value">The answer.</param>
    /// <param name="consumed">Bytes that it takes.</param>
    /// <returns>False: more bytes are needed.</returns>
    /// <exception cref="RespException">It is no answer, or too large.</exception>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out RespValue value, out int consumed)
    {
        var at = 0;
        var items = MostItems;
        var read = Read(bytes, ref at, DeepestList, ref items);
        (value, consumed) = (read ?? RespValue.Null, read is null ? 0 : at);
        return read is not null || (bytes.Length >= Largest ? throw new RespException($"an answer is longer than {Largest} bytes") : false);
    }

    private static RespValue? Read(ReadOnlySpan<byte> bytes, ref int at, int depth, ref int items)
    {
        if (at == bytes.Length)
        {
            return null;
        }

        var kind = bytes[at];
        if (kind is not ((byte)'+' or (byte)'-' or (byte)':' or (byte)'$' or (byte)'*'))
        {
            throw new RespException($"an answer begins with the byte {kind}");
        }

        var rest = bytes[(at + 1)..];
        var end = rest[..Math.Min(rest.Length, LongestLine + 2)].IndexOf("\r\n"u8);
        if (end < 0)
        {
            return rest.Length > LongestLine + 1 ? throw new RespException($"a line is longer than {LongestLine} bytes") : null;
        }

        var line = rest[..end];
        at += 1 + end + 2;
        return kind switch
        {
            (byte)'+' => new RespValue(RespKind.Text, Encoding.UTF8.GetString(line)),
            (byte)'-' => new RespValue(RespKind.Error, Encoding.UTF8.GetString(line)),
            (byte)':' => new RespValue(RespKind.Number, Number: Number(line)),
            (byte)'$' => Bulk(bytes, ref at, Length(line, LongestBulk, "a bulk")),
            _ => List(bytes, ref at, Length(line, MostItems, "a list"), depth, ref items),
        };
    }

    private static RespValue? Bulk(ReadOnlySpan<byte> bytes, ref int at, int length)
    {
        if (length < 0)
        {
            return RespValue.Null;
        }

        if (bytes.Length - at < length + 2)
        {
            return null;
        }

        if (bytes[at + length] != '\r' || bytes[at + length + 1] != '\n')
        {
            throw new RespException("a bulk does not end where it says");
        }

        var text = Encoding.UTF8.GetString(bytes.Slice(at, length));
        at += length + 2;
        return new RespValue(RespKind.Bulk, text);
    }

    private static RespValue? List(ReadOnlySpan<byte> bytes, ref int at, int length, int depth, ref int items)
    {
        if (length < 0)
        {
            return RespValue.Null;
        }

        items -= length;
        if (depth == 0 || items < 0)
        {
            throw new RespException(depth == 0 ? $"lists lie deeper than {DeepestList}" : $"an answer has more than {MostItems} items");
        }

        var list = ImmutableArray.CreateBuilder<RespValue>();
        for (var i = 0; i < length; i++)
        {
            if (Read(bytes, ref at, depth - 1, ref items) is not { } item)
            {
                return null;
            }

            list.Add(item);
        }

        return new RespValue(RespKind.List, Items: list.ToImmutable());
    }

    private static int Length(ReadOnlySpan<byte> line, int most, string what)
    {
        var length = Number(line);
        return length >= -1 && length <= most ? (int)length : throw new RespException($"{what} is to have the length {length}");
    }

    private static long Number(ReadOnlySpan<byte> line) =>
        Utf8Parser.TryParse(line, out long number, out var used) && used == line.Length ? number : throw new RespException("a number is none");
}
