using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Collections.Immutable;
using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Zones;

/// <summary>A zone that can be answered from: its records by name and type. Never changes.</summary>
public sealed class Zone
{
    private readonly FrozenDictionary<DnsName, ZoneNode> _nodes;

    private Zone(DnsName apex, FrozenDictionary<DnsName, ZoneNode> nodes)
    {
        (Apex, _nodes) = (apex, nodes);
        var soa = nodes[apex].Of(RecordType.SOA)[0];
        Serial = BinaryPrimitives.ReadUInt32BigEndian(soa.Data.Octets[^20..]);

        // A negative answer is kept no longer than either says (RFC 2308, 5).
        Negative = soa with { TimeToLive = Math.Min(soa.TimeToLive, BinaryPrimitives.ReadUInt32BigEndian(soa.Data.Octets[^4..])) };
    }

    /// <summary>Its name.</summary>
    public DnsName Apex { get; }

    /// <summary>Number of its state (RFC 1982).</summary>
    public uint Serial { get; }

    /// <summary>Its SOA as a negative answer carries it.</summary>
    public Record Negative { get; }

    /// <summary>All records, in the order of names.</summary>
    public IEnumerable<Record> Records => _nodes.OrderBy(node => node.Key, DnsName.ZoneOrder).SelectMany(node => node.Value.Types.OrderBy(type => type.Key).SelectMany(type => type.Value));

    /// <summary>Makes a zone of the records of a master file.</summary>
    /// <param name="lines">The records.</param>
    /// <param name="source">Name of the file, for mistakes.</param>
    /// <param name="apex">Name of the zone; null: that of its SOA.</param>
    /// <returns>The zone, or null with the mistakes that keep it from being one.</returns>
    public static (Zone? Zone, ImmutableArray<ZoneMistake> Mistakes) Of(IReadOnlyCollection<ZoneLine> lines, string source, DnsName? apex = null)
    {
        var mistakes = ImmutableArray.CreateBuilder<ZoneMistake>();
        void Mistaken(int line, string text) => mistakes.Add(new ZoneMistake(source, line, line == 0 ? 0 : 1, text));
        var soas = lines.Where(line => line.Record.Type == RecordType.SOA).ToArray();
        if (soas.Length == 0 || apex is not null && !soas[0].Record.Name.Equals(apex))
        {
            Mistaken(soas.Length == 0 ? 0 : soas[0].Line, soas.Length == 0 ? "there is no SOA record" : $"the SOA is of {soas[0].Record.Name} and the zone is {apex}");
            return (null, mistakes.ToImmutable());
        }

        apex ??= soas[0].Record.Name;
        foreach (var other in soas.Skip(1).Where(other => other.Record != soas[0].Record))
        {
            Mistaken(other.Line, "a zone has one SOA record");
        }

        foreach (var outside in lines.Where(line => !line.Record.Name.IsUnder(apex)))
        {
            Mistaken(outside.Line, $"{outside.Record.Name} is not in the zone {apex}");
        }

        var sets = lines.GroupBy(line => (line.Record.Name, line.Record.Type)).ToArray();
        if (!sets.Any(set => set.Key.Type == RecordType.NS && set.Key.Name.Equals(apex)))
        {
            Mistaken(0, $"the zone {apex} has no NS record");
        }

        foreach (var set in sets.Where(set => set.Key.Type is RecordType.CNAME or RecordType.DNAME && set.DistinctBy(line => line.Record.Data).Count() > 1))
        {
            Mistaken(set.ElementAt(1).Line, $"{set.Key.Name} has several {set.Key.Type} records, and one is all that there can be");
        }

        foreach (var name in sets.GroupBy(set => set.Key.Name))
        {
            if (name.FirstOrDefault(set => set.Key.Type == RecordType.CNAME) is { } alias && name.FirstOrDefault(set => set.Key.Type != RecordType.CNAME) is { } beside)
            {
                Mistaken(Math.Max(alias.First().Line, beside.First().Line), $"{name.Key} has a CNAME record, so it can have no {beside.Key.Type.Print()} record");
            }
        }

        foreach (var name in sets.GroupBy(set => set.Key.Name))
        {
            if (name.FirstOrDefault(set => set.Key.Type == RecordType.ALIAS) is { } alias
                && (alias.Count() > 1 ? alias : name.FirstOrDefault(set => set.Key.Type is RecordType.A or RecordType.AAAA)) is { } beside)
            {
                Mistaken(beside.Last().Line, alias.Count() > 1 ? $"{name.Key} has several ALIAS records, and one is all that there can be" : $"{name.Key} has an ALIAS record, so it can have no {beside.Key.Type} record of its own");
            }
        }

        return mistakes.Count > 0 ? (null, mistakes.ToImmutable()) : (new Zone(apex, Nodes(apex, sets.Select(set => set.Select(line => line.Record)))), []);
    }

    /// <summary>Makes a zone of records.</summary>
    /// <exception cref="ArgumentException">They are none.</exception>
    public static Zone Of(IEnumerable<Record> records) =>
        Of([.. records.Select(record => new ZoneLine(record, 0))], "zone") is ({ } zone, _) ? zone : throw new ArgumentException("No zone is made of these records.", nameof(records));

    /// <summary>What a name has; null: it does not exist. A name with names under it and no records exists and has none (RFC 8020).</summary>
    public ZoneNode? Find(DnsName name) => _nodes.GetValueOrDefault(name);

    private static FrozenDictionary<DnsName, ZoneNode> Nodes(DnsName apex, IEnumerable<IEnumerable<Record>> sets)
    {
        var nodes = new Dictionary<DnsName, Dictionary<RecordType, ImmutableArray<Record>>>();
        foreach (var set in sets)
        {
            // The same record twice is one; all of a set have one time, the least (RFC 2181, 5).
            var distinct = set.DistinctBy(record => record.Data).ToArray();
            var life = distinct.Min(record => record.TimeToLive);
            var (name, type) = (distinct[0].Name, distinct[0].Type);
            for (var above = name; !nodes.ContainsKey(above); above = above.Parent)
            {
                nodes.Add(above, []);
                if (above.Equals(apex))
                {
                    break;
                }
            }

            nodes[name][type] = [.. distinct.Select(record => record with { TimeToLive = life })];
        }

        return nodes.ToFrozenDictionary(node => node.Key, node => new ZoneNode(node.Value.ToFrozenDictionary()));
    }
}

/// <summary>What a name of a zone has.</summary>
/// <param name="Types">Its records by type.</param>
public sealed record ZoneNode(FrozenDictionary<RecordType, ImmutableArray<Record>> Types)
{
    /// <summary>Those of a type; none: it has none.</summary>
    public ImmutableArray<Record> Of(RecordType type) => Types.TryGetValue(type, out var records) ? records : [];
}
