using System.Collections.Immutable;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Reconciling;
using Ashlar.Catalog;

namespace Ashlar.Agent.Tests.Machines;

public sealed class MovingTests
{
    [Theory]
    [InlineData(InstanceState.Healthy, "m2", InstanceState.Starting, true)] // The other is on its way.
    [InlineData(InstanceState.Healthy, "m2", InstanceState.Healthy, false)]
    [InlineData(InstanceState.Unhealthy, "m2", InstanceState.Starting, true)]
    [InlineData(InstanceState.Healthy, "m2", InstanceState.Backoff, true)]
    [InlineData(InstanceState.Healthy, "m3", InstanceState.Healthy, true)] // It is to be on m3, which tells nothing.
    [InlineData(InstanceState.Healthy, null, InstanceState.Healthy, true)] // It fits nowhere, and stays on one machine.
    [InlineData(InstanceState.Healthy, null, InstanceState.Healthy, false, "m3")]
    [InlineData(InstanceState.Healthy, null, InstanceState.Starting, true, "m3")]
    [InlineData(InstanceState.Starting, "m2", InstanceState.Starting, false)] // It does not serve yet, so nothing is lost.
    [InlineData(InstanceState.Draining, "m2", InstanceState.Starting, false)]
    [InlineData(InstanceState.Backoff, "m2", InstanceState.Starting, false)]
    public void WhatServesHereStaysUntilItServesWhereItBelongs(InstanceState here, string? belongs, InstanceState onM2, bool kept, string own = "m1")
    {
        var found = Moving.Kept([], [World.Want("web", 1, "f")], [Observed("web", 1, here, "old")], View(belongs, onM2), own);
        Assert.Equal(kept ? ["old"] : [], found.Select(d => d.Fingerprint));
    }

    [Fact]
    public void WhatBelongsHereIsNotAskedFor() => Assert.Empty(Moving.Kept(
        [World.Want("web", 1, "f")], [World.Want("web", 2, "f")], [Observed("web", 1, InstanceState.Healthy, "f")], View("m2", InstanceState.Starting), "m1"));

    [Fact]
    public void WhatIsWantedNoMoreIsNotKept() => Assert.Empty(Moving.Kept(
        [], [World.Want("web", 2, "f")], [Observed("web", 1, InstanceState.Healthy, "f")], View("m2", InstanceState.Starting), "m1"));

    [Fact]
    public void OfTwoGenerationsTheHealthyOneIsKept() => Assert.Equal("new", Assert.Single(Moving.Kept(
        [], [World.Want("web", 1, "f")],
        [Observed("web", 1, InstanceState.Unhealthy, "old"), Observed("web", 1, InstanceState.Healthy, "new") with { Generation = 2 }],
        View("m2", InstanceState.Starting), "m1")).Fingerprint);

    [Fact]
    public void WhatSharesDataOrAPortWithItsSuccessorIsNotKept()
    {
        Assert.Empty(Moving.Kept([], [World.Want("web", 1, "f") with { Exclusive = true }], [Observed("web", 1, InstanceState.Healthy, "f")], View("m2", InstanceState.Starting), "m1"));
        Assert.Empty(Moving.Kept([], [World.Want("web", 1, "f") with { KeepsData = true }], [Observed("web", 1, InstanceState.Healthy, "f")], View("m2", InstanceState.Starting), "m1"));
    }

    [Fact]
    public void TheReconcilerNeitherReplacesNorStopsWhatIsKept()
    {
        ObservedInstance[] observed = [Observed("web", 1, InstanceState.Healthy, "old"), Observed("web", 2, InstanceState.Healthy, "f")];
        ImmutableArray<DesiredInstance> here = [World.Want("web", 2, "f")];
        var coming = Moving.Kept(here, [World.Want("web", 1, "f")], observed, View("m2", InstanceState.Starting), "m1");
        Assert.Empty(Reconciler.Reconcile(here.AddRange(coming), observed, DateTimeOffset.UnixEpoch, Tiers.StopOrder).Steps);
        var there = Moving.Kept(here, [World.Want("web", 1, "f")], observed, View("m2", InstanceState.Healthy), "m1");
        Assert.Equal(new Step.Stop("web.1/1"), Assert.Single(Reconciler.Reconcile(here.AddRange(there), observed, DateTimeOffset.UnixEpoch, Tiers.StopOrder).Steps));
    }

    private static FleetView View(string? belongs, InstanceState onM2) => new()
    {
        Placement = new PlacementRecord
        {
            Machines = belongs is null ? ImmutableSortedDictionary<string, string>.Empty : ImmutableSortedDictionary<string, string>.Empty.Add("web.1", belongs),
        },
        Reports = ImmutableSortedDictionary<string, MachineReport>.Empty.Add("m2", new MachineReport
        {
            Name = "m2",
            Instances = [new MachineInstance("web.1/7", Tiers.Services, "web", 1, true, new InstanceReport { Name = "web.1", State = onM2 })],
        }),
    };

    private static ObservedInstance Observed(string service, int index, InstanceState state, string fingerprint) => new()
    {
        Tier = Tiers.Services,
        Service = service,
        Index = index,
        Generation = 1,
        Fingerprint = fingerprint,
        State = state,
    };
}
