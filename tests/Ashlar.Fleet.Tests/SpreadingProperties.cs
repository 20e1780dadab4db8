using System.Collections.Immutable;
using Ashlar.Fleet.Placement;

namespace Ashlar.Fleet.Tests;

/// <summary>What holds of every spreading, whatever the machines, the instances and where these were before.</summary>
public sealed class SpreadingProperties
{
    private sealed record Spread(PlacementCase Case, PlacementResult Before, ImmutableArray<PlacementMove> Moves)
    {
        public ImmutableSortedDictionary<string, string> After { get; } = Before.Machines.SetItems(Moves.Select(m => KeyValuePair.Create(m.Instance, m.To)));

        public PlacementMachine Machine(string name) => Case.Machines.Single(m => m.Name == name);

        public ILookup<string, PlacementDemand> On => Case.Demands.Where(d => After.ContainsKey(d.Name)).ToLookup(d => After[d.Name]);

        public bool MayMove(PlacementDemand demand) => !Before.Pending.ContainsKey(demand.Name) && demand.Index % 4 != 0; // some may not
    }

    [Fact]
    public void NoRuleIsBrokenThatHeldBefore() => Holds(s =>
    {
        var on = s.On;
        return s.Case.Machines.All(m => on[m.Name].Sum(d => d.Memory) <= m.Memory && on[m.Name].Sum(d => d.Cpu) <= m.Cpu + 1e-6
                && (!on[m.Name].Any(d => d.Dedicated) || on[m.Name].Select(d => d.Service).Distinct().Count() == 1))
            && s.Moves.All(move => s.Case.Demands.Single(d => d.Name == move.Instance) is { PinnedTo: null } demand && s.MayMove(demand)
                && s.Machine(move.To) is { Admission: Admission.Open } to && to.Matches(demand.On) && s.Machine(move.From).Admission == Admission.Open);
    });

    [Fact]
    public void EachMoveIsFromWhereItIsAndToAnother() => Holds(s =>
        s.Moves.All(move => s.Before.Machines[move.Instance] == move.From && move.From != move.To) && s.Moves.Select(m => m.Instance).Distinct().Count() == s.Moves.Length);

    [Fact]
    public void NoServiceAndNotTheWholeIsLessEvenThanBefore() => Holds(s =>
    {
        var (before, after) = (Unevenness(s.Case, s.Before.Machines), Unevenness(s.Case, s.After));
        return s.Moves.IsEmpty ? before == after : after.CompareTo(before) < 0;
    });

    [Fact]
    public void WhatIsSpreadIsNotSpreadAgainAndPlacementLeavesItThere() => Holds(s =>
        Spreading.Moves(s.Case.Machines, s.Case.Demands, s.After, s.MayMove).IsEmpty
        && Placer.Place(s.Case.Machines, s.Case.Demands, s.After) is var again && s.After.All(m => s.Before.Pending.ContainsKey(m.Key) || again.Machines.GetValueOrDefault(m.Key) == m.Value));

    [Fact]
    public void TheOrderOfTheInputsIsOfNoAccount() => Holds(s =>
        Spreading.Moves(s.Case.Machines.Reverse(), s.Case.Demands.Reverse(), s.Before.Machines, s.MayMove).SequenceEqual(s.Moves));

    [Fact]
    public void OneServiceWithoutWishesIsEvenAfterAsFewMovesAsThatTakes()
    {
        var random = new Random(7);
        for (var round = 0; round < 300; round++)
        {
            var machines = Enumerable.Range(0, random.Next(1, 7)).Select(i => new PlacementMachine { Name = $"m{i}" }).ToArray();
            var demands = Enumerable.Range(1, random.Next(1, 25)).Select(i => new PlacementDemand { Service = "web", Index = i }).ToArray();
            var placed = demands.ToImmutableSortedDictionary(d => d.Name, _ => machines[random.Next(machines.Length)].Name, StringComparer.Ordinal);
            var moves = Spreading.Moves(machines, demands, placed, _ => true);
            var counts = machines.Select(m => placed.Values.Count(name => name == m.Name)).OrderDescending().ToArray();
            var fewest = counts.Select((count, i) => Math.Max(0, count - (demands.Length / machines.Length) - (i < demands.Length % machines.Length ? 1 : 0))).Sum();
            var after = placed.SetItems(moves.Select(m => KeyValuePair.Create(m.Instance, m.To)));
            var even = machines.Select(m => after.Values.Count(name => name == m.Name)).ToArray();
            Assert.True(even.Max() - even.Min() <= 1 && moves.Length == fewest, $"round {round}: {string.Join(' ', counts)} → {string.Join(' ', even)} by {moves.Length} moves, {fewest} are enough");
        }
    }

    [Fact]
    public void ServicesOfOneInstanceAreSpreadToo()
    {
        PlacementMachine[] machines = [new() { Name = "m1" }, new() { Name = "m2" }, new() { Name = "m3" }];
        var demands = Enumerable.Range(1, 6).Select(i => new PlacementDemand { Service = $"s{i}", Index = 1 }).ToArray();
        var placed = demands.ToImmutableSortedDictionary(d => d.Name, _ => "m1", StringComparer.Ordinal);
        Assert.Equal(
            ["s1.1 to m2", "s2.1 to m3", "s3.1 to m2", "s4.1 to m3"],
            Spreading.Moves(machines, demands, placed, _ => true).Select(m => $"{m.Instance} to {m.To}"));
    }

    [Fact]
    public void NothingGoesToOrLeavesAMachineThatIsClosedAndOneThatWasLostLatelyIsAsGoodAsAny()
    {
        PlacementMachine[] machines = [new() { Name = "m1" }, new() { Name = "m2", Unsteady = true }, new() { Name = "m3", Admission = Admission.Closed }];
        var demands = Enumerable.Range(1, 8).Select(i => new PlacementDemand { Service = "web", Index = i }).ToArray();
        ImmutableArray<PlacementMove> From(string machine) =>
            Spreading.Moves(machines, demands, demands.ToImmutableSortedDictionary(d => d.Name, _ => machine, StringComparer.Ordinal), _ => true);
        Assert.Empty(From("m3"));
        Assert.Equal(["web.5", "web.6", "web.7", "web.8"], From("m1").Where(m => m.To == "m2").Select(m => m.Instance));
        Assert.Equal(4, From("m1").Length);
    }

    private static (long Services, long All) Unevenness(PlacementCase c, ImmutableSortedDictionary<string, string> where)
    {
        var placed = c.Demands.Where(d => where.ContainsKey(d.Name)).ToArray();
        return (placed.GroupBy(d => (d.Service, where[d.Name])).Sum(g => (long)g.Count() * g.Count()), placed.GroupBy(d => where[d.Name]).Sum(g => (long)g.Count() * g.Count()));
    }

    private static void Holds(Func<Spread, bool> property) => PlacementCase.Holds(c =>
    {
        var before = c.Place();
        var empty = new Spread(c, before, []);
        return property(new Spread(c, before, Spreading.Moves(c.Machines, c.Demands, before.Machines, empty.MayMove)));
    });
}
