using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Ashlar.Catalog;

namespace Ashlar.Dns.Stacks;

/// <summary>Where the stack's edges and name servers are.</summary>
/// <param name="Machine">The machine; empty: the stack's only one.</param>
/// <param name="Edge">Addresses of its edge.</param>
/// <param name="Server">Addresses of its name server.</param>
/// <param name="Healthy">True: the edge serves.</param>
public sealed record Front(string Machine, ImmutableArray<IPAddress> Edge, ImmutableArray<IPAddress> Server, bool Healthy)
{
    /// <summary>The fronts that the catalog knows.</summary>
    /// <param name="fronts">As the catalog has them.</param>
    /// <param name="own">Addresses of this machine, for one that listens on all.</param>
    public static ImmutableArray<Front> Of(IEnumerable<CatalogFront> fronts, ImmutableArray<IPAddress> own) =>
        [.. fronts.Select(front => new Front(front.Machine, Addresses(front.Edge, own), Addresses(front.Server, own), front.Healthy))];

    /// <summary>True: none is known but as "all that this machine has".</summary>
    public static bool NeedOwn(IEnumerable<CatalogFront> fronts) => fronts.SelectMany(front => front.Edge.Concat(front.Server)).Any(IsAll);

    /// <summary>The addresses at which others may reach this machine; only loopback's where it has no other.</summary>
    public static ImmutableArray<IPAddress> OfThisMachine()
    {
        var all = NetworkInterface.GetAllNetworkInterfaces()
            .Where(port => port is { OperationalStatus: OperationalStatus.Up or OperationalStatus.Unknown, NetworkInterfaceType: not NetworkInterfaceType.Loopback })
            .SelectMany(port => port.GetIPProperties().UnicastAddresses).Select(address => address.Address)
            .Where(address => !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal && !address.IsIPv6Multicast)
            .Distinct().OrderBy(address => address.AddressFamily).ThenBy(address => address.ToString(), StringComparer.Ordinal).ToImmutableArray();
        return all.IsEmpty ? [IPAddress.Loopback] : all;
    }

    private static bool IsAll(string address) => IPAddress.TryParse(address, out var at) && (at.Equals(IPAddress.Any) || at.Equals(IPAddress.IPv6Any));

    private static ImmutableArray<IPAddress> Addresses(ImmutableArray<string> texts, ImmutableArray<IPAddress> own) =>
    [
        .. texts.Select(text => IPAddress.TryParse(text, out var address) ? address : null).OfType<IPAddress>()
            .SelectMany(address => address.Equals(IPAddress.IPv6Any) ? own
                : address.Equals(IPAddress.Any) ? own.Where(one => one.AddressFamily == AddressFamily.InterNetwork)
                : (IEnumerable<IPAddress>)[address]).Distinct(),
    ];
}
