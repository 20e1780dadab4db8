using Ashlar.Edge.Caching.Rules;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Caching;

/// <summary>Makes the heads that are stored: status line and field lines without what belongs to one connection or one moment.</summary>
internal static class StoredHead
{
    /// <summary>A head larger than this is not stored: each hit copies it.</summary>
    public const int Largest = 12 * 1024;

    /// <summary>The head of a response as it is stored; <paramref name="statusLine"/> is the length of its first line.</summary>
    /// <param name="buffer">The buffer that was parsed.</param>
    /// <param name="response">The head parsed from it.</param>
    /// <param name="dateLine">A Date line, used when there is none.</param>
    /// <param name="statusLine">Length of the first line.</param>
    public static byte[] Of(ReadOnlySpan<byte> buffer, ResponseHead response, ReadOnlySpan<byte> dateLine, out int statusLine)
    {
        var to = new byte[response.Consumed + dateLine.Length + 64];
        var length = 0;
        Add(to, ref length, "HTTP/1.1 "u8);
        Add(to, ref length, response.StatusRange.Of(buffer));
        Add(to, ref length, response.StatusRange.Length > 3 ? "\r\n"u8 : " \r\n"u8);
        statusLine = length;
        foreach (ref readonly var field in response.Fields)
        {
            if (field.Dropped || field.Known.IsHopByHop() || field.Known is KnownHeader.Trailer or KnownHeader.ContentLength)
            {
                continue;
            }

            Add(to, ref length, field.Name(buffer));
            Add(to, ref length, ": "u8);
            Add(to, ref length, field.Value(buffer));
            Add(to, ref length, "\r\n"u8);
        }

        Add(to, ref length, response.Version == 11 ? "Via: 1.1 ashlar\r\n"u8 : "Via: 1.0 ashlar\r\n"u8);
        if (!response.Has(KnownHeader.Date))
        {
            Add(to, ref length, dateLine);
        }

        return to[..length];
    }

    /// <summary>
    /// A stored head as it is sent: without Age, which each answer has its own of, without the fields that <c>no-cache</c> or
    /// <c>private</c> name, and with the length of the body where that is known.
    /// </summary>
    public static byte[] ToSend(ReadOnlySpan<byte> head, int statusLine, bool namesFields, long bodyLength)
    {
        List<byte[]>? left = null;
        if (namesFields)
        {
            left = [];
            var named = new FieldLines(head[statusLine..]);
            while (named.Next())
            {
                if (FieldText.Is(named.Name, "cache-control"u8))
                {
                    CacheDirectives.NamedFields(named.Value, name => left.Add(name.ToArray()));
                }
            }
        }

        var to = new byte[head.Length + 48];
        var length = 0;
        Add(to, ref length, head[..statusLine]);
        var lines = new FieldLines(head[statusLine..]);
        while (lines.Next())
        {
            if (!FieldText.Is(lines.Name, "age"u8) && !FieldText.Is(lines.Name, "content-length"u8) && !IsAmong(left, lines.Name))
            {
                Add(to, ref length, lines.Line);
            }
        }

        if (bodyLength >= 0)
        {
            Add(to, ref length, "Content-Length: "u8);
            bodyLength.TryFormat(to.AsSpan(length), out var digits);
            length += digits;
            Add(to, ref length, "\r\n"u8);
        }

        return to[..length];
    }

    /// <summary>
    /// A stored head with what a 304 says in place of what it said (RFC 9111 section 3.2): all but what describes the body that is kept, and but
    /// cookies, which are for who asked alone (<see cref="CookiesOf"/>).
    /// </summary>
    public static byte[] Freshened(ReadOnlySpan<byte> stored, int statusLine, ReadOnlySpan<byte> fresh)
    {
        var to = new byte[stored.Length + fresh.Length];
        var length = 0;
        Add(to, ref length, stored[..statusLine]);
        var lines = new FieldLines(stored[statusLine..]);
        while (lines.Next())
        {
            if (!IsUpdated(lines.Name) || !Has(fresh, lines.Name))
            {
                Add(to, ref length, lines.Line);
            }
        }

        lines = new FieldLines(fresh);
        while (lines.Next())
        {
            if (IsUpdated(lines.Name))
            {
                Add(to, ref length, lines.Line);
            }
        }

        return to[..length];
    }

    /// <summary>The Set-Cookie lines among these; null: there are none.</summary>
    public static byte[]? CookiesOf(ReadOnlySpan<byte> fields)
    {
        List<byte>? cookies = null;
        var lines = new FieldLines(fields);
        while (lines.Next())
        {
            if (FieldText.Is(lines.Name, "set-cookie"u8))
            {
                (cookies ??= []).AddRange(lines.Line);
            }
        }

        return cookies?.ToArray();
    }

    private static bool IsUpdated(ReadOnlySpan<byte> name) => name.Length switch
    {
        4 => !FieldText.Is(name, "etag"u8),
        10 => !FieldText.Is(name, "set-cookie"u8),
        11 => !FieldText.Is(name, "content-md5"u8),
        13 => !FieldText.Is(name, "content-range"u8),
        14 => !FieldText.Is(name, "content-length"u8),
        16 => !FieldText.Is(name, "content-encoding"u8),
        _ => true,
    };

    private static bool Has(ReadOnlySpan<byte> fields, ReadOnlySpan<byte> name)
    {
        var lines = new FieldLines(fields);
        while (lines.Next())
        {
            if (System.Text.Ascii.EqualsIgnoreCase(lines.Name, name))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsAmong(List<byte[]>? names, ReadOnlySpan<byte> name)
    {
        if (names is not null)
        {
            foreach (var one in names)
            {
                if (System.Text.Ascii.EqualsIgnoreCase(one, name))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static void Add(byte[] to, ref int length, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to.AsSpan(length));
        length += bytes.Length;
    }
}
