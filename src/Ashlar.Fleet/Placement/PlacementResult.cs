using System.Collections.Immutable;

namespace Ashlar.Fleet.Placement;

/// <summary>Which instance runs where.</summary>
/// <param name="Machines">Machine by instance (<c>web.1</c> → <c>app-1</c>).</param>
/// <param name="Pending">Instances that have no place by the rules, with the reason for people. One that runs where it may not be stays there, where there is room.</param>
public sealed record PlacementResult(ImmutableSortedDictionary<string, string> Machines, ImmutableSortedDictionary<string, string> Pending);
