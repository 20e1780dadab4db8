namespace Ashlar.Http.Wire;

/// <summary>What Connection fields ask for.</summary>
[Flags]
internal enum ConnectionOptions : byte
{
    None = 0,
    Close = 1,
    KeepAlive = 2,
    Upgrade = 4,

    /// <summary>At least one option is the name of some field.</summary>
    NamesFields = 8,
}

/// <summary>The Connection field (RFC 9110 section 7.6.1).</summary>
internal static class ConnectionField
{
    /// <summary>Most options in one head: each costs a walk over the fields.</summary>
    public const int MaxOptions = 32;

    /// <summary>Reads one field's value; false when it is not a list of tokens or the budget of options is spent.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, ref int budget, out ConnectionOptions options)
    {
        options = ConnectionOptions.None;
        while (Bytes.NextElement(ref value, out var option))
        {
            if (--budget < 0)
            {
                return false;
            }

            if (option.IsEmpty)
            {
                continue;
            }

            if (Bytes.EqualsLower(option, "keep-alive"u8))
            {
                options |= ConnectionOptions.KeepAlive;
            }
            else if (Bytes.EqualsLower(option, "close"u8))
            {
                options |= ConnectionOptions.Close;
            }
            else if (Bytes.EqualsLower(option, "upgrade"u8))
            {
                options |= ConnectionOptions.Upgrade;
            }
            else if (Bytes.IsToken(option))
            {
                options |= ConnectionOptions.NamesFields;
            }
            else
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Marks the fields that a value names, but only those the proxy does not know: a known field is either hop-by-hop
    /// already or meant for everybody, and naming Host or Authorization must not delete it.
    /// </summary>
    public static void DropNamed(ReadOnlySpan<byte> buffer, ReadOnlySpan<byte> value, Span<HeaderField> fields)
    {
        while (Bytes.NextElement(ref value, out var option))
        {
            foreach (ref var field in fields)
            {
                if (field.Known == KnownHeader.None
                    && field.NameLength == option.Length
                    && System.Text.Ascii.EqualsIgnoreCase(field.Name(buffer), option))
                {
                    field.Dropped = true;
                }
            }
        }
    }
}
