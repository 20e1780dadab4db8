using System.Collections.Immutable;
using System.Diagnostics;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Stack;

namespace Ashlar.Agent.Tests.Machines;

public sealed class FleetPlacementTests
{
    private static readonly long Now = 1000 * Stopwatch.Frequency;

    [Fact]
    public void WhatRanOnTheOneMachineStaysThereWhenASecondComes()
    {
        var placed = FleetPlacement.Compute(View(["m1", "m2"]), Target(Web(3)), Now)!;
        Assert.Equal(["m1", "m1", "m1"], placed.Machines.Values);
    }

    [Fact]
    public void EveryMachineHasItsOwnEdgeWhichIsNotPlaced() =>
        Assert.Empty(FleetPlacement.Compute(View(["m1"]), Target([World.Want("edge", 1, "f") with { Tier = Tiers.Edge }]), Now)!.Machines);

    [Theory]
    [InlineData(49, "m2")]
    [InlineData(50, "m1")]
    public void AMachineIsReplacedAfterAMinuteOfSilence(int secondsSinceItsLeaseEnded, string machine)
    {
        var view = View(["m1", "m2", "m3"], ("web.1", "m2"), ("web.2", "m3")) with
        {
            SilentSince = ImmutableSortedDictionary<string, long>.Empty.Add("m2", Now - (secondsSinceItsLeaseEnded * Stopwatch.Frequency)),
        };
        Assert.Equal(machine, FleetPlacement.Compute(view, Target(Web(2)), Now)!.Machines["web.1"]);
    }

    [Fact]
    public void ThatNothingMovesBecauseMostAreSilentIsSaidWithTheirNames()
    {
        FleetView Silent(int seconds, params string[] machines) => View(["m1", "m2", "m3"], ("web.1", "m2"), ("web.2", "m3")) with
        {
            SilentSince = machines.ToImmutableSortedDictionary(name => name, _ => Now - (seconds * Stopwatch.Frequency)),
        };
        Assert.Null(FleetPlacement.Compute(Silent(50, "m2", "m3"), Target(Web(2)), Now));
        Assert.StartsWith("2 of 3 machines are silent (m2, m3): ", FreezeAlarm.Text(Silent(50, "m2", "m3"), Now), StringComparison.Ordinal);
        Assert.Equal("", FreezeAlarm.Text(Silent(50, "m2"), Now));
        Assert.Equal("", FreezeAlarm.Text(Silent(10, "m2", "m3"), Now));
    }

    [Fact]
    public void WhatKeepsDataWaitsForItsMachine()
    {
        var view = View(["m1", "m2", "m3"], ("database.1", "m2")) with { SilentSince = ImmutableSortedDictionary<string, long>.Empty.Add("m2", 0) };
        var placed = FleetPlacement.Compute(view, Target([World.Want("database", 1, "f") with { KeepsData = true }]), Now)!;
        Assert.Equal("its data is on machine m2, which is lost", placed.Pending["database.1"]);

        // However often it is looked at while the machine is gone, and when it is back.
        var again = FleetPlacement.Compute(view with { Placement = placed }, Target([World.Want("database", 1, "f") with { KeepsData = true }]), Now)!;
        Assert.Equal("its data is on machine m2, which is lost", again.Pending["database.1"]);
        var back = view with { Placement = again, SilentSince = ImmutableSortedDictionary<string, long>.Empty };
        Assert.Equal("m2", FleetPlacement.Compute(back, Target([World.Want("database", 1, "f") with { KeepsData = true }]), Now)!.Machines["database.1"]);
    }

    [Fact]
    public void WhatKeptDataAndWasNotWantedForATimeGoesBackToIt()
    {
        var view = View(["m1", "m2"], ("database.1", "m2"));
        var with = FleetPlacement.Compute(view, Target([World.Want("database", 1, "f") with { KeepsData = true }]), Now)!;
        var without = FleetPlacement.Compute(view with { Placement = with }, Target(Web(1)), Now)!;
        var again = FleetPlacement.Compute(view with { Placement = without }, Target([World.Want("database", 1, "f") with { KeepsData = true }]), Now)!;
        Assert.Equal("m2", again.Machines["database.1"]);
    }

