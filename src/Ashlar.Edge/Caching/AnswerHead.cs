using Ashlar.Http.Wire;
using System.Runtime.InteropServices;
using Ashlar.Edge.Caching.Rules;
using Ashlar.Edge.Caching.Store;

namespace Ashlar.Edge.Caching;

/// <summary>What an answer from the store says besides what is stored.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly ref struct AnswerContext
{
    /// <summary>Its age in seconds.</summary>
    public required long Age { get; init; }

    /// <summary>The Cache-Status line with its CRLF.</summary>
    public required ReadOnlySpan<byte> CacheLine { get; init; }

    /// <summary>The body goes out chunked: its length is not known yet.</summary>
    public bool Chunked { get; init; }

    /// <summary>Strict-Transport-Security with its CRLF; empty: nothing is said.</summary>
    public ReadOnlySpan<byte> HstsLine { get; init; }

    /// <summary>Field lines for this client alone.</summary>
    public ReadOnlySpan<byte> OwnLines { get; init; }

    /// <summary>Fields that rules set or take out; null: none.</summary>
    public HeaderEdits? Edits { get; init; }

    /// <summary>The Connection line with its CRLF, where one is needed.</summary>
    public ReadOnlySpan<byte> ConnectionLine { get; init; }
}

/// <summary>Writes the heads of answers from the store.</summary>
internal static class AnswerHead
{
    /// <summary>Room that suffices for any of them.</summary>
    public static int Bound(StoredResponse stored, in AnswerContext context) => stored.Head.Length + context.CacheLine.Length + context.HstsLine.Length + context.OwnLines.Length + (context.Edits?.Lines.Length ?? 0) + 320;

    /// <summary>The whole response.</summary>
    public static int Write(Span<byte> to, StoredResponse stored, in AnswerContext context)
    {
        stored.Head.CopyTo(to);
        return Close(to, stored.Head.Length, in context);
    }

    /// <summary>304: the client has it (RFC 9110 section 15.4.5).</summary>
    public static int WriteNotModified(Span<byte> to, StoredResponse stored, in AnswerContext context)
    {
        var length = Add(to, 0, "HTTP/1.1 304 Not Modified\r\n"u8);
        var lines = new FieldLines(stored.Fields);
        while (lines.Next())
        {
            if (!DescribesBody(lines.Name))
            {
                length = Add(to, length, lines.Line);
            }
        }

        return Close(to, length, in context);
    }

    /// <summary>206: a part (RFC 9110 section 15.3.7).</summary>
    public static int WritePart(Span<byte> to, StoredResponse stored, ByteSpan part, in AnswerContext context)
    {
        var length = Add(to, 0, "HTTP/1.1 206 Partial Content\r\n"u8);
        length = WithoutLength(to, length, stored);
        length = Add(to, length, "Content-Range: bytes "u8);
        length = Add(to, length, part.Start);
        length = Add(to, length, "-"u8);
        length = Add(to, length, part.End - 1);
        length = Add(to, length, "/"u8);
        length = Add(to, length, stored.Length);
        length = Add(to, length, "\r\nContent-Length: "u8);
        length = Add(to, length, part.End - part.Start);
        length = Add(to, length, "\r\n"u8);
        return Close(to, length, in context);
    }

    /// <summary>416: the part lies outside (RFC 9110 section 15.5.17).</summary>
    public static int WriteOutside(Span<byte> to, StoredResponse stored, ReadOnlySpan<byte> dateLine, in AnswerContext context)
    {
        var length = Add(to, 0, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nContent-Range: bytes */"u8);
        length = Add(to, length, stored.Length);
        length = Add(to, length, "\r\n"u8);
        length = Add(to, length, dateLine);
        return Close(to, length, in context);
    }

    private static int WithoutLength(Span<byte> to, int length, StoredResponse stored)
    {
        var lines = new FieldLines(stored.Fields);
        while (lines.Next())
        {
            if (!FieldText.Is(lines.Name, "content-length"u8))
            {
                length = Add(to, length, lines.Line);
            }
        }

        return length;
    }

    private static bool DescribesBody(ReadOnlySpan<byte> name) =>
        FieldText.Is(name, "content-length"u8) || FieldText.Is(name, "content-type"u8) || FieldText.Is(name, "content-encoding"u8)
        || FieldText.Is(name, "content-range"u8) || FieldText.Is(name, "content-language"u8);

    private static int Close(Span<byte> to, int length, in AnswerContext context)
    {
        length = Add(to, length, context.OwnLines);
        if (context.Edits is { } edits)
        {
            length = WithoutReplaced(to[..length], edits);
            length = Add(to, length, edits.Lines.Span);
        }

        length = Add(to, length, "Age: "u8);
        length = Add(to, length, context.Age);
        length = Add(to, length, "\r\n"u8);
        length = Add(to, length, context.CacheLine);
        if (context.Chunked)
        {
            length = Add(to, length, "Transfer-Encoding: chunked\r\n"u8);
        }

        length = Add(to, length, context.HstsLine);
        length = Add(to, length, context.ConnectionLine);
        return Add(to, length, "\r\n"u8);
    }

    private static int WithoutReplaced(Span<byte> head, HeaderEdits edits)
    {
        var length = head.IndexOf((byte)'\n') + 1;
        for (var at = length; at < head.Length;)
        {
            var line = head[at..];
            line = line[..(line.IndexOf((byte)'\n') is var feed and >= 0 ? feed + 1 : line.Length)];
            at += line.Length;
            if (line.IndexOf((byte)':') is var colon && (colon < 0 || !edits.Replaces(line[..colon])))
            {
                line.CopyTo(head[length..]);
                length += line.Length;
            }
        }

        return length;
    }

    private static int Add(Span<byte> to, int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to[at..]);
        return at + bytes.Length;
    }

    private static int Add(Span<byte> to, int at, long number)
    {
        number.TryFormat(to[at..], out var digits);
        return at + digits;
    }
}
