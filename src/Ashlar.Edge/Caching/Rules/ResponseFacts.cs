using System.Runtime.InteropServices;

namespace Ashlar.Edge.Caching.Rules;

/// <summary>What the field lines of a response say to a cache. Times are in seconds; -1: not said.</summary>
[StructLayout(LayoutKind.Auto)]
internal ref struct ResponseFacts
{
    public ResponseFacts()
    {
    }

    /// <summary>What counts for this cache: the field targeted at it, or else Cache-Control.</summary>
    public CacheDirectives Directives = new();

    /// <summary>A field targeted at this cache has taken the place of Cache-Control and Expires.</summary>
    public bool IsTargeted;

    /// <summary>Date in seconds since 1970.</summary>
    public long Date = -1;

    /// <summary>Expires in seconds since 1970; 0 where it is there and is no date.</summary>
    public long Expires = -1;

    /// <summary>Age as received: the first number where there are several, and what is no number is ignored (RFC 9111 section 5.1).</summary>
    public long Age;

    public long LastModified = -1;
    public ReadOnlySpan<byte> ETag;
    public bool HasSetCookie;
    public bool HasVary;
    public bool VariesOnAll;
    public bool HasNamedFields;
    public bool HasHsts;

    /// <summary>Reads the lines of a response.</summary>
    public static ResponseFacts Read(ReadOnlySpan<byte> fields)
    {
        var facts = new ResponseFacts();
        var cdn = new CacheDirectives();
        var surrogate = new CacheDirectives();
        var (hasCdn, validCdn, hasSurrogate, ages, expires) = (false, true, false, 0, 0);
        var lines = new FieldLines(fields);
        while (lines.Next())
        {
            var value = lines.Value;
            switch (lines.Name.Length)
            {
                case 3 when FieldText.Is(lines.Name, "age"u8):
                    var end = value.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
                    if (++ages == 1 && end != 0 && (end < 0 || value[end] is (byte)',' or (byte)';' or (byte)' '))
                    {
                        FieldText.TryReadSeconds(end < 0 ? value : value[..end], out facts.Age);
                    }

                    break;
                case 4 when FieldText.Is(lines.Name, "date"u8):
                    facts.Date = HttpDate.TryRead(value, out var date) ? date : -1;
                    break;
                case 4 when FieldText.Is(lines.Name, "etag"u8):
                    facts.ETag = value;
                    break;
                case 4 when FieldText.Is(lines.Name, "vary"u8):
                    facts.HasVary = true;
                    facts.VariesOnAll |= NamesAll(value);
                    break;
                case 7 when FieldText.Is(lines.Name, "expires"u8):
                    // A second one makes both of them doubtful.
                    facts.Expires = ++expires == 1 && HttpDate.TryRead(value, out var until) ? Math.Max(until, 0) : 0;
                    break;
                case 10 when FieldText.Is(lines.Name, "set-cookie"u8):
                    facts.HasSetCookie = true;
                    break;
                case 13 when FieldText.Is(lines.Name, "cache-control"u8):
                    facts.Directives.Read(value);
                    break;
                case 13 when FieldText.Is(lines.Name, "last-modified"u8):
                    facts.LastModified = HttpDate.TryRead(value, out var modified) ? modified : -1;
                    break;
                case 25 when FieldText.Is(lines.Name, "strict-transport-security"u8):
                    facts.HasHsts = true;
                    break;
                case 17 when FieldText.Is(lines.Name, "cdn-cache-control"u8):
                    hasCdn = true;
                    validCdn &= TargetedControl.TryReadDictionary(value, ref cdn);
                    break;
                case 17 when FieldText.Is(lines.Name, "surrogate-control"u8):
                    hasSurrogate = true;
                    TargetedControl.ReadSurrogate(value, ref surrogate);
                    break;
            }
        }

        facts.HasNamedFields = facts.Directives.Has(CacheFlags.NamesFields);
        if (hasCdn && validCdn && !IsEmpty(in cdn))
        {
            (facts.Directives, facts.IsTargeted) = (cdn, true);
        }
        else if (hasSurrogate && !IsEmpty(in surrogate))
        {
            (facts.Directives, facts.IsTargeted) = (surrogate, true);
        }

        return facts;
    }

    private static bool IsEmpty(in CacheDirectives directives) =>
        directives.Flags == CacheFlags.None && directives is { MaxAge: < 0, SharedMaxAge: < 0, StaleWhileRevalidate: < 0, StaleIfError: < 0 };

    private static bool NamesAll(ReadOnlySpan<byte> value)
    {
        while (FieldText.NextElement(ref value, out var name))
        {
            if (name.SequenceEqual("*"u8))
            {
                return true;
            }
        }

        return false;
    }
}
