using System.Globalization;

namespace Ashlar.Dns.Wire;

/// <summary>Type of a record or question. Any number of 16 bits is one; these have names here (RFC 3597 for the others).</summary>
public enum RecordType : ushort
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>IPv4 address.</summary>
    A = 1,

    /// <summary>Name server.</summary>
    NS = 2,

    /// <summary>Another name of the same.</summary>
    CNAME = 5,

    /// <summary>Start of a zone.</summary>
    SOA = 6,

    /// <summary>Name of an address.</summary>
    PTR = 12,

    /// <summary>Hardware and system.</summary>
    HINFO = 13,

    /// <summary>Where mail goes.</summary>
    MX = 15,

    /// <summary>Text.</summary>
    TXT = 16,

    /// <summary>IPv6 address.</summary>
    AAAA = 28,

    /// <summary>Where a service is (RFC 2782).</summary>
    SRV = 33,

    /// <summary>Naming authority pointer (RFC 3403).</summary>
    NAPTR = 35,

    /// <summary>Another name of all below (RFC 6672).</summary>
    DNAME = 39,

    /// <summary>EDNS (RFC 6891); in messages alone.</summary>
    OPT = 41,

    /// <summary>Signer of a delegation (RFC 4034).</summary>
    DS = 43,

    /// <summary>Fingerprint of an SSH key (RFC 4255).</summary>
    SSHFP = 44,

    /// <summary>Certificate of a service (RFC 6698).</summary>
    TLSA = 52,

    /// <summary>Service binding (RFC 9460).</summary>
    SVCB = 64,

    /// <summary>Service binding of HTTP (RFC 9460).</summary>
    HTTPS = 65,

    /// <summary>Incremental transfer; in questions alone.</summary>
    IXFR = 251,

    /// <summary>Transfer; in questions alone.</summary>
    AXFR = 252,

    /// <summary>All types; in questions alone.</summary>
    ANY = 255,

    /// <summary>Who may issue certificates (RFC 8659).</summary>
    CAA = 257,

    /// <summary>The addresses of another name, as if they were the owner's: Ashlar's own, in zones alone and never in an answer (a number of private use).</summary>
    ALIAS = 65401,
}

/// <summary>Types as people write them.</summary>
public static class RecordTypes
{
    private const string Unknown = "TYPE";

    /// <summary><c>A</c>; <c>TYPE731</c> where it has no name here.</summary>
    public static string Print(this RecordType type) => Enum.IsDefined(type) && type != RecordType.None ? type.ToString() : string.Create(CultureInfo.InvariantCulture, $"{Unknown}{(ushort)type}");

    /// <summary>Reads a type, in any case.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out RecordType type)
    {
        type = RecordType.None;
        if (text.StartsWith(Unknown, StringComparison.OrdinalIgnoreCase) && ushort.TryParse(text[Unknown.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            type = (RecordType)number;
            return true;
        }

        return !text.IsEmpty && char.IsAsciiLetter(text[0]) && !text.ContainsAny(", ") && Enum.TryParse(text, ignoreCase: true, out type) && type != RecordType.None;
    }

    /// <summary>True: records of it are never in a zone: it is a question's, or a message's.</summary>
    public static bool IsMeta(this RecordType type) => type is RecordType.None or RecordType.OPT || (ushort)type is >= 128 and <= 255;
}
