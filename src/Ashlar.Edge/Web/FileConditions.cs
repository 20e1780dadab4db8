using System.Globalization;
using System.Text;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Web;

/// <summary>What a conditional request for a file comes to (RFC 9110 section 13.2.2).</summary>
internal enum Precondition
{
    /// <summary>It is served.</summary>
    Passed,

    /// <summary>304: the client has it.</summary>
    NotModified,

    /// <summary>412: the client means another state of it.</summary>
    Failed,
}

/// <summary>Conditions, ranges and encodings that a request names.</summary>
internal static class FileConditions
{
    /// <summary>Judges If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since, in this order.</summary>
    public static Precondition Judge(RequestHead request, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tag, long modifiedSeconds)
    {
        if (request.Has(KnownHeader.IfMatch))
        {
            if (!AnyMatches(request, head, KnownHeader.IfMatch, tag, weak: false))
            {
                return Precondition.Failed;
            }
        }
        else if (request.Has(KnownHeader.IfUnmodifiedSince)
            && TryDate(request.Find(KnownHeader.IfUnmodifiedSince).Of(head), out var unmodified) && modifiedSeconds > unmodified)
        {
            return Precondition.Failed;
        }

        if (request.Has(KnownHeader.IfNoneMatch))
        {
            return AnyMatches(request, head, KnownHeader.IfNoneMatch, tag, weak: true) ? Precondition.NotModified : Precondition.Passed;
        }

        return request.Has(KnownHeader.IfModifiedSince)
            && TryDate(request.Find(KnownHeader.IfModifiedSince).Of(head), out var since) && modifiedSeconds <= since
            ? Precondition.NotModified : Precondition.Passed;
    }

    /// <summary>Whether a range is wanted of this very state (RFC 9110 section 13.1.5).</summary>
    public static bool IfRangeHolds(RequestHead request, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tag, long modifiedSeconds)
    {
        if (!request.Has(KnownHeader.IfRange))
        {
            return true;
        }

        var value = request.Find(KnownHeader.IfRange).Of(head);
        return value.SequenceEqual(tag) || (TryDate(value, out var date) && date == modifiedSeconds);
    }

    /// <summary>
    /// Reads a Range field (RFC 9110 section 14.1.2). False: there is none that is answered in part (several ranges, another unit, or
    /// malformed), so the whole is. A length of 0: it cannot be satisfied.
    /// </summary>
    public static bool TryRange(ReadOnlySpan<byte> value, long size, out long start, out long length)
    {
        (start, length) = (0, 0);
        if (value.Length < 7 || !Ascii.EqualsIgnoreCase(value[..6], "bytes="u8))
        {
            return false;
        }

        var range = value[6..].Trim(" \t"u8);
        var dash = range.IndexOf((byte)'-');
        if (dash < 0 || range.Contains((byte)','))
        {
            return false;
        }

        var first = range[..dash];
        var last = range[(dash + 1)..];
        if (first.IsEmpty)
        {
            if (!TryNumber(last, out var suffix))
            {
                return false;
            }

            length = Math.Min(suffix, size);
            start = size - length;
            return true;
        }

        var end = long.MaxValue;
        if (!TryNumber(first, out start) || (!last.IsEmpty && !TryNumber(last, out end)) || end < start)
        {
            return false;
        }

        length = start >= size ? 0 : Math.Min(end, size - 1) - start + 1;
        return true;
    }

    /// <summary>Whether a coding is acceptable by Accept-Encoding (RFC 9110 section 12.5.3).</summary>
    public static bool Accepts(RequestHead request, ReadOnlySpan<byte> head, ReadOnlySpan<byte> coding)
    {
        var any = false;
        foreach (ref readonly var field in request.Fields)
        {
            if (field.Known != KnownHeader.AcceptEncoding)
            {
                continue;
            }

            foreach (var range in field.Value(head).Split((byte)','))
            {
                var element = field.Value(head)[range].Trim(" \t"u8);
                var semicolon = element.IndexOf((byte)';');
                var name = (semicolon < 0 ? element : element[..semicolon]).Trim(" \t"u8);
                var weight = semicolon < 0 || HasWeight(element[(semicolon + 1)..]);
                if (Ascii.EqualsIgnoreCase(name, coding))
                {
                    return weight;
                }

                any |= weight && name.SequenceEqual("*"u8);
            }
        }

        return any;
    }

    // q=0, 0.0 and so on mean never; every other weight means that it may be.
    private static bool HasWeight(ReadOnlySpan<byte> parameter)
    {
        parameter = parameter.Trim(" \t"u8);
        return parameter.Length < 3 || (parameter[0] | 0x20) != 'q' || parameter[2..].ContainsAnyInRange((byte)'1', (byte)'9');
    }

    private static bool AnyMatches(RequestHead request, ReadOnlySpan<byte> head, KnownHeader header, ReadOnlySpan<byte> tag, bool weak)
    {
        foreach (ref readonly var field in request.Fields)
        {
            if (field.Known != header)
            {
                continue;
            }

            var value = field.Value(head);
            foreach (var range in value.Split((byte)','))
            {
                var element = value[range].Trim(" \t"u8);
                if (weak && element.StartsWith("W/"u8))
                {
                    element = element[2..];
                }

                if (element.SequenceEqual(tag) || element.SequenceEqual("*"u8))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool TryNumber(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        foreach (var b in text)
        {
            if (b is < (byte)'0' or > (byte)'9' || value > (long.MaxValue - 9) / 10)
            {
                return false;
            }

            value = value * 10 + b - '0';
        }

        return !text.IsEmpty;
    }

    private static bool TryDate(ReadOnlySpan<byte> text, out long seconds)
    {
        seconds = 0;
        Span<char> chars = stackalloc char[64];
        if (text.Length > chars.Length || !Encoding.ASCII.TryGetChars(text, chars, out var length)
            || !DateTimeOffset.TryParseExact(
                chars[..length], ["r", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy", "ddd MMM  d HH:mm:ss yyyy"], CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal, out var date))
        {
            return false;
        }

        seconds = date.ToUnixTimeSeconds();
        return true;
    }
}
