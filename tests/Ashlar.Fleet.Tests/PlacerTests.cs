using System.Collections.Immutable;
using Ashlar.Fleet.Placement;

namespace Ashlar.Fleet.Tests;

public sealed class PlacerTests
{
    private const long GiB = 1 << 30;
    private static readonly ImmutableSortedDictionary<string, string> Nowhere = ImmutableSortedDictionary<string, string>.Empty;

    [Fact]
    public void InstancesOfAServiceAreSpread() =>
        Assert.Equal("a web.1 web.4; b web.2; c web.3", Show(Place([Machine("a"), Machine("b"), Machine("c")], Web(4))));

    [Fact]
    public void OtherwiseTheMachineIsTakenThatIsFilledBest() =>
        Assert.Equal(
            "b job.1",
            Show(Place([Machine("a") with { Memory = 8 * GiB }, Machine("b") with { Memory = 2 * GiB }], [Demand("job", 1) with { Memory = GiB }])));

    [Fact]
    public void ALabelOrANameSaysWhere() =>
        Assert.Equal(
            "a db.1; b web.1; c web.2",
            Show(Place(
                [Machine("a"), Machine("b", "web"), Machine("c", "web")],
                [Demand("web", 1) with { On = "web" }, Demand("web", 2) with { On = "web" }, Demand("db", 1) with { On = "a" }])));

    [Fact]
    public void ADedicatedServiceHasItsMachinesForItself() =>
        Assert.Equal(
            "a worker.1 worker.2; b web.1; c web.2",
            Show(Place(
                [Machine("a"), Machine("b"), Machine("c")],
                [.. Web(2), Demand("worker", 1) with { Dedicated = true }, Demand("worker", 2) with { Dedicated = true }],
                ("web.1", "b"), ("web.2", "c"))));

    [Fact]
    public void WhatIsThereMakesRoomForAServiceThatIsToHaveAMachineOfItsOwn() =>
        Assert.Equal(
            "a web.1 web.2 web.3; b worker.1",
            Show(Place(
                [Machine("a"), Machine("b")],
                [.. Web(3), Demand("worker", 1) with { Dedicated = true }],
                ("web.1", "a"), ("web.2", "b"), ("web.3", "a"))));

    [Fact]
    public void AMachineAddedMovesNothing() =>
        Assert.Equal("a web.1 web.2", Show(Place([Machine("a"), Machine("b")], Web(2), ("web.1", "a"), ("web.2", "a"))));

    [Fact]
    public void AMachineThatIsClosedKeepsWhatItHasAndTakesNothingNew() =>
        Assert.Equal(
            "a web.1; b web.2 web.3",
            Show(Place([Machine("a") with { Admission = Admission.Closed }, Machine("b")], Web(3), ("web.1", "a"))));

    [Theory]
    [InlineData(Admission.Leaving)]
    [InlineData(Admission.Lost)]
    public void WhatIsOnAMachineThatGoesIsPlacedElsewhere(Admission admission) =>
        Assert.Equal("b web.1 web.2", Show(Place([Machine("a") with { Admission = admission }, Machine("b")], Web(2), ("web.1", "a"), ("web.2", "b"))));

    [Fact]
    public void WhatIsPinnedStaysOnAMachineThatLeavesAndIsNotReplacedWhenItIsLost()
    {
        PlacementDemand[] database = [Demand("database", 1) with { PinnedTo = "a" }];
        Assert.Equal("a database.1", Show(Place([Machine("a") with { Admission = Admission.Leaving }, Machine("b")], database, ("database.1", "a"))));
        var lost = Place([Machine("a") with { Admission = Admission.Lost }, Machine("b")], database, ("database.1", "a"));
        Assert.Equal("its data is on machine a, which is lost", lost.Pending["database.1"]);
    }

