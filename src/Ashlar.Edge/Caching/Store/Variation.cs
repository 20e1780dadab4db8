using System.Runtime.InteropServices;
using Ashlar.Edge.Caching.Rules;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Caching.Store;

/// <summary>
/// The fields that a response varies on, and what they were in the request that it answers (RFC 9111 section 4.1), in a normal form:
/// lines joined, white space at commas removed; of Accept-Encoding only which codings are taken, of Accept-Language no order but
/// that of its weights.
/// </summary>
internal sealed class Variation
{
    // More fields than this, and a response is not worth keeping.
    private const int MostFields = 16;

    private Variation(byte[][] names, byte[] values)
    {
        Names = names;
        Values = values;
    }

    /// <summary>It does not vary.</summary>
    public static Variation None { get; } = new([], []);

    /// <summary>Field names in lower case.</summary>
    public byte[][] Names { get; }

    /// <summary>Their values in the request, in the normal form.</summary>
    public byte[] Values { get; }

    /// <summary>True: it varies on the codings that are taken.</summary>
    public bool TellsCodings => Names.Any(static name => name.AsSpan().SequenceEqual("accept-encoding"u8));

    /// <summary>Bytes it costs.</summary>
    public int Cost => Values.Length + Names.Sum(static name => name.Length + 24);

    /// <summary>The variation of a response to a request; null: it varies on more fields than are kept apart.</summary>
    /// <param name="fields">The response's field lines.</param>
    /// <param name="request">The request's head.</param>
    /// <param name="buffer">The buffer it was parsed from.</param>
    public static Variation? Of(ReadOnlySpan<byte> fields, RequestHead request, ReadOnlySpan<byte> buffer)
    {
        List<byte[]> names = [];
        var lines = new FieldLines(fields);
        while (lines.Next())
        {
            if (!FieldText.Is(lines.Name, "vary"u8))
            {
                continue;
            }

            var value = lines.Value;
            while (FieldText.NextElement(ref value, out var element))
            {
                if (element.IsEmpty)
                {
                    continue;
                }

                var name = element.ToArray();
                System.Text.Ascii.ToLowerInPlace(name, out _);
                if (!names.Exists(known => known.AsSpan().SequenceEqual(name)))
                {
                    names.Add(name);
                }
            }
        }

        if (names.Count > MostFields)
        {
            return null;
        }

        names.Sort(static (a, b) => a.AsSpan().SequenceCompareTo(b));
        return names.Count == 0 ? None : With([.. names], request, buffer);
    }

    /// <summary>True: who takes a body of this coding is told from who does not (<c>Accept-Encoding</c>).</summary>
    public static bool Knows(ReadOnlySpan<byte> coding) => FieldText.Is(coding, "gzip"u8) || FieldText.Is(coding, "br"u8) || FieldText.Is(coding, "zstd"u8)
        || FieldText.Is(coding, "deflate"u8) || FieldText.Is(coding, "x-gzip"u8) || FieldText.Is(coding, "identity"u8);

    /// <summary>The same fields as another request has them.</summary>
    public Variation For(RequestHead request, ReadOnlySpan<byte> buffer) => Names.Length == 0 ? this : With(Names, request, buffer);

    /// <summary>Whether a request has the same values.</summary>
    public bool Matches(RequestHead request, ReadOnlySpan<byte> buffer, ref byte[] scratch)
    {
        if (Names.Length == 0)
        {
            return true;
        }

        var length = Write(Names, request, buffer, ref scratch);
        return scratch.AsSpan(0, length).SequenceEqual(Values);
    }

    /// <summary>Whether both vary on the same fields with the same values.</summary>
    public bool Is(Variation other) =>
        ReferenceEquals(this, other)
        || (Names.Length == other.Names.Length && Values.AsSpan().SequenceEqual(other.Values)
            && Names.Zip(other.Names).All(static pair => pair.First.AsSpan().SequenceEqual(pair.Second)));

    private static Variation With(byte[][] names, RequestHead request, ReadOnlySpan<byte> buffer)
    {
        var scratch = new byte[256];
        var length = Write(names, request, buffer, ref scratch);
        return new Variation(names, scratch[..length]);
    }

    private static int Write(byte[][] names, RequestHead request, ReadOnlySpan<byte> buffer, ref byte[] scratch)
    {
        var to = new Writer(ref scratch);
        foreach (var name in names)
        {
            if (name.AsSpan().SequenceEqual("accept-encoding"u8))
            {
                WriteCodings(ref to, request, buffer);
            }
            else if (name.AsSpan().SequenceEqual("accept-language"u8))
            {
                WriteLanguages(ref to, request, buffer);
            }
            else
            {
                WriteJoined(ref to, name, request, buffer);
            }

            // No field value holds a line feed.
            to.Add((byte)'\n');
        }

        return to.Length;
    }

