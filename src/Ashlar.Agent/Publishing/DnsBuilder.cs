using System.Collections.Immutable;
using System.Net;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Reconciling;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Stack;

namespace Ashlar.Agent.Publishing;

/// <summary>Target + observed → what the DNS answers from. Pure.</summary>
internal static class DnsBuilder
{
    private const int DefaultTimeToLive = 300;

    /// <summary>What is told; null: the stack has no DNS.</summary>
    public static CatalogDns? Build(Target target, IReadOnlyCollection<ObservedInstance> observed, FleetView? fleet, string machine)
    {
        if (target is not { Stack: { Dns: { } dns } stack, Context: { } context })
        {
            return null;
        }

        return new CatalogDns
        {
            Zones =
            [
                .. dns.Zones.Select(zone => new CatalogZone(
                    zone.Name, zone.File is null ? null : Path.GetFullPath(zone.File, context.ReleaseFolder), zone.TimeToLive ?? DefaultTimeToLive)
                {
                    Records = zone.Records,
                    Added = target.Records.GetValueOrDefault(zone.Name, []),
                }),
            ],
            Fronts = fleet is null ? [Front(stack, dns, "", null, IsUp(observed))] :
            [
                .. fleet.Records.Values.Select(record => Front(stack, dns, record.Name, record.Address,
                    record.Name == machine ? IsUp(observed) : IsUp(fleet.Reports.GetValueOrDefault(record.Name)))),
            ],
            Resolvers = dns.Resolvers,
            ResolvesNothing = dns.ResolvesNothing,
            Rate = dns.Rate,
            Changed = target.RecordsChanged,
        };
    }

    private static CatalogFront Front(StackDefinition stack, DnsDefinition dns, string machine, string? address, bool healthy)
    {
        var given = dns.Addresses.GetValueOrDefault(machine, dns.Addresses.GetValueOrDefault("", []));
        return new CatalogFront(machine, given.IsEmpty ? [At(stack.Edge.Http.Address)] : given, given.IsEmpty || IsLoopback(dns.Listen.Address) ? [At(dns.Listen.Address)] : given, healthy);

        // One that listens on all addresses is at its machine's own; the only machine of a stack knows these itself.
        string At(string listens) => address is not null && IPAddress.Parse(listens) is var at && (at.Equals(IPAddress.Any) || at.Equals(IPAddress.IPv6Any)) ? address : listens;
    }

    private static bool IsLoopback(string address) => IPAddress.IsLoopback(IPAddress.Parse(address));

    private static bool IsUp(IReadOnlyCollection<ObservedInstance> observed) => observed.Any(o => o is { Tier: Tiers.Edge, State: InstanceState.Healthy });

    private static bool IsUp(MachineReport? report) => report?.Instances.Any(instance => instance.Tier == Tiers.Edge && instance.Report.State == InstanceState.Healthy) ?? false;
}
