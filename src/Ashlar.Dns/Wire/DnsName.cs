using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Ashlar.Dns.Wire;

/// <summary>
/// A domain name: labels of 1 to 63 octets, 255 octets in all (RFC 1035, 2.3.4). It keeps the case that it was written in and is equal to one
/// in another case (RFC 4343).
/// </summary>
public sealed class DnsName : IEquatable<DnsName>
{
    /// <summary>Longest name on the wire, in octets.</summary>
    public const int MostOctets = 255;

    /// <summary>Longest label, in octets.</summary>
    public const int MostOctetsOfLabel = 63;

    private readonly byte[] _wire;
    private readonly int _hash;

    private DnsName(byte[] wire)
    {
        _wire = wire;
        var hash = new HashCode();
        foreach (var octet in wire)
        {
            hash.Add(Lower(octet));
        }

        _hash = hash.ToHashCode();
        for (var at = 0; wire[at] != 0; at += wire[at] + 1)
        {
            LabelCount++;
        }
    }

    /// <summary>The root.</summary>
    public static DnsName Root { get; } = new([0]);

    /// <summary>The name uncompressed on the wire, with the root's empty label at its end.</summary>
    public ReadOnlySpan<byte> Wire => _wire;

    /// <summary>Labels without the root's.</summary>
    public int LabelCount { get; }

    /// <summary>True: its first label is <c>*</c>.</summary>
    public bool IsWildcard => _wire is [1, (byte)'*', ..];

    /// <summary>True: it is the root.</summary>
    public bool IsRoot => LabelCount == 0;

    /// <summary>The name without its first label. The root has none.</summary>
    /// <exception cref="InvalidOperationException">It is the root.</exception>
    public DnsName Parent => IsRoot ? throw new InvalidOperationException("The root has no parent.") : new DnsName(_wire[(_wire[0] + 1)..]);

    /// <summary>A name from its octets on the wire.</summary>
    /// <param name="wire">Labels with their lengths, the root's at the end.</param>
    /// <returns>Null: they are none.</returns>
    public static DnsName? FromWire(ReadOnlySpan<byte> wire)
    {
        var at = 0;
        while (at < wire.Length && at < MostOctets)
        {
            if (wire[at] == 0)
            {
                return at == wire.Length - 1 ? at == 0 ? Root : new DnsName(wire.ToArray()) : null;
            }

            if (wire[at] > MostOctetsOfLabel)
            {
                return null;
            }

            at += wire[at] + 1;
        }

        return null;
    }

    /// <summary>A name as people write it: <c>www.example.com.</c>, with <c>\.</c> and <c>\065</c> for octets that mean something else (RFC 1035, 5.1).</summary>
    /// <param name="text">The text.</param>
    /// <param name="origin">What a name without a dot at its end stands under; null: the root.</param>
    /// <param name="name">The name.</param>
    /// <param name="mistake">Why it is none, for people.</param>
    public static bool TryParse(ReadOnlySpan<char> text, DnsName? origin, [NotNullWhen(true)] out DnsName? name, [NotNullWhen(false)] out string? mistake)
    {
        (name, mistake) = (null, null);
        if (text is "@")
        {
            return (name = origin) is not null || Fail("there is no origin", out mistake);
        }

        if (text is ".")
        {
            name = Root;
            return true;
        }

        if (text.IsEmpty)
        {
            return Fail("it is empty", out mistake);
        }

        Span<byte> wire = stackalloc byte[MostOctets + 1];
        var (length, label) = (1, 0);
        var absolute = false;
        for (var i = 0; i < text.Length; i++)
        {
            absolute = false;
            if (text[i] == '.')
            {
                if (length == label + 1)
                {
                    return Fail("it has an empty label", out mistake);
                }

                wire[label] = (byte)(length - label - 1);
                label = length++;
                absolute = true;
            }
            else if (!Octet(text, ref i, out var octet))
            {
                return Fail("it has a character that is not ASCII, or a \\ that nothing follows", out mistake);
            }
            else
            {
                if (length > MostOctets - 1)
                {
                    return Fail($"it is longer than {MostOctets} octets", out mistake);
                }

                wire[length++] = octet;
            }

            if (length - label - 1 > MostOctetsOfLabel)
            {
                return Fail($"a label is longer than {MostOctetsOfLabel} octets", out mistake);
            }

            if (length > MostOctets)
            {
                return Fail($"it is longer than {MostOctets} octets", out mistake);
            }
        }

        var end = absolute || origin is null ? Root : origin;
        if (!absolute)
        {
            wire[label] = (byte)(length - label - 1);
            label = length;
        }

        if (label + end._wire.Length > MostOctets)
        {
            return Fail($"it is longer than {MostOctets} octets", out mistake);
        }

        name = new DnsName([.. wire[..label], .. end._wire]);
        return true;
    }

    /// <summary>A name as people write it; what has no dot at its end stands under the root.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static DnsName Parse(string text) => TryParse(text, null, out var name, out var mistake) ? name : throw new FormatException($"'{text}' is no domain name: {mistake}.");

    /// <summary>True: it is the other name or stands under it.</summary>
    public bool IsUnder(DnsName other) => LabelCount >= other.LabelCount && Suffix(other.LabelCount).SequenceEqualIgnoringCase(other._wire);

