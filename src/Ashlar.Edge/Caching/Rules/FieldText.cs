namespace Ashlar.Edge.Caching.Rules;

/// <summary>The pieces that field values are made of (RFC 9110 section 5.6).</summary>
internal static class FieldText
{
    /// <summary>Compares without regard to case with a name in lower case.</summary>
    public static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lower) =>
        text.Length == lower.Length && System.Text.Ascii.EqualsIgnoreCase(text, lower);

    /// <summary>Takes the next element of a comma-separated list, trimmed; false at its end.</summary>
    public static bool NextElement(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> element)
    {
        if (rest.IsEmpty)
        {
            element = default;
            return false;
        }

        var comma = rest.IndexOf((byte)',');
        element = (comma < 0 ? rest : rest[..comma]).Trim(" \t"u8);
        rest = comma < 0 ? default : rest[(comma + 1)..];
        return true;
    }

    /// <summary>Takes <c>=value</c>: a token, or what stands in quotes (escapes are left as they are).</summary>
    public static ReadOnlySpan<byte> TakeValue(ref ReadOnlySpan<byte> rest)
    {
        rest = rest[1..];
        if (!rest.IsEmpty && rest[0] == '"')
        {
            var length = QuotedLength(rest);
            var quoted = rest[1..Math.Max(1, length - (rest[length - 1] == '"' && length > 1 ? 1 : 0))];
            rest = rest[length..];
            return quoted;
        }

        var end = rest.IndexOfAny(" \t,"u8);
        end = end < 0 ? rest.Length : end;
        var value = rest[..end];
        rest = rest[end..];
        return value;
    }

    /// <summary>Length of the quoted text that begins here, quotes included; to the end if it is never closed.</summary>
    public static int QuotedLength(ReadOnlySpan<byte> text)
    {
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == '"')
            {
                return i + 1;
            }
        }

        return text.Length;
    }

    /// <summary>Reads <c>1*DIGIT</c>; what is larger than can be said becomes <see cref="CacheDirectives.Forever"/>.</summary>
    public static bool TryReadSeconds(ReadOnlySpan<byte> text, out long seconds)
    {
        seconds = 0;
        if (text.IsEmpty)
        {
            return false;
        }

        foreach (var b in text)
        {
            if (b is < (byte)'0' or > (byte)'9')
            {
                seconds = 0;
                return false;
            }

            seconds = Math.Min(seconds * 10 + (b - '0'), CacheDirectives.Forever);
        }

        return true;
    }
}
