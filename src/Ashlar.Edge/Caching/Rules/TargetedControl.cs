namespace Ashlar.Edge.Caching.Rules;

/// <summary>
/// Fields that speak to this cache alone and then stand above Cache-Control and Expires: <c>CDN-Cache-Control</c>, which must be a
/// valid Dictionary (RFC 9213, RFC 9651) to count, and <c>Surrogate-Control</c>, of which directives for others are left out.
/// </summary>
internal static class TargetedControl
{
    /// <summary>The name by which <c>Surrogate-Control</c> can target this cache; said upstream in <c>Surrogate-Capability</c>.</summary>
    public static ReadOnlySpan<byte> SurrogateName => "ashlar"u8;

    /// <summary>Reads one line of <c>CDN-Cache-Control</c>. False: it is no Dictionary, and the whole field is to be ignored.</summary>
    public static bool TryReadDictionary(ReadOnlySpan<byte> value, ref CacheDirectives directives)
    {
        value = value.Trim(" "u8);
        while (!value.IsEmpty)
        {
            if (!TakeMember(ref value, ref directives))
            {
                return false;
            }

            value = value.TrimStart(" \t"u8);
            if (value.IsEmpty)
            {
                return true;
            }

            if (value[0] != ',')
            {
                return false;
            }

            value = value[1..].TrimStart(" \t"u8);
            if (value.IsEmpty)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads one line of <c>Surrogate-Control</c>: directives with a target after <c>;</c> that is not ours are left out.</summary>
    public static void ReadSurrogate(ReadOnlySpan<byte> value, ref CacheDirectives directives)
    {
        while (FieldText.NextElement(ref value, out var element))
        {
            var semicolon = element.IndexOf((byte)';');
            if (semicolon >= 0)
            {
                if (!FieldText.Is(element[(semicolon + 1)..].Trim(" \t"u8), SurrogateName))
                {
                    continue;
                }

                element = element[..semicolon].Trim(" \t"u8);
            }

            // max-age=3600+600 gives also how long it may be stale.
            var plus = element.IndexOf((byte)'+');
            if (plus > 0)
            {
                element = element[..plus];
            }

            directives.Read(element);
        }
    }

    private static bool TakeMember(ref ReadOnlySpan<byte> rest, ref CacheDirectives directives)
    {
        var length = KeyLength(rest);
        if (length == 0)
        {
            return false;
        }

        var member = rest;
        rest = rest[length..];
        if (!rest.IsEmpty && rest[0] == '=')
        {
            rest = rest[1..];
            var isNumber = member[..length].SequenceEqual("max-age"u8) || member[..length].SequenceEqual("s-maxage"u8)
                || member[..length].SequenceEqual("stale-while-revalidate"u8) || member[..length].SequenceEqual("stale-if-error"u8);
            if (!TakeItem(ref rest, mustBeInteger: isNumber))
            {
                return false;
            }
        }

        member = member[..(member.Length - rest.Length)];
        while (!rest.IsEmpty && rest[0] == ';')
        {
            rest = rest[1..].TrimStart((byte)' ');
            var parameter = KeyLength(rest);
            if (parameter == 0)
            {
                return false;
            }

            rest = rest[parameter..];
            if (!rest.IsEmpty && rest[0] == '=')
            {
                rest = rest[1..];
                if (!TakeItem(ref rest, mustBeInteger: false))
                {
                    return false;
                }
            }
        }

        directives.Read(member);
        return true;
    }

    // key = ( lcalpha / "*" ) *( lcalpha / DIGIT / "_" / "-" / "." / "*" )
    private static int KeyLength(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || text[0] is not ((>= (byte)'a' and <= (byte)'z') or (byte)'*'))
        {
            return 0;
        }

        var length = 1;
        while (length < text.Length
            && text[length] is (>= (byte)'a' and <= (byte)'z') or (>= (byte)'0' and <= (byte)'9') or (byte)'_' or (byte)'-' or (byte)'.' or (byte)'*')
        {
            length++;
        }

        return length;
    }

    private static bool IsNumber(ReadOnlySpan<byte> item)
    {
        foreach (var b in item[(item[0] == '-' ? 1 : 0)..])
        {
            if (b is not ((>= (byte)'0' and <= (byte)'9') or (byte)'.'))
            {
                return false;
            }
        }

        return item.Length <= 17;
    }

    private static bool TakeItem(ref ReadOnlySpan<byte> rest, bool mustBeInteger)
    {
        if (rest.IsEmpty)
        {
            return false;
        }

        if (rest[0] == '"')
        {
            var quoted = FieldText.QuotedLength(rest);
            var closed = quoted > 1 && rest[quoted - 1] == '"';
            rest = rest[quoted..];
            return closed && !mustBeInteger;
        }

        var isNumber = rest[0] is (>= (byte)'0' and <= (byte)'9') or (byte)'-';
        var isOther = rest[0] is (>= (byte)'a' and <= (byte)'z') or (>= (byte)'A' and <= (byte)'Z') or (byte)'*' or (byte)'?' or (byte)':' or (byte)'@';
        if (!isNumber && !isOther)
        {
            return false;
        }

        var end = rest.IndexOfAny(" \t,;"u8);
        end = end < 0 ? rest.Length : end;
        var item = rest[..end];
        rest = rest[end..];
        return isNumber ? IsNumber(item) : !mustBeInteger;
    }
}
