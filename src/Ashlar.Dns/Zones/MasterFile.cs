using System.Collections.Immutable;
using System.Globalization;
using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Zones;

/// <summary>A mistake in a master file, with its place.</summary>
/// <param name="Source">Name of the file.</param>
/// <param name="Line">From 1; 0: the file as a whole.</param>
/// <param name="Column">From 1.</param>
/// <param name="Text">What is wrong, for people.</param>
public sealed record ZoneMistake(string Source, int Line, int Column, string Text)
{
    /// <inheritdoc />
    public override string ToString() => Line == 0 ? $"{Source}: {Text}" : string.Create(CultureInfo.InvariantCulture, $"{Source}:{Line}:{Column}: {Text}");
}

/// <summary>A record of a master file, with its place.</summary>
/// <param name="Record">The record.</param>
/// <param name="Line">From 1.</param>
public readonly record struct ZoneLine(Record Record, int Line);

/// <summary>Reads master files (RFC 1035, 5; <c>$TTL</c> of RFC 2308). All mistakes are found at once.</summary>
public sealed class MasterFile
{
    /// <summary>Longest file, in characters.</summary>
    public const int MostCharacters = 64 << 20;

    private const int MostMistakes = 100;
    private readonly List<ZoneLine> _records = [];
    private readonly List<ZoneMistake> _mistakes = [];
    private readonly string _source;
    private DnsName? _origin;
    private DnsName? _owner;
    private uint? _default;
    private uint? _last;

    private MasterFile(string source, DnsName? origin, uint? life) => (_source, _origin, _default) = (source, origin, life);

    /// <summary>Reads a file.</summary>
    /// <param name="text">What it says.</param>
    /// <param name="source">Its name, for mistakes.</param>
    /// <param name="origin">What names without a dot at their end stand under, until it says; null: nothing.</param>
    /// <param name="life">Seconds that records without a time of their own may be kept, until it says; null: it must say.</param>
    public static (ImmutableArray<ZoneLine> Records, ImmutableArray<ZoneMistake> Mistakes) Read(string text, string source, DnsName? origin = null, uint? life = null)
    {
        if (text.Length > MostCharacters)
        {
            return ([], [new ZoneMistake(source, 0, 0, $"it has more than {MostCharacters >> 20} MiB")]);
        }

        var file = new MasterFile(source, origin, life);
        foreach (var entry in MasterWords.Entries(text, file.Mistaken))
        {
            if (file._mistakes.Count >= MostMistakes)
            {
                break;
            }

            file.Take(entry);
        }

        return ([.. file._records], [.. file._mistakes]);
    }

    private void Mistaken(int line, int column, string text) => _mistakes.Add(new ZoneMistake(_source, line, column, text));

    private void Take(MasterEntry entry)
    {
        var words = entry.Words;
        if (!entry.BeginsBlank && words[0] is { IsQuoted: false, Text: ['$', ..] } directive)
        {
            Direct(directive, words);
            return;
        }

        var next = 0;
        if (!entry.BeginsBlank)
        {
            if (!DnsName.TryParse(words[0].Text, _origin, out var owner, out var mistake))
            {
                Mistaken(words[0].Line, words[0].Column, $"'{words[0].Text}' is no domain name: {mistake}");
                return;
            }

            if (_origin is null && words[0].Text[^1] != '.')
            {
                Mistaken(words[0].Line, words[0].Column, $"'{words[0].Text}' needs a dot at its end, or an $ORIGIN before it");
                return;
            }

            (_owner, next) = (owner, 1);
        }

        if (_owner is null)
        {
            Mistaken(words[0].Line, words[0].Column, "the first record needs a name before it");
            return;
        }

        uint? life = null;
        var isInet = false;
        for (; next < words.Count; next++)
        {
            if (life is null && MasterTime.Parse(words[next].Text) is { } seconds)
            {
                life = seconds;
            }
            else if (!isInet && words[next].Text.Equals("IN", StringComparison.OrdinalIgnoreCase))
            {
                isInet = true;
            }
            else
            {
                break;
            }
        }

        if (next == words.Count)
        {
            Mistaken(words[^1].Line, words[^1].Column + words[^1].Text.Length, "a type is missing, such as A or MX");
            return;
        }

        var word = words[next];
        if (!RecordTypes.TryParse(word.Text, out var type) || type.IsMeta())
        {
            Mistaken(word.Line, word.Column, $"'{word.Text}' is no type of a record");
            return;
        }

        var rest = words.Skip(next + 1).ToArray();
        if (RecordText.Parse(type, rest, _origin ?? DnsName.Root, out var data) is var (at, why))
        {
            var place = at < rest.Length ? rest[at] : words[^1] with { Column = words[^1].Column + words[^1].Text.Length };
            Mistaken(place.Line, place.Column, why);
            return;
        }

        // Without a time of its own: the $TTL, else that of the record before, else what a SOA says of negative answers.
        life ??= _default ?? _last ?? (type == RecordType.SOA ? System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(data.Octets[^4..]) : null);
        if (life is null)
        {
            Mistaken(word.Line, word.Column, "it has no time to live: write one before the type, or $TTL at the top");
            return;
        }

        _last = life;
        _records.Add(new ZoneLine(new Record(_owner, type, life.Value, data), words[0].Line));
    }

    private void Direct(MasterWord directive, IReadOnlyList<MasterWord> words)
    {
        switch (directive.Text.ToUpperInvariant(), words.Count)
        {
            case ("$ORIGIN", 2) when DnsName.TryParse(words[1].Text, _origin, out var origin, out _):
                _origin = origin;
                break;
            case ("$TTL", 2) when MasterTime.Parse(words[1].Text) is { } seconds:
                _default = seconds;
                break;
            case ("$ORIGIN" or "$TTL", 2):
                Mistaken(words[1].Line, words[1].Column, $"'{words[1].Text}' is no {(directive.Text.Length == 4 ? "time such as 3600 or 1h" : "domain name")}");
                break;
            case ("$ORIGIN" or "$TTL", _):
                Mistaken(directive.Line, directive.Column, $"{directive.Text} takes one word");
                break;
            case ("$INCLUDE", _):
                Mistaken(directive.Line, directive.Column, "$INCLUDE is not read: put the records of that file here");
                break;
            default:
                Mistaken(directive.Line, directive.Column, $"{directive.Text} is not known; there are $ORIGIN and $TTL");
                break;
        }
    }
}
