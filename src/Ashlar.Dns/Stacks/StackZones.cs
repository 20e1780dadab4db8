using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Ashlar.Catalog;
using Ashlar.Dns.Wire;
using Ashlar.Dns.Zones;

namespace Ashlar.Dns.Stacks;

/// <summary>Puts the stack's zones together: master file, stack file, what people added, and the names that the catalog knows.</summary>
public static class StackZones
{
    /// <summary>Seconds that what follows health may be kept.</summary>
    public const uint LifeOfHosts = 30;

    private const uint LifeOfServers = 3600;

    /// <summary>All zones of a snapshot.</summary>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="fronts">Where its edges are.</param>
    /// <param name="read">Reads a file; what it throws of input and output is a mistake of that zone.</param>
    public static ImmutableArray<StackZone> Of(CatalogSnapshot snapshot, ImmutableArray<Front> fronts, Func<string, string> read)
    {
        if (snapshot.Dns is not { } dns)
        {
            return [];
        }

        var apexes = dns.Zones.Select(zone => DnsName.Parse(zone.Name)).ToArray();
        return [.. dns.Zones.Select((zone, i) => One(zone, apexes[i], apexes, Hosts(snapshot), fronts, dns.Changed, read))];
    }

    /// <summary>What is wrong with a zone as a stack file has it, before anything is made of it.</summary>
    /// <param name="zone">The zone.</param>
    /// <param name="read">Reads a file.</param>
    public static StackZone Judge(CatalogZone zone, Func<string, string> read)
    {
        var apex = DnsName.Parse(zone.Name);
        return One(zone, apex, [apex], [], [new Front("", [IPAddress.Loopback], [IPAddress.Loopback], true)], 1, read);
    }

    /// <summary>Reads one record as people write it.</summary>
    /// <param name="text">A line of a master file.</param>
    /// <param name="apex">The zone.</param>
    /// <param name="life">Seconds it may be kept, where it does not say.</param>
    /// <returns>The record, or why it is none.</returns>
    public static (Record? Record, string? Mistake) ReadLine(string text, DnsName apex, uint life)
    {
        var (records, mistakes) = MasterFile.Read(text, "", apex, life);
        return mistakes is [var mistake, ..] ? (null, mistake.Text)
            : records is not [var line] ? (null, "it is one line with a name, a type and its data")
            : !line.Record.Name.IsUnder(apex) ? (null, $"{line.Record.Name} is not in the zone {apex}")
            : (line.Record, null);
    }

    private static StackZone One(
        CatalogZone zone, DnsName apex, DnsName[] apexes, IEnumerable<string> hosts, ImmutableArray<Front> fronts, long changed, Func<string, string> read)
    {
        var records = new List<StackRecord>();
        var lines = new List<ZoneLine>();
        var mistakes = ImmutableArray.CreateBuilder<ZoneMistake>();
        var life = (uint)Math.Max(0, zone.TimeToLive);
        if (zone.File is { } file)
        {
            try
            {
                var (found, wrong) = MasterFile.Read(read(file), file, apex, life);
                mistakes.AddRange(wrong);
                lines.AddRange(found);
                records.AddRange(found.Select(line => new StackRecord(line.Record, RecordOrigin.File, string.Create(CultureInfo.InvariantCulture, $"{file}:{line.Line}"))));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                mistakes.Add(new ZoneMistake(file, 0, 0, $"it cannot be read: {e.Message.TrimEnd('.')}"));
            }
        }

        Take(zone.Records, RecordOrigin.Stack, i => string.Create(CultureInfo.InvariantCulture, $"dns.zones.{zone.Name}.records[{i}]"));
        Take(zone.Added, RecordOrigin.Added, _ => "");
        if (mistakes.Count == 0)
        {
            AddMissing(records, apex, fronts, changed);
            AddHosts(records, apex, apexes, hosts, fronts);
            var (_, wrong) = Zone.Of([.. records.Select(record => new ZoneLine(record.Record, Line(record.Place)))], zone.File ?? zone.Name, apex);
            mistakes.AddRange(wrong);
        }

        return new StackZone(apex, [.. records], mistakes.ToImmutable());

        void Take(ImmutableArray<string> texts, RecordOrigin origin, Func<int, string> placeOf)
        {
            for (var i = 0; i < texts.Length; i++)
            {
                var (found, wrong) = MasterFile.Read(texts[i], placeOf(i) is { Length: > 0 } place ? place : $"added '{texts[i]}'", apex, life);
                mistakes.AddRange(wrong);
                records.AddRange(found.Select(line => new StackRecord(line.Record, origin, placeOf(i))));
            }
        }
    }