    [Fact]
    public void MachinesThatGoTogetherAreMostEvenIfTheirLeasesEndOneAfterTheOther()
    {
        var at = ImmutableSortedDictionary<string, long>.Empty;
        for (var i = 0; i < 3; i++)
        {
            at = at.Add($"m{i + 2}", Now - ((50 - i) * Stopwatch.Frequency));
        }

        Assert.Null(FleetPlacement.Compute(View(["m1", "m2", "m3", "m4"], ("web.1", "m2")) with { SilentSince = at }, Target(Web(1)), Now));
    }

    [Fact]
    public void WhoLeadsIsThereBeforeItHasToldSo()
    {
        var view = View(["m1"], ("web.1", "m1")) with { SilentSince = ImmutableSortedDictionary<string, long>.Empty.Add("m1", 0) };
        Assert.Equal(["m1", "m1"], FleetPlacement.Compute(view, Target(Web(2)), Now)!.Machines.Values);
    }

    [Fact]
    public void NothingMovesToAMachineThatWasLostLately()
    {
        var view = View(["m1", "m2", "m3"], ("web.1", "m1"), ("web.2", "m3")) with
        {
            SilentSince = ImmutableSortedDictionary<string, long>.Empty.Add("m2", Now - (50 * Stopwatch.Frequency)),
        };
        var lost = FleetPlacement.Compute(view, Target(Web(2)), Now)!;
        Assert.Equal(1, lost.Losses["m2"]);
        Assert.Equal(1, FleetPlacement.Compute(view with { Placement = lost }, Target(Web(2)), Now)!.Losses["m2"]); // once a loss

        FleetView Back(int seconds) => view with
        {
            Placement = lost,
            SilentSince = ImmutableSortedDictionary<string, long>.Empty,
            HeardSince = ImmutableSortedDictionary<string, long>.Empty.Add("m2", Now - (seconds * Stopwatch.Frequency)),
        };
        Assert.NotEqual("m2", FleetPlacement.Compute(Back(59), Target(Web(3)), Now)!.Machines["web.3"]);
        Assert.Equal("m2", FleetPlacement.Compute(Back(60), Target(Web(3)), Now)!.Machines["web.3"]);
        Assert.Empty(FleetPlacement.Compute(Back(3600), Target(Web(3)), Now)!.Losses);
    }

    [Fact]
    public void NothingMovesWhenMostAreSilentAtOnce()
    {
        var view = View(["m1", "m2", "m3"], ("web.1", "m2")) with
        {
            SilentSince = ImmutableSortedDictionary<string, long>.Empty.Add("m2", 0).Add("m3", 0),
        };
        Assert.Null(FleetPlacement.Compute(view, Target(Web(1)), Now));
    }

    [Fact]
    public void OneAfterTheOtherMostMayBeLost()
    {
        var longAgo = ImmutableSortedDictionary<string, long>.Empty.Add("m2", 0).Add("m3", 0);
        var view = View(["m1", "m2", "m3"], ("web.1", "m3"), ("web.2", "m1")) with { SilentSince = longAgo };
        var first = view with { Placement = view.Placement! with { Lost = ["m2"] } };
        var then = FleetPlacement.Compute(first, Target(Web(2)), Now)!;
        Assert.Equal("m1", then.Machines["web.1"]);
        Assert.Equal(["m2", "m3"], then.Lost);
    }

    private static FleetView View(string[] machines, params (string Instance, string Machine)[] placed) => new()
    {
        Records = machines.ToImmutableSortedDictionary(name => name, name => new MachineRecord { Name = name, Address = "10.0.0.1", PeerPort = 1, HopPort = 2, Memory = 1L << 34, Cores = 4 }),
        Candidates = ImmutableSortedDictionary<long, (string, string)>.Empty.Add(7, ("leader/1", "m1")),
        Placement = placed.Length == 0 ? null : new PlacementRecord { Machines = placed.ToImmutableSortedDictionary(p => p.Instance, p => p.Machine) },
    };

    private static Target Target(IEnumerable<DesiredInstance> instances) => new() { Stack = new StackDefinition { Name = "s", Directory = "/" }, Instances = [.. instances] };

    private static IEnumerable<DesiredInstance> Web(int count) => Enumerable.Range(1, count).Select(index => World.Want("web", index, "f"));
}
