namespace Ashlar.Http.Wire;

/// <summary>Content-Length and Transfer-Encoding (RFC 9112 section 6): what is not plain is refused, never repaired.</summary>
internal static class Framing
{
    /// <summary>Reads both fields, the same way in requests and responses; the problem, or null.</summary>
    public static HttpProblem? Read(
        ReadOnlySpan<byte> buffer, MessageHead head, bool twoLengths, bool twoEncodings, out BodyFraming body, out long length)
    {
        body = BodyFraming.None;
        length = 0;
        if (!head.Has(KnownHeader.TransferEncoding))
        {
            if (!head.Has(KnownHeader.ContentLength))
            {
                return null;
            }

            body = BodyFraming.Length;
            return twoLengths ? HttpProblem.TwoLengths
                : Bytes.TryReadDecimal(head.Find(KnownHeader.ContentLength).Of(buffer), out length) ? null
                : HttpProblem.Length;
        }

        body = BodyFraming.Chunked;
        return head.Version == 10 ? HttpProblem.EncodingInOldVersion
            : head.Has(KnownHeader.ContentLength) ? HttpProblem.LengthAndEncoding
            : twoEncodings ? HttpProblem.TwoEncodings
            : CheckCodings(head.Find(KnownHeader.TransferEncoding).Of(buffer));
    }

    /// <summary>Only the one word <c>chunked</c> passes; the rest is sorted into malformed (400) and unknown (501).</summary>
    private static HttpProblem? CheckCodings(ReadOnlySpan<byte> value)
    {
        if (Bytes.EqualsLower(value, "chunked"u8))
        {
            return null;
        }

        if (value.IsEmpty || value[^1] == ',')
        {
            return HttpProblem.EncodingList;
        }

        var sawChunked = false;
        while (Bytes.NextElement(ref value, out var coding))
        {
            if (!Bytes.IsToken(coding) || sawChunked)
            {
                return HttpProblem.EncodingList;
            }

            sawChunked = Bytes.EqualsLower(coding, "chunked"u8);
        }

        return HttpProblem.EncodingUnknown;
    }
}
