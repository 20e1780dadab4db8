using System.Collections.Immutable;

namespace Ashlar.Agent.Machines;

/// <summary>All that is known of the machines at one moment.</summary>
internal sealed record FleetView
{
    /// <summary>The machines, by name.</summary>
    public ImmutableSortedDictionary<string, MachineRecord> Records { get; init; } = ImmutableSortedDictionary<string, MachineRecord>.Empty;

    /// <summary>What those tell that live, by name.</summary>
    public ImmutableSortedDictionary<string, MachineReport> Reports { get; init; } = ImmutableSortedDictionary<string, MachineReport>.Empty;

    /// <summary>Since when those are silent that do not, by a clock that only runs forward.</summary>
    public ImmutableSortedDictionary<string, long> SilentSince { get; init; } = ImmutableSortedDictionary<string, long>.Empty;

    /// <summary>Which instance belongs where; null: nothing is said yet.</summary>
    public PlacementRecord? Placement { get; init; }

    /// <summary>Those who stand for leadership, by the revision at which they did.</summary>
    public ImmutableSortedDictionary<long, (string Key, string Machine)> Candidates { get; init; } = ImmutableSortedDictionary<long, (string, string)>.Empty;

    /// <summary>Revision of the orders.</summary>
    public long Orders { get; init; }

    /// <summary>True: all machines have told that they have what they are to have.</summary>
    public bool IsReached => Reports.Count == Records.Count && Reports.Values.All(report => report.Reached) && Placement is null or { Pending.IsEmpty: true };

    /// <summary>What runs on the machines that live, but for one.</summary>
    public IEnumerable<RemoteInstance> Except(string machine) => Reports.Values.Where(report => report.Name != machine && Records.ContainsKey(report.Name))
        .SelectMany(report => report.Instances.Select(instance => new RemoteInstance(Records[report.Name], instance)));

    /// <summary>The machine that leads, or null.</summary>
    public string? Leader => Candidates.IsEmpty ? null : Candidates.First().Value.Machine;
}
