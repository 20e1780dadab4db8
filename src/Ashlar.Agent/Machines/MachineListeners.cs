using System.Collections.Immutable;
using System.Net;
using Ashlar.Catalog;

namespace Ashlar.Agent.Machines;

/// <summary>What a machine among others listens on besides: for other edges, and where engines of other machines are reached.</summary>
internal static class MachineListeners
{
    /// <summary>Name of the listener for other edges.</summary>
    public const string Hop = "hop";

    /// <summary>What names of doors to engines elsewhere begin with; the instance follows.</summary>
    public const string Forward = "forward:";

    /// <summary>True: it is one of these.</summary>
    public static bool IsOne(string name) => name == Hop || name.StartsWith(Forward, StringComparison.Ordinal);

    /// <summary>Those that a machine needs. Pure.</summary>
    /// <param name="own">This machine.</param>
    /// <param name="placement">Which instance belongs where.</param>
    /// <param name="ports">Kept ports, by instance: the same on all machines.</param>
    public static ImmutableArray<CatalogListener> Of(MachineFile own, PlacementRecord? placement, ImmutableSortedDictionary<string, int> ports) =>
    [
        new CatalogListener(Hop, own.Address, own.HopPort, null) { Hop = true },
        .. (placement?.Machines ?? ImmutableSortedDictionary<string, string>.Empty)
            .Where(placed => placed.Value != own.Name && ports.ContainsKey(placed.Key))
            .Select(placed => new CatalogListener(Forward + placed.Key, IPAddress.Loopback.ToString(), ports[placed.Key], null) { Forward = placed.Key }),
    ];
}
