using System.Runtime.InteropServices;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Caching.Rules;

/// <summary>Conditional and range requests answered from what is stored (RFC 9110 sections 13 and 14, RFC 9111 section 4.3.2).</summary>
internal static class Conditions
{
    /// <summary>Whether the client has what is stored, so that it is told 304.</summary>
    /// <param name="request">The request's head.</param>
    /// <param name="buffer">The buffer it was parsed from.</param>
    /// <param name="etag">The stored entity tag; empty: none.</param>
    /// <param name="lastModified">Last-Modified, or else Date, in seconds since 1970.</param>
    public static bool IsNotModified(RequestHead request, ReadOnlySpan<byte> buffer, ReadOnlySpan<byte> etag, long lastModified)
    {
        if (request.Has(KnownHeader.IfNoneMatch))
        {
            foreach (ref readonly var field in request.Fields)
            {
                if (field.Known == KnownHeader.IfNoneMatch && Lists(field.Value(buffer), etag))
                {
                    return true;
                }
            }

            return false;
        }

        return request.Has(KnownHeader.IfModifiedSince)
            && HttpDate.TryRead(request.Find(KnownHeader.IfModifiedSince).Of(buffer), out var since) && lastModified <= since;
    }

    /// <summary>Whether the condition of a range request holds; otherwise the whole is sent (RFC 9110 section 13.1.5).</summary>
    public static bool AllowsRange(RequestHead request, ReadOnlySpan<byte> buffer, ReadOnlySpan<byte> etag, long lastModified)
    {
        if (!request.Has(KnownHeader.IfRange))
        {
            return true;
        }

        var value = request.Find(KnownHeader.IfRange).Of(buffer);
        return HttpDate.TryRead(value, out var date) ? date == lastModified
            : !etag.IsEmpty && !etag.StartsWith("W/"u8) && value.SequenceEqual(etag);
    }

    /// <summary>Reads a Range field of one range of bytes. Several ranges, other units and what is malformed count as none.</summary>
    public static ByteSpan Range(ReadOnlySpan<byte> value, long length)
    {
        if (value.Length < 7 || !FieldText.Is(value[..6], "bytes="u8))
        {
            return ByteSpan.Whole;
        }

        value = value[6..].Trim(" \t"u8);
        var dash = value.IndexOf((byte)'-');
        if (dash < 0 || value.Contains((byte)','))
        {
            return ByteSpan.Whole;
        }

        var first = value[..dash];
        var last = value[(dash + 1)..];
        if (first.IsEmpty)
        {
            return !TryRead(last, out var suffix) ? ByteSpan.Whole
                : suffix == 0 || length == 0 ? ByteSpan.None
                : new ByteSpan(Math.Max(0, length - suffix), length);
        }

        if (!TryRead(first, out var start) || (!last.IsEmpty && !TryRead(last, out _)))
        {
            return ByteSpan.Whole;
        }

        var end = length - 1;
        if (!last.IsEmpty)
        {
            TryRead(last, out var said);
            if (said < start)
            {
                return ByteSpan.Whole;
            }

            end = Math.Min(end, said);
        }

        return start >= length ? ByteSpan.None : new ByteSpan(start, end + 1);
    }

    private static bool TryRead(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        if (text.IsEmpty || text.Length > 18)
        {
            return false;
        }

        foreach (var b in text)
        {
            if (b is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            value = value * 10 + (b - '0');
        }

        return true;
    }

    // Weak comparison (RFC 9110 section 8.8.3.2); commas may stand inside the quotes.
    private static bool Lists(ReadOnlySpan<byte> list, ReadOnlySpan<byte> etag)
    {
        if (list.SequenceEqual("*"u8))
        {
            return true;
        }

        if (etag.IsEmpty)
        {
            return false;
        }

        etag = Opaque(etag);
        while (!list.IsEmpty)
        {
            list = list.TrimStart(" \t,"u8);
            var prefix = list.StartsWith("W/"u8) ? 2 : 0;
            int end;
            if (list.Length > prefix && list[prefix] == '"')
            {
                var close = list[(prefix + 1)..].IndexOf((byte)'"');
                end = close < 0 ? list.Length : prefix + close + 2;
            }
            else
            {
                var comma = list.IndexOf((byte)',');
                end = comma < 0 ? list.Length : comma;
            }

            if (end > 0 && Opaque(list[..end].TrimEnd(" \t"u8)).SequenceEqual(etag))
            {
                return true;
            }

            list = list[end..];
        }

        return false;
    }

    private static ReadOnlySpan<byte> Opaque(ReadOnlySpan<byte> etag) => etag.StartsWith("W/"u8) ? etag[2..] : etag;
}

/// <summary>A part of a body.</summary>
/// <param name="Start">Its first byte.</param>
/// <param name="End">Behind its last byte.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ByteSpan(long Start, long End)
{
    /// <summary>All of it: no range, or none that is to be followed.</summary>
    public static ByteSpan Whole { get; } = new(0, -1);

    /// <summary>Nothing of it: the range lies outside.</summary>
    public static ByteSpan None { get; } = new(-1, -1);

    public bool IsWhole => End < 0 && Start == 0;

    public bool IsNone => Start < 0;
}
