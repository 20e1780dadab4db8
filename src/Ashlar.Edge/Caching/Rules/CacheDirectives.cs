using System.Runtime.InteropServices;

namespace Ashlar.Edge.Caching.Rules;

/// <summary>Directives without a number, of requests and of responses.</summary>
[Flags]
internal enum CacheFlags : ushort
{
    None = 0,
    NoStore = 1,
    NoCache = 2,
    Private = 4,
    Public = 8,
    MustRevalidate = 16,
    ProxyRevalidate = 32,
    MustUnderstand = 64,
    OnlyIfCached = 128,
    MaxStale = 256,

    /// <summary><c>no-cache="…"</c> or <c>private="…"</c>: only the fields named are meant.</summary>
    NamesFields = 512,
}

/// <summary>
/// What Cache-Control says (RFC 9111 section 5.2, RFC 5861). Seconds are -1 where they are not said. Where a directive stands
/// twice the lesser number counts, and one that is no number is 0: in doubt nothing is fresh.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal struct CacheDirectives
{
    /// <summary>More than this many seconds are as good as for ever (RFC 9111 section 1.2.2).</summary>
    public const long Forever = 1L << 31;

    public CacheDirectives()
    {
    }

    public CacheFlags Flags;
    public long MaxAge = -1;
    public long SharedMaxAge = -1;
    public long StaleWhileRevalidate = -1;
    public long StaleIfError = -1;
    public long MinFresh = -1;
    public long MaxStale = -1;

    public readonly bool Has(CacheFlags flag) => (Flags & flag) != CacheFlags.None;

    /// <summary>Reads one field line into what was read before.</summary>
    public void Read(ReadOnlySpan<byte> value)
    {
        while (NextDirective(ref value, out var name, out var argument, out var hasArgument))
        {
            Take(name, argument, hasArgument);
        }
    }

    /// <summary>Calls <paramref name="found"/> with each field name that a <c>no-cache="…"</c> or <c>private="…"</c> of this line names.</summary>
    public static void NamedFields(ReadOnlySpan<byte> value, Action<ReadOnlySpan<byte>> found)
    {
        while (NextDirective(ref value, out var name, out var argument, out _))
        {
            if (argument.IsEmpty || !(FieldText.Is(name, "no-cache"u8) || FieldText.Is(name, "private"u8)))
            {
                continue;
            }

            while (FieldText.NextElement(ref argument, out var field))
            {
                if (!field.IsEmpty)
                {
                    found(field);
                }
            }
        }
    }

    /// <summary>Splits the next directive off; false at the end. What has white space before its <c>=</c> has no name.</summary>
    internal static bool NextDirective(
        ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> argument, out bool hasArgument)
    {
        rest = rest.TrimStart(" \t,"u8);
        argument = default;
        hasArgument = false;
        if (rest.IsEmpty)
        {
            name = default;
            return false;
        }

        var end = rest.IndexOfAny(" \t,="u8);
        end = end < 0 ? rest.Length : end;
        name = rest[..end];
        rest = rest[end..];
        if (!rest.IsEmpty && rest[0] == '=')
        {
            hasArgument = true;
            argument = FieldText.TakeValue(ref rest);
        }

        // Whatever stands between here and the comma belongs to nothing that we know.
        var trimmed = rest.TrimStart(" \t"u8);
        if (!trimmed.IsEmpty && trimmed[0] != ',')
        {
            name = default;
            SkipToComma(ref rest);
        }

        return true;
    }

    private static void SkipToComma(ref ReadOnlySpan<byte> rest)
    {
        while (!rest.IsEmpty && rest[0] != ',')
        {
            if (rest[0] == '"')
            {
                var quoted = FieldText.QuotedLength(rest);
                rest = rest[quoted..];
            }
            else
            {
                rest = rest[1..];
            }
        }
    }

    private void Take(ReadOnlySpan<byte> name, ReadOnlySpan<byte> argument, bool hasArgument)
    {
        switch (name.Length)
        {
            case 6 when FieldText.Is(name, "public"u8): Flags |= CacheFlags.Public; break;
            case 7 when FieldText.Is(name, "max-age"u8): Least(ref MaxAge, argument); break;
            case 7 when FieldText.Is(name, "private"u8): Flags |= argument.IsEmpty ? CacheFlags.Private : CacheFlags.NamesFields; break;
            case 8 when FieldText.Is(name, "s-maxage"u8): Least(ref SharedMaxAge, argument); break;
            case 8 when FieldText.Is(name, "no-store"u8): Flags |= CacheFlags.NoStore; break;
            case 8 when FieldText.Is(name, "no-cache"u8): Flags |= argument.IsEmpty ? CacheFlags.NoCache : CacheFlags.NamesFields; break;
            case 9 when FieldText.Is(name, "min-fresh"u8): Least(ref MinFresh, argument); break;
            case 9 when FieldText.Is(name, "max-stale"u8):
                Flags |= CacheFlags.MaxStale;
                if (hasArgument)
                {
                    Least(ref MaxStale, argument);
                }

                break;
            case 14 when FieldText.Is(name, "stale-if-error"u8): Least(ref StaleIfError, argument); break;
            case 14 when FieldText.Is(name, "only-if-cached"u8): Flags |= CacheFlags.OnlyIfCached; break;
            case 15 when FieldText.Is(name, "must-revalidate"u8): Flags |= CacheFlags.MustRevalidate; break;
            case 15 when FieldText.Is(name, "must-understand"u8): Flags |= CacheFlags.MustUnderstand; break;
            case 16 when FieldText.Is(name, "proxy-revalidate"u8): Flags |= CacheFlags.ProxyRevalidate; break;
            case 22 when FieldText.Is(name, "stale-while-revalidate"u8): Least(ref StaleWhileRevalidate, argument); break;
        }
    }

    private static void Least(ref long seconds, ReadOnlySpan<byte> argument)
    {
        var said = FieldText.TryReadSeconds(argument, out var value) ? value : 0;
        seconds = seconds < 0 ? said : Math.Min(seconds, said);
    }
}
