using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace Ashlar.Dns.Wire;

/// <summary>A record's data as people write it in a master file (RFC 1035, 5.1; RFC 3597 for unknown types).</summary>
internal static class RecordText
{
    /// <summary>Longest data of a record, in octets.</summary>
    public const int MostOctets = ushort.MaxValue;

    private const string Generic = "\\#";

    /// <summary>Writes it.</summary>
    public static string Print(RecordType type, RecordData data)
    {
        var rest = data.Octets;
        if (RecordFields.Of(type) is not { } fields)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{Generic} {rest.Length}{(rest.IsEmpty ? "" : " ")}{Convert.ToHexStringLower(rest)}");
        }

        var words = new List<string>();
        foreach (var field in fields)
        {
            words.Add(Print(field, ref rest));
        }

        return string.Join(' ', words);
    }

    /// <summary>Reads it.</summary>
    /// <param name="type">The type.</param>
    /// <param name="words">The words after the type.</param>
    /// <param name="origin">What names without a dot at their end stand under.</param>
    /// <param name="data">What was read.</param>
    /// <returns>The word that is wrong, with the reason; null: none is.</returns>
    public static (int Word, string Why)? Parse(RecordType type, IReadOnlyList<MasterWord> words, DnsName origin, out RecordData data)
    {
        var octets = new List<byte>();
        data = new RecordData([]);
        var wrong = words is [{ Text: Generic, IsQuoted: false }, ..] ? ParseGeneric(words, octets) : ParseFields(type, words, origin, octets);
        if (wrong is null && words is [{ Text: Generic }, ..] && RecordReader.TryUncompressed(type, [.. octets]) is null)
        {
            wrong = (0, $"these octets are no {type.Print()}");
        }

        data = new RecordData([.. octets]);
        return wrong ?? (octets.Count > MostOctets ? (0, $"it is longer than {MostOctets} octets") : null);
    }

    private static (int, string)? ParseGeneric(IReadOnlyList<MasterWord> words, List<byte> octets)
    {
        if (words.Count < 2 || !ushort.TryParse(words[1].Text, NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            return (Math.Min(1, words.Count - 1), "after \\# comes a number of octets");
        }

        var hex = string.Concat(words.Skip(2).Select(word => word.Text));
        try
        {
            octets.AddRange(Convert.FromHexString(hex));
        }
        catch (FormatException)
        {
            return (2, "these are no hexadecimal digits, two for an octet");
        }

        return octets.Count == length ? null : (1, string.Create(CultureInfo.InvariantCulture, $"it says {length} octets, and {octets.Count} follow"));
    }

    private static (int, string)? ParseFields(RecordType type, IReadOnlyList<MasterWord> words, DnsName origin, List<byte> octets)
    {
        if (RecordFields.Of(type) is not { } fields)
        {
            return (0, $"the data of {type.Print()} is written \\# LENGTH HEX");
        }

        var next = 0;
        foreach (var field in fields)
        {
            if (next >= words.Count)
            {
                return (words.Count, $"{type.Print()} needs {fields.Length} words, and there are {words.Count}");
            }

            var rest = field is RecordField.Texts or RecordField.RestHex;
            var taken = rest ? words.Count - next : 1;
            for (var i = 0; i < taken; i++)
            {
                if (Parse(field, words[next + i], origin, octets) is { } why)
                {
                    return (next + i, why);
                }
            }

            next += taken;
        }

        return next == words.Count ? null : (next, $"nothing more belongs to {type.Print()}");
    }

    private static string? Parse(RecordField field, MasterWord word, DnsName origin, List<byte> octets)
    {
        switch (field)
        {
            case RecordField.KnownName or RecordField.Name:
                if (!DnsName.TryParse(word.Text, origin, out var name, out var mistake))
                {
                    return $"'{word.Text}' is no domain name: {mistake}";
                }

                octets.AddRange(name.Wire);
                return null;
            case RecordField.Octet:
                return Number(word, byte.MaxValue, 1, octets);
            case RecordField.Short:
                return Number(word, ushort.MaxValue, 2, octets);
            case RecordField.Long:
                return Number(word, uint.MaxValue, 4, octets);
            case RecordField.Time:
                if (MasterTime.Parse(word.Text) is not { } seconds)
                {
                    return $"'{word.Text}' is no time such as 3600 or 1h30m";
                }

                Append(octets, seconds, 4);
                return null;
            case RecordField.Address4:
                // Four numbers, and not what else inet_aton takes.
                if (word.Text.Split('.') is not { Length: 4 } || !IPAddress.TryParse(word.Text, out var four) || four.ToString() != word.Text)
                {
                    return $"'{word.Text}' is no IPv4 address";
                }

                octets.AddRange(four.GetAddressBytes());
                return null;
            case RecordField.Address6:
                if (!word.Text.Contains(':') || word.Text.Contains('%') || !IPAddress.TryParse(word.Text, out var six))
                {
                    return $"'{word.Text}' is no IPv6 address";
                }

                octets.AddRange(six.GetAddressBytes());
                return null;
            case RecordField.Tag when word.Text.Length == 0 || !word.Text.All(char.IsAsciiLetterOrDigit):
                return $"'{word.Text}' is not made of letters and digits";
            case RecordField.Text or RecordField.Texts or RecordField.Tag:
                return Text(word, octets, counted: true);
            case RecordField.RestText:
                return Text(word, octets, counted: false);
            default:
                return Hex(word, octets);
        }
    }

    private static string? Number(MasterWord word, uint most, int size, List<byte> octets)
    {
        if (!uint.TryParse(word.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > most)
        {
            return string.Create(CultureInfo.InvariantCulture, $"'{word.Text}' is no number from 0 to {most}");
        }

        Append(octets, number, size);
        return null;
    }

    private static void Append(List<byte> octets, uint number, int size)
    {
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(four, number);
        octets.AddRange(four[^size..]);
    }

    private static string? Text(MasterWord word, List<byte> octets, bool counted)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < word.Text.Length; i++)
        {
            if (word.Text[i] >= 0x80)
            {
                var rune = char.IsHighSurrogate(word.Text[i]) && i + 1 < word.Text.Length ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(word.Text, i, rune));
                i += rune - 1;
            }
            else if (!DnsName.Octet(word.Text, ref i, out var octet))
            {
                return "a \\ stands before a character, or three digits up to 255";
            }
            else
            {
                bytes.Add(octet);
            }
        }

        if (counted)
        {
            if (bytes.Count > byte.MaxValue)
            {
                return string.Create(CultureInfo.InvariantCulture, $"a text has at most 255 octets, and this has {bytes.Count}: write it as several, \"…\" \"…\"");
            }

            octets.Add((byte)bytes.Count);
        }

        octets.AddRange(bytes);
        return null;
    }

    private static string? Hex(MasterWord word, List<byte> octets)
    {
        try
        {
            octets.AddRange(Convert.FromHexString(word.Text));
            return null;
        }
        catch (FormatException)
        {
            return $"'{word.Text}' is not made of hexadecimal digits, two for an octet";
        }
    }

    private static string Print(RecordField field, ref ReadOnlySpan<byte> rest)
    {
        switch (field)
        {
            case RecordField.KnownName or RecordField.Name:
                var length = 1;
                for (var at = 0; rest[at] != 0; at += rest[at] + 1)
                {
                    length += rest[at] + 1;
                }

                return DnsName.FromWire(Take(ref rest, length))!.ToString();
            case RecordField.Octet:
                return Take(ref rest, 1)[0].ToString(CultureInfo.InvariantCulture);
            case RecordField.Short:
                return BinaryPrimitives.ReadUInt16BigEndian(Take(ref rest, 2)).ToString(CultureInfo.InvariantCulture);
            case RecordField.Long or RecordField.Time:
                return BinaryPrimitives.ReadUInt32BigEndian(Take(ref rest, 4)).ToString(CultureInfo.InvariantCulture);
            case RecordField.Address4:
                return new IPAddress(Take(ref rest, 4)).ToString();
            case RecordField.Address6:
                return new IPAddress(Take(ref rest, 16)).ToString();
            case RecordField.Text:
                return Quoted(Take(ref rest, Take(ref rest, 1)[0]));
            case RecordField.Tag:
                return Encoding.ASCII.GetString(Take(ref rest, Take(ref rest, 1)[0]));
            case RecordField.Texts:
                var texts = new List<string>();
                while (!rest.IsEmpty)
                {
                    texts.Add(Quoted(Take(ref rest, Take(ref rest, 1)[0])));
                }

                return string.Join(' ', texts);
            case RecordField.RestText:
                return Quoted(Take(ref rest, rest.Length));
            default:
                return Convert.ToHexStringLower(Take(ref rest, rest.Length));
        }
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> rest, int length)
    {
        var taken = rest[..length];
        rest = rest[length..];
        return taken;
    }

    private static string Quoted(ReadOnlySpan<byte> octets)
    {
        var text = new StringBuilder("\"");
        foreach (var octet in octets)
        {
            _ = octet switch
            {
                (byte)'"' or (byte)'\\' => text.Append('\\').Append((char)octet),
                >= 0x20 and < 0x7F => text.Append((char)octet),
                _ => text.Append(CultureInfo.InvariantCulture, $"\\{octet:D3}"),
            };
        }

        return text.Append('"').ToString();
    }
}
