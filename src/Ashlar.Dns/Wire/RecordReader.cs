using System.Buffers.Binary;

namespace Ashlar.Dns.Wire;

/// <summary>Reads names and records from a message, whoever sent it: every length is checked, and a name never points forward.</summary>
internal static class RecordReader
{
    private const int Pointer = 0xC0;

    /// <summary>Reads a name, which may be compressed (RFC 1035, 4.1.4).</summary>
    /// <param name="message">The whole message.</param>
    /// <param name="at">Where it begins; after it, what follows.</param>
    /// <returns>Null: there is none.</returns>
    public static DnsName? Name(ReadOnlySpan<byte> message, ref int at)
    {
        Span<byte> wire = stackalloc byte[DnsName.MostOctets];
        var (length, from, ended) = (0, at, false);
        var lowest = at;
        while (from < message.Length)
        {
            var octet = message[from];
            if ((octet & Pointer) == Pointer)
            {
                if (from + 1 >= message.Length)
                {
                    return null;
                }

                var to = ((octet & ~Pointer) << 8) | message[from + 1];
                at = ended ? at : from + 2;
                ended = true;

                // Each jump goes further back than all before, so there is an end.
                if (to >= lowest)
                {
                    return null;
                }

                (from, lowest) = (to, to);
                continue;
            }

            if (octet > DnsName.MostOctetsOfLabel || length + octet + 1 > DnsName.MostOctets || from + octet + 1 > message.Length)
            {
                return null;
            }

            message.Slice(from, octet + 1).CopyTo(wire[length..]);
            length += octet + 1;
            from += octet + 1;
            if (octet == 0)
            {
                at = ended ? at : from;
                return DnsName.FromWire(wire[..length]);
            }
        }

        return null;
    }

    /// <summary>Reads a record's data, with its names uncompressed; null: it is not what its type is made of.</summary>
    /// <param name="message">The whole message.</param>
    /// <param name="at">Where the data begins.</param>
    /// <param name="length">Its octets.</param>
    /// <param name="type">Its type.</param>
    public static RecordData? Data(ReadOnlySpan<byte> message, int at, int length, RecordType type)
    {
        var end = at + length;
        if (end > message.Length)
        {
            return null;
        }

        if (RecordFields.Of(type) is not { } fields)
        {
            return new RecordData(message[at..end].ToArray());
        }

        var octets = new List<byte>(length);
        foreach (var field in fields)
        {
            if (!Field(message[..end], ref at, field, octets))
            {
                return null;
            }
        }

        return at == end ? new RecordData([.. octets]) : null;
    }

    /// <summary>The data, if these octets are what the type is made of.</summary>
    public static RecordData? TryUncompressed(RecordType type, ReadOnlySpan<byte> octets) => Data(octets, 0, octets.Length, type);

    /// <summary>Reads a record of class IN; of another class it is null, as one that cannot be read.</summary>
    public static Record? Record(ReadOnlySpan<byte> message, ref int at)
    {
        if (Name(message, ref at) is not { } name || at + 10 > message.Length)
        {
            return null;
        }

        var type = (RecordType)BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
        var kind = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]);
        var life = BinaryPrimitives.ReadUInt32BigEndian(message[(at + 4)..]);
        var length = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 8)..]);
        at += 10;
        if (at + length > message.Length || kind != 1 || Data(message, at, length, type) is not { } data)
        {
            return null;
        }

        at += length;
        return new Record(name, type, life > int.MaxValue ? 0 : life, data);
    }

    private static bool Field(ReadOnlySpan<byte> message, ref int at, RecordField field, List<byte> octets)
    {
        switch (field)
        {
            case RecordField.KnownName or RecordField.Name:
                if (Name(message, ref at) is not { } name)
                {
                    return false;
                }

                octets.AddRange(name.Wire);
                return true;
            case RecordField.Octet:
                return Take(message, ref at, 1, octets);
            case RecordField.Short:
                return Take(message, ref at, 2, octets);
            case RecordField.Long or RecordField.Time or RecordField.Address4:
                return Take(message, ref at, 4, octets);
            case RecordField.Address6:
                return Take(message, ref at, 16, octets);
            case RecordField.Text:
                return at < message.Length && Take(message, ref at, message[at] + 1, octets);
            case RecordField.Tag:
                var tag = octets.Count + 1;
                return at < message.Length && message[at] > 0 && Take(message, ref at, message[at] + 1, octets)
                    && octets.Skip(tag).All(octet => char.IsAsciiLetterOrDigit((char)octet));
            case RecordField.Texts:
                var some = at < message.Length;
                while (at < message.Length)
                {
                    if (!Take(message, ref at, message[at] + 1, octets))
                    {
                        return false;
                    }
                }

                return some;
            default:
                return Take(message, ref at, message.Length - at, octets);
        }
    }

    private static bool Take(ReadOnlySpan<byte> message, ref int at, int length, List<byte> octets)
    {
        if (at + length > message.Length)
        {
            return false;
        }

        octets.AddRange(message.Slice(at, length));
        at += length;
        return true;
    }
}
