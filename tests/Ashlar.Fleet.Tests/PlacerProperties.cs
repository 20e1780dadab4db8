using System.Collections.Immutable;
using Ashlar.Fleet.Placement;
using FsCheck;
using FsCheck.Fluent;

namespace Ashlar.Fleet.Tests;

/// <summary>What holds of every placement, whatever the machines, the instances and where these were before.</summary>
public sealed class PlacerProperties
{
    private static readonly string[] Labels = ["web", "big", "gpu"];

    private sealed record Case(PlacementMachine[] Machines, PlacementDemand[] Demands, ImmutableSortedDictionary<string, string> Present)
    {
        public PlacementResult Place() => Placer.Place(Machines, Demands, Present);

        public ILookup<string, PlacementDemand> On(PlacementResult result) =>
            Demands.Where(d => result.Machines.ContainsKey(d.Name)).ToLookup(d => result.Machines[d.Name]);
    }

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

    private static void Holds(Func<Case, bool> property) =>
        Prop.ForAll(Arb.From(Cases), property).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    private static Gen<Case> Cases =>
        from machineCount in Gen.Choose(0, 6)
        from machines in Machine.ArrayOf(machineCount)
        from serviceCount in Gen.Choose(1, 5)
        from services in Service(machineCount).ArrayOf(serviceCount)
        let named = machines.Select((m, i) => m with { Name = $"m{i}" }).ToArray()
        let demands = services.SelectMany((s, i) => s.Select(d => d with { Service = $"s{i}" })).ToArray()
        from present in Gen.Choose(-2, 7).ArrayOf(demands.Length)
        select new Case(named, demands, demands.Zip(present)
            .Where(p => p.Second >= 0).ToImmutableSortedDictionary(p => p.First.Name, p => $"m{p.Second}", StringComparer.Ordinal));

    private static Gen<PlacementMachine> Machine =>
        from labels in Gen.SubListOf(Labels)
        from memory in Gen.Choose(0, 16)
        from cpu in Gen.Choose(0, 8)
        from admission in Gen.Frequency(
            (6, Gen.Constant(Admission.Open)), (1, Gen.Constant(Admission.Closed)), (1, Gen.Constant(Admission.Leaving)), (1, Gen.Constant(Admission.Lost)))
        select new PlacementMachine { Name = "", Labels = [.. labels], Memory = (long)memory << 28, Cpu = cpu, Admission = admission };

    private static Gen<PlacementDemand[]> Service(int machines) =>
        from count in Gen.Choose(0, 5)
        from memory in Gen.Choose(0, 6)
        from cpu in Gen.Choose(0, 30)
        from label in Gen.Frequency((4, Gen.Constant<string?>(null)), (1, Gen.Elements(Labels).Select(l => (string?)l)))
        from dedicated in Gen.Frequency((4, Gen.Constant(false)), (1, Gen.Constant(true)))
        from pins in Gen.Frequency((5, Gen.Constant(-1)), (1, Gen.Choose(0, Math.Max(0, machines)))).ArrayOf(count)
        select pins.Select((pin, i) => new PlacementDemand
        {
            Service = "",
            Index = i + 1,
            Memory = (long)memory << 27,
            Cpu = cpu / 10.0,
            On = label,
            Dedicated = dedicated,
            PinnedTo = pin < 0 ? null : $"m{pin}",
        }).ToArray();
}
