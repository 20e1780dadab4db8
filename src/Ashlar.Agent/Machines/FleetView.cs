using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Machines.Rolling;
using Ashlar.Catalog.Store;
using Ashlar.Fleet;
using Ashlar.Fleet.Identity;

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

    /// <summary>Since when those live that do, by the same clock; as far as this view goes back.</summary>
    public ImmutableSortedDictionary<string, long> HeardSince { get; init; } = ImmutableSortedDictionary<string, long>.Empty;

    /// <summary>Which instance belongs where; null: nothing is said yet.</summary>
    public PlacementRecord? Placement { get; init; }

    /// <summary>Revision of <see cref="Placement"/> in the shared store; 0: it is not known to be there.</summary>
    public long PlacementRevision { get; init; }

    /// <summary>What people have ordered; null: nothing yet.</summary>
    public DesiredState? Orders { get; init; }

    /// <summary>What is being carried out of it.</summary>
    public RollBook Rolls { get; init; } = new(Present: null);

    /// <summary>The revision at which both were last changed; 0: never.</summary>
    public long OrdersRevision { get; init; }

    /// <summary>The revision of the newest of all that machines pursue.</summary>
    public long Newest => Math.Max(OrdersRevision, PlacementRevision);

    /// <summary>Which machines hold the state; null: nothing is said yet.</summary>
    public StateRecord? State { get; init; }

    /// <summary>Those who stand for leadership, by the revision at which they did.</summary>
    public ImmutableSortedDictionary<long, (string Key, string Machine)> Candidates { get; init; } = ImmutableSortedDictionary<long, (string, string)>.Empty;

    /// <summary>Which machine has which lease of what may run once in the stack.</summary>
    public ImmutableSortedDictionary<string, string> Leases { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The view after a change of the store. Pure.</summary>
    /// <param name="change">The change.</param>
    /// <param name="now">The present, by the clock of <see cref="SilentSince"/>.</param>
    public FleetView After(StoreEvent change, long now)
    {
        if (Name(change.Key, Keys.Nodes) is { } node)
        {
            if (change.Value is not { } record)
            {
                return this with { Records = Records.Remove(node), Reports = Reports.Remove(node), SilentSince = SilentSince.Remove(node) };
            }

            // One that has never told anything is as silent as one that has ceased to: it may have gone before we began to listen.
            var silent = Reports.ContainsKey(node) || SilentSince.ContainsKey(node) ? SilentSince : SilentSince.Add(node, now);
            return this with { Records = Records.SetItem(node, JsonSerializer.Deserialize(record.Span, MachineJson.Default.MachineRecord)!), SilentSince = silent };
        }

        if (Name(change.Key, Keys.ActualStates) is { } machine)
        {
            return change.Value is not { } report
                ? this with
                {
                    Reports = Reports.Remove(machine),
                    HeardSince = HeardSince.Remove(machine),
                    SilentSince = Records.ContainsKey(machine) && !SilentSince.ContainsKey(machine) ? SilentSince.Add(machine, now) : SilentSince,
                }
                : this with
                {
                    Reports = Reports.SetItem(machine, JsonSerializer.Deserialize(report.Span, MachineJson.Default.MachineReport)!),
                    HeardSince = HeardSince.ContainsKey(machine) ? HeardSince : HeardSince.Add(machine, now),
                    SilentSince = SilentSince.Remove(machine),
                };
        }

        if (Name(change.Key, Keys.Leases) is { } lease)
        {
            return this with { Leases = change.Value is { } holder ? Leases.SetItem(lease, Encoding.UTF8.GetString(holder.Span)) : Leases.Remove(lease) };
        }

        if (change.Key.StartsWith(Keys.Candidates, StringComparison.Ordinal))
        {
            // A candidate may be told of twice, when all is listed again: the first time counts.
            var known = Candidates.FirstOrDefault(candidate => candidate.Value.Key == change.Key);
            return change.Value is not { } name ? this with { Candidates = Candidates.Remove(known.Key) }
                : known.Value.Key is null ? this with { Candidates = Candidates.SetItem(change.Revision, (change.Key, Encoding.UTF8.GetString(name.Span))) }
                : this;
        }

        if (change.Key == Keys.Orders && change.Value is { } orders)
        {
            var (holds, rolls) = DesiredStore.Read(orders);
            return this with { Orders = holds, Rolls = rolls, OrdersRevision = change.Revision };
        }

        if (change.Key == Keys.State && change.Value is { } state)
        {
            return this with { State = JsonSerializer.Deserialize(state.Span, MachineJson.Default.StateRecord) };
        }

        return change.Key == Keys.Placement && change.Value is { } placement
            ? this with { Placement = JsonSerializer.Deserialize(placement.Span, MachineJson.Default.PlacementRecord), PlacementRevision = change.Revision }
            : this;
    }

    /// <summary>True: a certificate of the stack's authority is of a machine that is one now, and not of one that was removed.</summary>
    public bool Knows(X509Certificate2 shown) => Records.TryGetValue(MachineIdentity.NameOf(shown), out var record)
        && (record.Key.Length == 0 || record.Key == StackAuthority.KeyOf(shown));

    /// <summary>Refuses that anything has no place.</summary>
    /// <exception cref="Errors.AshlarException">ASH7514.</exception>
    public void RequirePlaced()
    {
        if (Placement is { Pending: { IsEmpty: false } pending })
        {
            throw FleetErrors.Pending(pending);
        }
    }

    /// <summary>True: all machines have told that they have what they are to have.</summary>
    public bool IsReached => Records.Keys.All(Reports.ContainsKey) && Living.All(report => report.Reached) && Placement is null or { Pending.IsEmpty: true };

    /// <summary>What those tell that live. One that was removed is no more one of them, though it may still speak.</summary>
    public IEnumerable<MachineReport> Living => Reports.Values.Where(report => Records.ContainsKey(report.Name));

    /// <summary>What runs on the machines that live, but for one.</summary>
    public IEnumerable<RemoteInstance> Except(string machine) => Living.Where(report => report.Name != machine)
        .SelectMany(report => report.Instances.Select(instance => new RemoteInstance(Records[report.Name], instance)));

    /// <summary>The machine that leads, or null.</summary>
    public string? Leader => Candidates.IsEmpty ? null : Candidates.First().Value.Machine;

    /// <summary>The revision at which that began to stand; 0: none leads. Another one is another leadership, also of the same machine.</summary>
    public long Term => Candidates.IsEmpty ? 0 : Candidates.First().Key;

    private static string? Name(string key, string prefix) => key.StartsWith(prefix, StringComparison.Ordinal) ? key[prefix.Length..] : null;
}