    /// <summary>The last labels of it as a name.</summary>
    /// <param name="labels">How many, at most all.</param>
    public DnsName Last(int labels) => labels == LabelCount ? this : labels == 0 ? Root : new DnsName(Suffix(labels).ToArray());

    /// <summary>The wildcard of which it is the parent; null: that would be too long.</summary>
    public DnsName? Wildcard() => _wire.Length + 2 > MostOctets ? null : new DnsName([1, (byte)'*', .. _wire]);

    /// <summary>The name with one suffix put for another (RFC 6672, 2.2); null: that would be too long.</summary>
    /// <param name="from">A name that it stands under.</param>
    /// <param name="to">What comes in its place.</param>
    public DnsName? Rewritten(DnsName from, DnsName to)
    {
        var kept = _wire.Length - from._wire.Length;
        return kept + to._wire.Length > MostOctets ? null : new DnsName([.. _wire.AsSpan(0, kept), .. to._wire]);
    }

    /// <summary>The same in lower case.</summary>
    public DnsName ToLower() => new(Array.ConvertAll(_wire, Lower));

    /// <inheritdoc />
    public bool Equals(DnsName? other) => other is not null && _hash == other._hash && _wire.AsSpan().SequenceEqualIgnoringCase(other._wire);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as DnsName);

    /// <inheritdoc />
    public override int GetHashCode() => _hash;

    /// <summary>The order of names in a zone: by labels from the right (RFC 4034, 6.1).</summary>
    public static IComparer<DnsName> ZoneOrder { get; } = Comparer<DnsName>.Create(static (a, b) =>
    {
        for (var i = 1; i <= Math.Min(a.LabelCount, b.LabelCount); i++)
        {
            var order = Label(a.Suffix(i)).CompareIgnoringCase(Label(b.Suffix(i)));
            if (order != 0)
            {
                return order;
            }
        }

        return a.LabelCount.CompareTo(b.LabelCount);
    });

    /// <summary>As people write it, with a dot at its end.</summary>
    public override string ToString()
    {
        if (IsRoot)
        {
            return ".";
        }

        var text = new StringBuilder(_wire.Length);
        for (var at = 0; _wire[at] != 0; at += _wire[at] + 1)
        {
            foreach (var octet in _wire.AsSpan(at + 1, _wire[at]))
            {
                if (octet is (byte)'.' or (byte)'\\' or (byte)'"' or (byte)';' or (byte)'(' or (byte)')' or (byte)'@' or (byte)'$')
                {
                    text.Append('\\').Append((char)octet);
                }
                else if (octet is > 0x20 and < 0x7F)
                {
                    text.Append((char)octet);
                }
                else
                {
                    text.Append(CultureInfo.InvariantCulture, $"\\{octet:D3}");
                }
            }

            text.Append('.');
        }

        return text.ToString();
    }

    /// <summary>The octet in lower case, where it is a letter of ASCII.</summary>
    internal static byte Lower(byte octet) => octet is >= (byte)'A' and <= (byte)'Z' ? (byte)(octet | 0x20) : octet;

    /// <summary>One octet of a text, which may be escaped; leaves <paramref name="at"/> at its last character.</summary>
    internal static bool Octet(ReadOnlySpan<char> text, ref int at, out byte octet)
    {
        octet = 0;
        if (text[at] != '\\')
        {
            octet = (byte)text[at];
            return text[at] < 0x80;
        }

        if (at + 1 >= text.Length)
        {
            return false;
        }

        if (!char.IsAsciiDigit(text[at + 1]))
        {
            octet = (byte)text[++at];
            return text[at] < 0x80;
        }

        if (at + 3 >= text.Length || !byte.TryParse(text.Slice(at + 1, 3), NumberStyles.None, CultureInfo.InvariantCulture, out octet))
        {
            return false;
        }

        at += 3;
        return true;
    }

    private static bool Fail(string why, out string mistake)
    {
        mistake = why;
        return false;
    }

    private static ReadOnlySpan<byte> Label(ReadOnlySpan<byte> wire) => wire.Slice(1, wire[0]);

    private ReadOnlySpan<byte> Suffix(int labels)
    {
        var at = 0;
        for (var skipped = LabelCount - labels; skipped > 0; skipped--)
        {
            at += _wire[at] + 1;
        }

        return _wire.AsSpan(at);
    }
}

/// <summary>Octets without regard to the case of ASCII letters.</summary>
internal static class CaseExtensions
{
    public static bool SequenceEqualIgnoringCase(this ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => a.Length == b.Length && a.CompareIgnoringCase(b) == 0;

    public static bool SequenceEqualIgnoringCase(this Span<byte> a, ReadOnlySpan<byte> b) => ((ReadOnlySpan<byte>)a).SequenceEqualIgnoringCase(b);

    public static int CompareIgnoringCase(this ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        for (var i = 0; i < Math.Min(a.Length, b.Length); i++)
        {
            var order = DnsName.Lower(a[i]) - DnsName.Lower(b[i]);
            if (order != 0)
            {
                return order;
            }
        }

        return a.Length - b.Length;
    }
}
