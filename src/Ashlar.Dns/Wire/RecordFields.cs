using System.Collections.Frozen;

namespace Ashlar.Dns.Wire;

/// <summary>What a record's data is made of.</summary>
internal enum RecordField
{
    /// <summary>A name that may be compressed on the wire (RFC 3597, 4).</summary>
    KnownName,

    /// <summary>A name.</summary>
    Name,

    /// <summary>A number of 8 bits.</summary>
    Octet,

    /// <summary>A number of 16 bits.</summary>
    Short,

    /// <summary>A number of 32 bits.</summary>
    Long,

    /// <summary>A time in seconds, which may be written <c>1h30m</c>.</summary>
    Time,

    /// <summary>An IPv4 address.</summary>
    Address4,

    /// <summary>An IPv6 address.</summary>
    Address6,

    /// <summary>Up to 255 octets.</summary>
    Text,

    /// <summary>One or more of them, up to the end.</summary>
    Texts,

    /// <summary>A tag of letters and digits.</summary>
    Tag,

    /// <summary>All the rest as one text.</summary>
    RestText,

    /// <summary>All the rest as hexadecimal digits.</summary>
    RestHex,
}

/// <summary>Which fields each type has: the one table that reading, writing and printing go by. A type that is not here is octets (RFC 3597).</summary>
internal static class RecordFields
{
    private static readonly FrozenDictionary<RecordType, RecordField[]> Known = new Dictionary<RecordType, RecordField[]>
    {
        [RecordType.A] = [RecordField.Address4],
        [RecordType.NS] = [RecordField.KnownName],
        [RecordType.CNAME] = [RecordField.KnownName],
        [RecordType.SOA] = [RecordField.KnownName, RecordField.KnownName, RecordField.Long, RecordField.Time, RecordField.Time, RecordField.Time, RecordField.Time],
        [RecordType.PTR] = [RecordField.KnownName],
        [RecordType.HINFO] = [RecordField.Text, RecordField.Text],
        [RecordType.MX] = [RecordField.Short, RecordField.KnownName],
        [RecordType.TXT] = [RecordField.Texts],
        [RecordType.AAAA] = [RecordField.Address6],
        [RecordType.SRV] = [RecordField.Short, RecordField.Short, RecordField.Short, RecordField.Name],
        [RecordType.NAPTR] = [RecordField.Short, RecordField.Short, RecordField.Text, RecordField.Text, RecordField.Text, RecordField.Name],
        [RecordType.DNAME] = [RecordField.Name],
        [RecordType.ALIAS] = [RecordField.Name],
        [RecordType.DS] = [RecordField.Short, RecordField.Octet, RecordField.Octet, RecordField.RestHex],
        [RecordType.SSHFP] = [RecordField.Octet, RecordField.Octet, RecordField.RestHex],
        [RecordType.TLSA] = [RecordField.Octet, RecordField.Octet, RecordField.Octet, RecordField.RestHex],
        [RecordType.CAA] = [RecordField.Octet, RecordField.Tag, RecordField.RestText],
    }.ToFrozenDictionary();

    /// <summary>The fields of a type; null: it is octets.</summary>
    public static RecordField[]? Of(RecordType type) => Known.GetValueOrDefault(type);
}
