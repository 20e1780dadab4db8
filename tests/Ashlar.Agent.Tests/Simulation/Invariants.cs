using Ashlar.Agent.Machines;
using Ashlar.Catalog;
using Ashlar.Fleet.Placement;

namespace Ashlar.Agent.Tests.Simulation;

/// <summary>What holds at every moment of every history, judged by what is the case and not by what the agents believe.</summary>
internal sealed class Invariants(SimulatedFleet fleet)
{
    private const int Lease = 10;
    private const int LostAfter = 60;
    private const int LongestTwice = 60;
    private readonly Dictionary<string, string> _homes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _twice = new(StringComparer.Ordinal);

    /// <summary>Instances that are healthy somewhere at every moment.</summary>
    public HashSet<string> Served { get; } = new(StringComparer.Ordinal);

    /// <summary>A placement that was just written.</summary>
    /// <param name="leader">Who wrote it.</param>
    /// <param name="view">What it saw.</param>
    /// <param name="before">The placement until then.</param>
    /// <param name="next">The placement now.</param>
    public void CheckPlacement(SimulatedMachine leader, FleetView view, PlacementRecord before, PlacementRecord next)
    {
        var records = view.Records;
        var plan = leader.Ordered!.Plan.ToDictionary(d => d.Name, StringComparer.Ordinal);
        var used = next.Machines.GroupBy(m => m.Value, m => plan[m.Key].Launch.Memory ?? 0).ToDictionary(g => g.Key, g => g.Sum(), StringComparer.Ordinal);
        foreach (var (machine, memory) in used)
        {
            Holds(memory <= records[machine].Memory, $"{machine} is given {memory >> 30} GiB and has {records[machine].Memory >> 30}");
        }

        var owners = next.Machines.Where(m => plan[m.Key].Machines.Dedicated).ToLookup(m => m.Value, m => plan[m.Key].Service, StringComparer.Ordinal);
        foreach (var (name, machine) in next.Machines)
        {
            Holds(owners[machine].All(owner => owner == plan[name].Service), $"{name} is on {machine}, which belongs to {owners[machine].FirstOrDefault()}");
        }

        var lost = next.Lost.Except(before.Lost);
        foreach (var machine in lost)
        {
            Holds(WasAbsent(machine, leader, LostAfter - Lease), $"{machine} is declared lost and was not away for so long");
        }

        var known = before.Lost.Intersect(next.Lost);
        var away = records.Keys.Count(name => !known.Contains(name) && IsAbsent(name, Lease + leader.Lag + 2));
        Holds(lost.IsEmpty || away * 2 <= records.Keys.Count(name => !known.Contains(name)), $"{string.Join(", ", lost)} is declared lost while {away} of {records.Count} are away");

        foreach (var (name, from) in before.Machines)
        {
            var to = next.Machines.GetValueOrDefault(name);
            var mayLeave = !plan.ContainsKey(name) || next.Lost.Contains(from) || !records.TryGetValue(from, out var record) || record.Admission == Admission.Leaving
                || owners[from].Any(owner => owner != plan[name].Service);
            Holds(to == from || mayLeave, $"{name} leaves {from} for {to ?? "nowhere"} without need");
        }

        foreach (var (name, why) in next.Pending)
        {
            var wanted = plan[name].Launch.Memory ?? 0;
            var home = plan[name].KeepsData ? before.Homes.GetValueOrDefault(name) : null;
            var service = plan[name].Service;
            var bears = next.Machines.ToLookup(m => m.Value, m => plan[m.Key], StringComparer.Ordinal);
            var room = records.Values.FirstOrDefault(r => (home is null ? r.Admission == Admission.Open && !view.SilentSince.ContainsKey(r.Name) : r.Name == home && !next.Lost.Contains(home))
                && r.Memory - used.GetValueOrDefault(r.Name) >= wanted
                && bears[r.Name].All(other => other.Service == service || (!other.Machines.Dedicated && !plan[name].Machines.Dedicated)));
            Holds(room is null, $"{name} is pending ({why}), and {room?.Name} has room");
        }

        foreach (var instance in plan.Values.Where(d => d.Tier != Tiers.Edge))
        {
            var staysPut = next.Machines.TryGetValue(instance.Name, out var where) && before.Machines.GetValueOrDefault(instance.Name) == where;
            Holds(next.Machines.ContainsKey(instance.Name) || next.Pending.ContainsKey(instance.Name), $"{instance.Name} is neither placed nor pending");
            Holds(!next.Pending.ContainsKey(instance.Name) || where is null || staysPut, $"{instance.Name} is pending and placed anew");
        }
    }