    private static int Line(string place) => place.LastIndexOf(':') is >= 0 and var at && int.TryParse(place.AsSpan(at + 1), CultureInfo.InvariantCulture, out var line) ? line : 0;

    private static void AddMissing(List<StackRecord> records, DnsName apex, ImmutableArray<Front> fronts, long changed)
    {
        if (!Has(records, apex, RecordType.NS))
        {
            for (var i = 0; i < fronts.Length; i++)
            {
                var server = DnsName.TryParse(string.Create(CultureInfo.InvariantCulture, $"ns{i + 1}"), apex, out var name, out _) ? name : apex;
                records.Add(new StackRecord(new Record(apex, RecordType.NS, LifeOfServers, new RecordData(server.Wire.ToArray())), RecordOrigin.Made));
                if (!Has(records, server, RecordType.A) && !Has(records, server, RecordType.AAAA) && !Has(records, server, RecordType.CNAME))
                {
                    records.AddRange(fronts[i].Server.Select(address => new StackRecord(AddressRecord(server, LifeOfServers, address), RecordOrigin.Made, fronts[i].Machine)));
                }
            }
        }

        if (!Has(records, apex, RecordType.SOA))
        {
            var server = records.FirstOrDefault(record => record.Record.Type == RecordType.NS && record.Record.Name.Equals(apex));
            var primary = server is null ? apex : DnsName.FromWire(server.Record.Data.Octets)!;
            var text = string.Create(CultureInfo.InvariantCulture, $"@ {LifeOfServers} SOA {primary} hostmaster {(uint)changed} 1h 10m 1w 1m");
            records.Insert(0, new StackRecord(ReadLine(text, apex, LifeOfServers).Record!, RecordOrigin.Made));
        }
    }

    // What somebody wrote about a name stands above what the catalog knows of it.
    private static void AddHosts(List<StackRecord> records, DnsName apex, DnsName[] apexes, IEnumerable<string> hosts, ImmutableArray<Front> fronts)
    {
        var written = records.Where(record => record.Record.Type is RecordType.A or RecordType.AAAA or RecordType.CNAME or RecordType.ALIAS).Select(record => record.Record.Name).ToHashSet();
        var cuts = records.Where(record => record.Record.Type is RecordType.NS or RecordType.DNAME && !record.Record.Name.Equals(apex)).Select(record => record.Record.Name).ToArray();
        foreach (var host in hosts.Select(host => host == Apex ? apex : DnsName.TryParse(host, DnsName.Root, out var name, out _) ? name : null).OfType<DnsName>().Distinct())
        {
            if (host.IsUnder(apex) && !written.Contains(host) && !cuts.Any(host.IsUnder)
                && !apexes.Any(other => other.LabelCount > apex.LabelCount && other.IsUnder(apex) && host.IsUnder(other)))
            {
                records.AddRange(fronts.SelectMany(front => front.Edge.Select(address => new StackRecord(AddressRecord(host, LifeOfHosts, address), RecordOrigin.Host, front.Machine))));
            }
        }
    }

    private const string Apex = "@";

    // A stack without names answers to every host: then each zone's own name is one.
    private static string[] Hosts(CatalogSnapshot snapshot)
    {
        var named = snapshot.Domains.Concat(snapshot.Services.SelectMany(service => service.Routes).Select(route => route.Host).OfType<string>()).Distinct(StringComparer.Ordinal).ToArray();
        return named.Length > 0 || snapshot.Services.IsEmpty ? named : [Apex];
    }

    private static bool Has(List<StackRecord> records, DnsName name, RecordType type) => records.Exists(record => record.Record.Type == type && record.Record.Name.Equals(name));

    private static Record AddressRecord(DnsName name, uint life, IPAddress address) =>
        new(name, address.AddressFamily == AddressFamily.InterNetwork ? RecordType.A : RecordType.AAAA, life, new RecordData(address.GetAddressBytes()));
}
