using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Ashlar.Catalog;
using Ashlar.Dns.Answers;
using Ashlar.Dns.Wire;
using Ashlar.Dns.Zones;

namespace Ashlar.Dns.Stacks;

/// <summary>
/// Names for the stack's own programs, told to nobody else: <c>web.stack.internal</c>, and the same under the stack's name. A service is at its
/// private door on loopback, an engine at its kept port; on every machine that is the same address. Pure.
/// </summary>
public static class InsideZones
{
    private const string Top = "internal";
    private const string Common = "stack";
    private const string HttpService = "_http._tcp";
    private const uint Life = 5;

    /// <summary>The zones of a snapshot.</summary>
    public static ZoneSet Of(CatalogSnapshot snapshot) =>
        new(new[] { Common, snapshot.Stack }.Where(name => name.Length > 0).Distinct(StringComparer.Ordinal).Select(name => One(DnsName.Parse($"{name}.{Top}"), snapshot)));

    private static Zone One(DnsName apex, CatalogSnapshot snapshot)
    {
        var records = new List<Record>
        {
            Read(apex, string.Create(CultureInfo.InvariantCulture, $"@ {Life} SOA ns hostmaster {(uint)snapshot.Revision} 1h 10m 1w {Life}")),
            Read(apex, string.Create(CultureInfo.InvariantCulture, $"@ {Life} NS ns")),
        };
        Add(records, apex, "ns", IPAddress.Loopback);
        foreach (var door in snapshot.Listeners.Where(listener => listener is { Service: not null, Tier: null }))
        {
            Service(records, apex, door.Service!, HttpService, door.Address, [door.Port]);
        }

        foreach (var engine in snapshot.Engines.Where(engine => engine.Instances.Length > 0))
        {
            Service(records, apex, engine.Name, $"_{engine.Name}._tcp", engine.Instances[0].Address, [.. engine.Instances.Select(instance => instance.Port)]);
        }

        return Zone.Of(records);
    }

    // The port stands in a SRV record: with it a client needs nothing else.
    private static void Service(List<Record> records, DnsName apex, string service, string protocol, string address, int[] ports)
    {
        if (!IPAddress.TryParse(address, out var at) || records.Any(record => record.Name.Equals(DnsName.TryParse(service, apex, out var name, out _) ? name : null)))
        {
            return;
        }

        Add(records, apex, service, at.Equals(IPAddress.Any) || at.Equals(IPAddress.IPv6Any) ? IPAddress.Loopback : at);
        records.AddRange(ports.Distinct().Select(port => Read(apex, string.Create(CultureInfo.InvariantCulture, $"{protocol}.{service} {Life} SRV 0 0 {port} {service}"))));
    }

    private static void Add(List<Record> records, DnsName apex, string name, IPAddress address) =>
        records.Add(Read(apex, string.Create(CultureInfo.InvariantCulture, $"{name} {Life} {(address.AddressFamily == AddressFamily.InterNetwork ? "A" : "AAAA")} {address}")));

    private static Record Read(DnsName apex, string line) => StackZones.ReadLine(line, apex, Life).Record ?? throw new InvalidOperationException($"'{line}' is no record.");
}