    private static void WriteJoined(ref Writer to, ReadOnlySpan<byte> name, RequestHead request, ReadOnlySpan<byte> buffer)
    {
        var any = false;
        foreach (ref readonly var field in request.Fields)
        {
            if (field.Dropped || !FieldText.Is(field.Name(buffer), name))
            {
                continue;
            }

            var value = field.Value(buffer);
            if (any)
            {
                to.Add((byte)',');
            }
            else
            {
                // One that is there and empty differs from none.
                to.Add((byte)':');
            }

            any = true;
            var first = true;
            while (FieldText.NextElement(ref value, out var element))
            {
                if (!first)
                {
                    to.Add((byte)',');
                }

                to.Add(element);
                first = false;
            }
        }
    }

    private static void WriteCodings(ref Writer to, RequestHead request, ReadOnlySpan<byte> buffer)
    {
        var (gzip, br, zstd, deflate) = (false, false, false, false);
        var any = false;
        foreach (ref readonly var field in request.Fields)
        {
            if (field.Known != KnownHeader.AcceptEncoding)
            {
                continue;
            }

            any = true;
            var value = field.Value(buffer);
            while (FieldText.NextElement(ref value, out var element))
            {
                var coding = Weighted(element, out var weight);
                var taken = weight > 0;
                var all = coding.SequenceEqual("*"u8);
                gzip = all || FieldText.Is(coding, "gzip"u8) || FieldText.Is(coding, "x-gzip"u8) ? taken : gzip;
                br = all || FieldText.Is(coding, "br"u8) ? taken : br;
                zstd = all || FieldText.Is(coding, "zstd"u8) ? taken : zstd;
                deflate = all || FieldText.Is(coding, "deflate"u8) ? taken : deflate;
            }
        }

        // None at all takes anything (RFC 9110 section 12.5.3): that is a variant of its own.
        to.Add(any ? (byte)(0x40 | (gzip ? 1 : 0) | (br ? 2 : 0) | (zstd ? 4 : 0) | (deflate ? 8 : 0)) : (byte)'-');
    }

    private static void WriteLanguages(ref Writer to, RequestHead request, ReadOnlySpan<byte> buffer)
    {
        List<(byte[] Language, int Weight)> languages = [];
        foreach (ref readonly var field in request.Fields)
        {
            if (!FieldText.Is(field.Name(buffer), "accept-language"u8))
            {
                continue;
            }

            var value = field.Value(buffer);
            while (languages.Count < 32 && FieldText.NextElement(ref value, out var element))
            {
                var language = Weighted(element, out var weight).ToArray();
                System.Text.Ascii.ToLowerInPlace(language, out _);
                languages.Add((language, weight));
            }
        }

        languages.Sort(static (a, b) => a.Weight != b.Weight ? b.Weight.CompareTo(a.Weight) : a.Language.AsSpan().SequenceCompareTo(b.Language));
        foreach (var (language, weight) in languages)
        {
            to.Add(language);
            to.Add((byte)';');
            to.Add((byte)('0' + weight / 100));
            to.Add((byte)('0' + weight / 10 % 10));
            to.Add((byte)',');
        }
    }

    // Splits ";q=0.5" off; the weight in thousandths, 1000 where none is said.
    private static ReadOnlySpan<byte> Weighted(ReadOnlySpan<byte> element, out int weight)
    {
        weight = 1000;
        var semicolon = element.IndexOf((byte)';');
        if (semicolon < 0)
        {
            return element;
        }

        var parameter = element[(semicolon + 1)..].Trim(" \t"u8);
        if (parameter.Length > 2 && (parameter[0] | 0x20) == 'q' && parameter[1] == '='
            && System.Buffers.Text.Utf8Parser.TryParse(parameter[2..], out decimal q, out _) && q is >= 0 and <= 1)
        {
            weight = (int)(q * 1000);
        }

        return element[..semicolon].Trim(" \t"u8);
    }

    [StructLayout(LayoutKind.Auto)]
    private ref struct Writer(ref byte[] scratch)
    {
        private readonly ref byte[] _scratch = ref scratch;

        public int Length { get; private set; }

        public void Add(byte value)
        {
            if (Length == _scratch.Length)
            {
                Array.Resize(ref _scratch, Length * 2);
            }

            _scratch[Length++] = value;
        }

        public void Add(scoped ReadOnlySpan<byte> bytes)
        {
            while (_scratch.Length - Length < bytes.Length)
            {
                Array.Resize(ref _scratch, _scratch.Length * 2);
            }

            bytes.CopyTo(_scratch.AsSpan(Length));
            Length += bytes.Length;
        }
    }
}
