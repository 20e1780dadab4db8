using System.Collections.Immutable;
using Ashlar.Fleet.Placement;
using FsCheck;
using FsCheck.Fluent;

namespace Ashlar.Fleet.Tests;

/// <summary>Machines, instances, and where these were, made up.</summary>
internal sealed record PlacementCase(PlacementMachine[] Machines, PlacementDemand[] Demands, ImmutableSortedDictionary<string, string> Present)
{
    private static readonly string[] Labels = ["web", "big", "gpu"];

    public PlacementResult Place() => Placer.Place(Machines, Demands, Present);

    public ILookup<string, PlacementDemand> On(PlacementResult result) =>
        Demands.Where(d => result.Machines.ContainsKey(d.Name)).ToLookup(d => result.Machines[d.Name]);

    /// <summary>Tries whether something holds of each of many.</summary>
    public static void Holds(Func<PlacementCase, bool> property) =>
        Prop.ForAll(Arb.From(Cases), property).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    private static Gen<PlacementCase> Cases =>
        from machineCount in Gen.Choose(0, 6)
        from machines in Machine.ArrayOf(machineCount)
        from serviceCount in Gen.Choose(1, 5)
        from services in Service(machineCount).ArrayOf(serviceCount)
        let named = machines.Select((m, i) => m with { Name = $"m{i}" }).ToArray()
        let demands = services.SelectMany((s, i) => s.Select(d => d with { Service = $"s{i}" })).ToArray()
        from present in Gen.Choose(-2, 7).ArrayOf(demands.Length)
        select new PlacementCase(named, demands, demands.Zip(present)
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