    [Fact]
    public void AMachineThatWasLostLatelyIsTheLastChoiceButKeepsWhatItHas()
    {
        PlacementMachine[] machines = [Machine("a") with { Unsteady = true }, Machine("b") with { Cpu = 3 }];
        Assert.Equal("a web.1; b web.2 web.3", Show(Place(machines, Web(3), ("web.1", "a"))));
        Assert.Equal("a job.2; b job.1", Show(Place(machines, [Demand("job", 1) with { Cpu = 2 }, Demand("job", 2) with { Cpu = 2 }])));
    }

    [Fact]
    public void AMachineThatShrankKeepsWhatFits() =>
        Assert.Equal(
            "a job.1; b job.2",
            Show(Place(
                [Machine("a") with { Memory = GiB }, Machine("b")],
                [Demand("job", 1) with { Memory = GiB }, Demand("job", 2) with { Memory = GiB }],
                ("job.1", "a"), ("job.2", "a"))));

    [Fact]
    public void WhatFitsNowhereIsPendingWithTheReason()
    {
        Assert.Equal("there is no machine", Place([], Web(1)).Pending["web.1"]);
        Assert.Equal("no machine has the label gpu", Why(Machine("a"), Demand("x", 1) with { On = "gpu" }));
        Assert.Equal("no machine is large enough: it asks for 2048 MiB of memory", Why(Machine("a") with { Memory = GiB }, Demand("x", 1) with { Memory = 2 * GiB }));
        Assert.Equal("no machine is large enough: it asks for 1 MiB of memory and 1.5 cores", Why(Machine("a") with { Cpu = 1 }, Demand("x", 1) with { Memory = 1 << 20, Cpu = 1.5 }));
        Assert.Equal("no machine takes anything new: a is closed", Why(Machine("a") with { Admission = Admission.Closed }, Demand("x", 1)));
        Assert.Equal("no machine has 1 cores free", Place([Machine("a") with { Cpu = 1.5 }], [Demand("x", 1) with { Cpu = 1 }, Demand("x", 2) with { Cpu = 1 }]).Pending["x.2"]);
        Assert.Equal("every machine belongs to a service of its own", Place([Machine("a")], [Demand("x", 1), Demand("y", 1) with { Dedicated = true }]).Pending["x.1"]);
    }

    private static string Why(PlacementMachine machine, PlacementDemand demand) => Place([machine], [demand]).Pending[demand.Name];

    [Fact]
    public void WhatHasNoOtherPlaceGoesOnWhereItRuns()
    {
        var placed = Place([Machine("a", "db") with { Admission = Admission.Leaving }, Machine("b") with { Memory = GiB }], [Demand("web", 1) with { Memory = 2 * GiB }], ("web.1", "a"));
        Assert.Equal("a", placed.Machines["web.1"]);
        Assert.Equal("no machine is large enough: it asks for 2048 MiB of memory; it stays on a", placed.Pending["web.1"]);
        placed = Place([Machine("a", "db")], [Demand("web", 1) with { On = "bd" }], ("web.1", "a"));
        Assert.Equal("no machine has the label bd (did you mean db?); it stays on a", placed.Pending["web.1"]);
        Assert.Empty(Place([Machine("a") with { Admission = Admission.Lost }], [Demand("web", 1)], ("web.1", "a")).Machines);
    }

    private static PlacementMachine Machine(string name, params string[] labels) => new() { Name = name, Labels = [.. labels] };

    private static PlacementDemand Demand(string service, int index) => new() { Service = service, Index = index };

    private static PlacementDemand[] Web(int count) => [.. Enumerable.Range(1, count).Select(index => Demand("web", index))];

    private static PlacementResult Place(
        IEnumerable<PlacementMachine> machines, IEnumerable<PlacementDemand> demands, params (string Instance, string Machine)[] present) =>
        Placer.Place(machines, demands, Nowhere.AddRange(present.Select(p => KeyValuePair.Create(p.Instance, p.Machine))));

    private static string Show(PlacementResult result) => string.Join("; ", result.Machines
        .GroupBy(m => m.Value, m => m.Key).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => string.Join(' ', g.Prepend(g.Key))));
}