    /// <summary>What runs at the end of a step.</summary>
    public void CheckStep()
    {
        var running = new Dictionary<string, SimulatedMachine>(StringComparer.Ordinal);
        var twice = new HashSet<string>(StringComparer.Ordinal);
        var data = fleet.Ordered.Services.Where(s => s.Value.Data).Select(s => $"{s.Key}.1").ToHashSet(StringComparer.Ordinal);
        var someoneLeads = fleet.Machines.Values.Any(m => m.Leads && m.IsInformed);
        foreach (var machine in fleet.Machines.Values)
        {
            foreach (var o in machine.Observed)
            {
                if (o.Tier == Tiers.Edge || !o.Serves)
                {
                    continue;
                }

                if (data.Contains(o.Name))
                {
                    Holds(_homes.TryAdd(o.Name, machine.Name) || _homes[o.Name] == machine.Name, $"{o.Name} has its data on {_homes[o.Name]} and runs on {machine.Name}");
                    Holds(machine.Observed.Count(other => other.Name == o.Name && other.Alive) == 1, $"{o.Name} runs twice on {machine.Name}");
                }

                if (!running.TryAdd(o.Name, machine) && running[o.Name] != machine && running[o.Name].IsInformed && machine.IsInformed && someoneLeads)
                {
                    twice.Add(o.Name);
                }
            }
        }

        foreach (var name in Served)
        {
            Holds(fleet.Machines.Values.Any(m => m.Observed.Any(o => o.Name == name && o.State == InstanceState.Healthy)), $"{name} is healthy nowhere");
        }

        foreach (var name in _twice.Keys.Except(twice, StringComparer.Ordinal).ToArray())
        {
            _twice.Remove(name);
        }

        foreach (var name in twice)
        {
            Holds((_twice[name] = _twice.GetValueOrDefault(name) + 1) <= LongestTwice, $"{name} runs on two machines for {LongestTwice} s, and both have heard: {string.Join(", ", fleet.Machines.Values.SelectMany(m => m.Observed.Where(o => o.Name == name).Select(o => $"{o.Id} {o.State} on {m.Name}")))}; {SimulatedFleet.Show(fleet.Placement)}");
        }
    }

    /// <summary>All is healed and has had its time.</summary>
    public void CheckRest()
    {
        var leaders = fleet.Machines.Values.Where(m => m.Leads).Select(m => m.Name).ToArray();
        Holds(fleet.Machines.Count == 0 || leaders.Length == 1, $"leaders: {string.Join(", ", leaders)}");
        foreach (var machine in fleet.Machines.Values)
        {
            Holds(machine.IsInformed, $"{machine.Name} has not heard of everything");
            Holds(machine.Ordered == fleet.Ordered, $"{machine.Name} pursues old orders");
            Holds(ReferenceEquals(machine.View.Placement, fleet.Placement) || FleetPlacement.IsSame(fleet.Placement, machine.View.Placement), $"{machine.Name} knows another placement");
            var belong = fleet.Placement.Machines.Where(m => m.Value == machine.Name).Select(m => m.Key);
            var healthy = machine.Observed.Where(o => o.State == InstanceState.Healthy && o.Tier != Tiers.Edge).Select(o => o.Name);
            var (missing, extra) = (belong.Except(healthy, StringComparer.Ordinal).ToArray(), machine.Observed.Where(o => o.Tier != Tiers.Edge).Select(o => o.Name).Except(belong, StringComparer.Ordinal).Where(name => !fleet.Placement.Pending.ContainsKey(name)).ToArray());
            Holds(missing.Length + extra.Length == 0, $"{machine.Name} lacks {string.Join(", ", missing)} and has {string.Join(", ", extra)} that is not its own; {SimulatedFleet.Show(fleet.Placement)}");
        }

        var wanted = fleet.Ordered.Plan.Where(d => d.Tier != Tiers.Edge).Select(d => d.Name).ToHashSet(StringComparer.Ordinal);
        Holds(fleet.Machines.Count == 0 || wanted.SetEquals(fleet.Placement.Machines.Keys.Concat(fleet.Placement.Pending.Keys)), "the placement is not about what is ordered");
        Holds(fleet.Placement.Lost.IsEmpty, $"{string.Join(", ", fleet.Placement.Lost)} is still taken to be lost");
    }

    private bool IsAbsent(string machine, long seconds) =>
        fleet.Machines.TryGetValue(machine, out var m) && m.Absences.Count > 0 && m.Absences[^1] is { To: null, From: var from } && fleet.Second - from >= seconds;

    // The leader may not have heard yet that it is back.
    private bool WasAbsent(string machine, SimulatedMachine leader, long seconds) => !fleet.Machines.TryGetValue(machine, out var m)
        || m.Absences.Any(a => (a.To ?? fleet.Second) - a.From >= seconds && (a.To is null || fleet.Second - a.To <= leader.Lag + 3));

    private void Holds(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new BrokenInvariantException($"second {fleet.Second}: {otherwise}");
        }
    }
}

/// <summary>Something that must hold does not.</summary>
internal sealed class BrokenInvariantException(string message) : Exception(message);
