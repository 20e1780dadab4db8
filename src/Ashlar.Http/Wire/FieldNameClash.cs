namespace Ashlar.Http.Wire;

/// <summary>
/// Names with <c>_</c>: CGI, FastCGI and WSGI turn <c>X-Real-IP</c> and <c>X_Real_IP</c> into one variable, so a client
/// could say what only the proxy may. Such a name is dropped when its hyphened form is a field the proxy knows or
/// stands in the same head; others pass.
/// </summary>
internal static class FieldNameClash
{
    /// <summary>Marks the clashing fields as dropped.</summary>
    public static void Drop(ReadOnlySpan<byte> buffer, Span<HeaderField> fields)
    {
        for (var i = 0; i < fields.Length; i++)
        {
            ref var field = ref fields[i];
            if (field.Known == KnownHeader.None && field.Name(buffer).Contains((byte)'_'))
            {
                field.Dropped |= IsKnownWithHyphens(field.Name(buffer)) || HasTwin(buffer, fields, i);
            }
        }
    }

    private static bool IsKnownWithHyphens(ReadOnlySpan<byte> name)
    {
        if (name.Length > 64)
        {
            return false;
        }

        Span<byte> hyphened = stackalloc byte[64];
        name.Replace(hyphened, (byte)'_', (byte)'-');
        return KnownHeaders.Recognise(hyphened[..name.Length]) != KnownHeader.None;
    }

    private static bool HasTwin(ReadOnlySpan<byte> buffer, ReadOnlySpan<HeaderField> fields, int index)
    {
        var name = fields[index].Name(buffer);
        for (var i = 0; i < fields.Length; i++)
        {
            if (i != index && fields[i].NameLength == name.Length && IsTwin(name, fields[i].Name(buffer)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Equal without regard to case and to <c>_</c> or <c>-</c>, but not spelled with the same of them.</summary>
    private static bool IsTwin(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var differs = false;
        for (var i = 0; i < a.Length; i++)
        {
            var x = Fold(a[i]);
            var y = Fold(b[i]);
            if (x == y)
            {
                continue;
            }

            if (x is not ((byte)'_' or (byte)'-') || y is not ((byte)'_' or (byte)'-'))
            {
                return false;
            }

            differs = true;
        }

        return differs;
    }

    private static byte Fold(byte b) => b is >= (byte)'A' and <= (byte)'Z' ? (byte)(b | 0x20) : b;
}
