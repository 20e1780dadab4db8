using System.Collections.Immutable;
using Ashlar.Fleet.Placement;

namespace Ashlar.Fleet.Tests;

/// <summary>What holds of every placement, whatever the machines, the instances and where these were before.</summary>
public sealed class PlacerProperties
{
    [Fact]
    public void EveryInstanceIsPlacedOrPending() => Holds(c =>
    {
        var result = c.Place();
        return c.Demands.All(d => result.Machines.ContainsKey(d.Name) || result.Pending.ContainsKey(d.Name))
            && result.Machines.Keys.Union(result.Pending.Keys).Count() == c.Demands.Length;
    });

    [Fact]
    public void WhatIsPendingRunsNowhereOrWhereItWas() => Holds(c =>
    {
        var result = c.Place();
        var lost = c.Machines.Where(m => m.Admission == Admission.Lost).Select(m => m.Name).ToHashSet();
        return result.Pending.Keys.All(name => !result.Machines.TryGetValue(name, out var machine) || (c.Present[name] == machine && !lost.Contains(machine)));
    });

    [Fact]
    public void NoMachineIsGivenMoreThanItHas() => Holds(c =>
    {
        var on = c.On(c.Place());
        return c.Machines.All(m => on[m.Name].Sum(d => d.Memory) <= m.Memory && on[m.Name].Sum(d => d.Cpu) <= m.Cpu + 1e-6);
    });

    [Fact]
    public void AServiceWithMachinesOfItsOwnSharesNone() => Holds(c =>
    {
        var on = c.On(c.Place());
        return c.Machines.All(m => !on[m.Name].Any(d => d.Dedicated) || on[m.Name].Select(d => d.Service).Distinct().Count() == 1);
    });

    [Fact]
    public void LabelsPinsAndAdmissionAreKept() => Holds(c =>
    {
        var result = c.Place();
        var machines = c.Machines.ToDictionary(m => m.Name);
        return c.Demands.Where(d => !result.Pending.ContainsKey(d.Name)).All(d =>
        {
            var machine = machines[result.Machines[d.Name]];
            var wasThere = c.Present.GetValueOrDefault(d.Name) == machine.Name;
            return d.PinnedTo is { } pin
                ? pin == machine.Name && machine.Admission != Admission.Lost
                : machine.Matches(d.On) && (machine.Admission == Admission.Open || (machine.Admission == Admission.Closed && wasThere));
        });
    });

    [Fact]
    public void WhatIsPlacedStaysWhenItIsPlacedAgain() => Holds(c =>
    {
        var first = c.Place();
        var second = Placer.Place(c.Machines, c.Demands, first.Machines);
        return first.Machines.All(m => second.Machines.GetValueOrDefault(m.Key) == m.Value);
    });

    [Fact]
    public void AnotherMachineMovesNothingThatIsNotToHaveOneOfItsOwn() => Holds(c =>
    {
        var first = c.Place();
        var second = Placer.Place([.. c.Machines, new PlacementMachine { Name = "new" }], c.Demands, first.Machines);
        return first.Machines.All(m => second.Machines.GetValueOrDefault(m.Key) == m.Value || first.Pending.ContainsKey(m.Key));
    });

    [Fact]
    public void AnInstanceLessMovesNothing() => Holds(c =>
    {
        var first = c.Place();
        var less = c.Demands.Skip(1).ToArray();

        // What was pending may take the room, but nobody moves for it who is not asked to make a machine free.
        var second = Placer.Place(c.Machines, less, first.Machines);
        return less.Any(d => d.Dedicated && first.Pending.ContainsKey(d.Name))
            || less.All(d => first.Pending.ContainsKey(d.Name) || !first.Machines.TryGetValue(d.Name, out var machine) || second.Machines.GetValueOrDefault(d.Name) == machine);
    });

    [Fact]
    public void NothingIsPendingForWhichThereIsRoom() => Holds(c =>
    {
        var result = c.Place();
        var on = c.On(result);
        return c.Demands.Where(d => result.Pending.ContainsKey(d.Name)).All(d => !c.Machines.Any(m =>
            (d.PinnedTo is { } pin ? pin == m.Name && m.Admission != Admission.Lost : m.Matches(d.On) && m.Admission == Admission.Open)
            && on[m.Name].Sum(o => o.Memory) + d.Memory <= m.Memory && on[m.Name].Sum(o => o.Cpu) + d.Cpu <= m.Cpu
            && on[m.Name].All(o => o.Service == d.Service || (!o.Dedicated && !d.Dedicated))));
    });

    [Fact]
    public void TheOrderOfTheInputsIsOfNoAccount() => Holds(c =>
    {
        var first = c.Place();
        var second = Placer.Place(c.Machines.Reverse(), c.Demands.Reverse(), c.Present);
        return first.Machines.SequenceEqual(second.Machines) && first.Pending.SequenceEqual(second.Pending);
    });

    private static void Holds(Func<PlacementCase, bool> property) => PlacementCase.Holds(property);
}
