using System.Buffers.Binary;
using System.Collections.Immutable;
using Ashlar.Dns.Answers;
using Ashlar.Dns.Wire;
using Ashlar.Dns.Zones;

namespace Ashlar.Dns.Stacks;

/// <summary>The addresses of a name.</summary>
/// <param name="Four">Of IPv4, four octets each.</param>
/// <param name="Six">Of IPv6, sixteen octets each.</param>
public sealed record Addresses(ImmutableArray<RecordData> Four, ImmutableArray<RecordData> Six)
{
    /// <summary>None.</summary>
    public static Addresses None { get; } = new([], []);

    /// <summary>True: there are none.</summary>
    public bool IsEmpty => Four.IsEmpty && Six.IsEmpty;
}

/// <summary>What is answered from now: the zones with what health and aliases make of them. Pure.</summary>
public static class LiveZones
{
    // An alias of an alias: more of them are a mistake, or lead back.
    private const int MostSteps = 8;

    /// <summary>Makes the zones.</summary>
    /// <param name="zones">Those that can be served.</param>
    /// <param name="fronts">Where the edges are, and which serve.</param>
    /// <param name="serialOf">Serial of a zone.</param>
    /// <param name="outside">What is known of names of others; null: nothing.</param>
    public static ZoneSet Of(IReadOnlyCollection<StackZone> zones, ImmutableArray<Front> fronts, Func<StackZone, uint> serialOf, Func<DnsName, Addresses?> outside)
    {
        var given = zones.Select(zone => (zone.Name, Records: Given(zone, fronts, serialOf(zone)).ToList())).ToArray();
        var set = new ZoneSet(given.Select(zone => Zone.Of(zone.Records)));
        if (!given.Any(zone => zone.Records.Exists(IsAlias)))
        {
            return set;
        }

        return new ZoneSet(given.Select(zone => Zone.Of(zone.Records.SelectMany(record => IsAlias(record) ? Resolved(record, set, outside) : [record]))));
    }

    /// <summary>Names of others that aliases lead to: they must be asked for.</summary>
    public static ImmutableArray<(DnsName Alias, DnsName Target)> Outside(IReadOnlyCollection<StackZone> zones, ZoneSet live) =>
    [
        .. zones.SelectMany(zone => zone.Records).Select(record => record.Record).Where(IsAlias)
            .Select(alias => (Alias: alias.Name, Lookup: Find(DnsName.FromWire(alias.Data.Octets)!, live, MostSteps)))
            .Where(alias => alias.Lookup.Elsewhere is not null).Select(alias => (alias.Alias, alias.Lookup.Elsewhere!)),
    ];

    private static bool IsAlias(Record record) => record.Type == RecordType.ALIAS;

    // Where no edge serves, all are given: an answer that may work is better than none.
    private static IEnumerable<Record> Given(StackZone zone, ImmutableArray<Front> fronts, uint serial)
    {
        var healthy = fronts.Where(front => front.Healthy).Select(front => front.Machine).ToHashSet(StringComparer.Ordinal);
        return zone.Records.Where(record => record.Origin != RecordOrigin.Host || healthy.Count == 0 || healthy.Contains(record.Place))
            .Select(record => record.Record.Type == RecordType.SOA ? WithSerial(record.Record, serial) : record.Record);
    }

    private static Record WithSerial(Record soa, uint serial)
    {
        var octets = soa.Data.Octets.ToArray();
        BinaryPrimitives.WriteUInt32BigEndian(octets.AsSpan()[^20..], serial);
        return soa with { Data = new RecordData(octets) };
    }

    private static IEnumerable<Record> Resolved(Record alias, ZoneSet zones, Func<DnsName, Addresses?> outside)
    {
        var (here, elsewhere) = Find(DnsName.FromWire(alias.Data.Octets)!, zones, MostSteps);
        var addresses = here ?? (elsewhere is null ? null : outside(elsewhere));
        if (addresses is null || addresses.IsEmpty)
        {
            return [alias]; // It stays, and is answered with a failure.
        }

        var life = Math.Min(alias.TimeToLive, StackZones.LifeOfHosts * 2);
        return addresses.Four.Select(data => new Record(alias.Name, RecordType.A, life, data))
            .Concat(addresses.Six.Select(data => new Record(alias.Name, RecordType.AAAA, life, data)));
    }

    private static (Addresses? Here, DnsName? Elsewhere) Find(DnsName name, ZoneSet zones, int steps)
    {
        if (steps == 0 || zones.For(name) is not { } zone)
        {
            return (null, steps == 0 ? null : name);
        }

        if (zone.Find(name)?.Of(RecordType.ALIAS) is [var alias, ..])
        {
            return Find(DnsName.FromWire(alias.Data.Octets)!, zones, steps - 1);
        }

        var four = ZoneAnswers.Answer(zone, new Question(name, RecordType.A));
        var six = ZoneAnswers.Answer(zone, new Question(name, RecordType.AAAA));
        var addresses = new Addresses(DataOf(four, RecordType.A), DataOf(six, RecordType.AAAA));
        return !addresses.IsEmpty ? (addresses, null)
            : four.Answers.LastOrDefault(record => record.Type == RecordType.CNAME) is { } last && DnsName.FromWire(last.Data.Octets) is { } target && !target.Equals(name)
                ? Find(target, zones, steps - 1)
                : (Addresses.None, null);
    }

    private static ImmutableArray<RecordData> DataOf(Response response, RecordType type) => [.. response.Answers.Where(record => record.Type == type).Select(record => record.Data)];
}
