using System.Collections.Immutable;
using Ashlar.Fleet;
using Ashlar.Fleet.Placement;

namespace Ashlar.Agent.Machines;

/// <summary>Whether a machine can be removed, and what is left without it. Pure.</summary>
internal static class Removing
{
    /// <summary>Refuses to remove a machine by which something would be lost.</summary>
    /// <param name="view">What is known.</param>
    /// <param name="state">Where the stack's shared state answers.</param>
    /// <param name="name">The machine.</param>
    /// <param name="force">True: also with data on it, or while it runs something.</param>
    /// <exception cref="Errors.AshlarException">ASH7518, ASH7519.</exception>
    public static void RequirePossible(FleetView view, IEnumerable<Uri> state, string name, bool force)
    {
        if (!view.Records.TryGetValue(name, out var record))
        {
            throw FleetErrors.Unknown(name, [.. view.Records.Keys]);
        }

        if (view.Records.Count == 1)
        {
            throw FleetErrors.NotRemovable(name, "it is the only one", "To end the whole stack: ashlar destroy.");
        }

        if (state.All(endpoint => endpoint.Host.Trim('[', ']') == record.Address))
        {
            throw FleetErrors.NotRemovable(name, "the stack's shared state lies there and nowhere else", "Have other machines join first, so that they have members of etcd too.");
        }

        var data = view.Placement?.Homes.Where(home => home.Value == name).Select(home => home.Key).ToArray() ?? [];
        if (data.Length > 0 && !force)
        {
            throw FleetErrors.NotRemovable(
                name, $"the data of {string.Join(", ", data)} lies there", "Move it first; or give it up, with all that was not copied: --force. The files stay where they are.");
        }

        var left = view.Reports.ContainsKey(name) && !(record.Admission == Admission.Leaving && Draining.Leaving(view, name, ImmutableSortedDictionary<string, string>.Empty).IsEmpty);
        if (left && !force)
        {
            throw FleetErrors.NotRemovable(name, "it is alive and not drained", $"ashlar machines drain {name} moves what it runs elsewhere; --force removes it as it is.");
        }
    }

    /// <summary>A placement without a machine. Data that is given up holds nothing back any more; what starts elsewhere still knows that there was some.</summary>
    public static PlacementRecord Without(PlacementRecord placement, string name) => placement with
    {
        Homes = placement.Homes.Where(home => home.Value != name).ToImmutableSortedDictionary(),
        Machines = placement.Machines.Where(placed => placed.Value != name).ToImmutableSortedDictionary(),
        Lost = placement.Lost.Remove(name),
    };
}
