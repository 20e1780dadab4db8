using System.Collections.Immutable;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines;
using Ashlar.Catalog;
using Ashlar.Fleet.Placement;

namespace Ashlar.Agent.Tests.Machines;

/// <summary>What people order of machines becomes a change of their records.</summary>
public sealed class MachineChangesTests
{
    private static readonly ImmutableSortedDictionary<string, string> Nothing = ImmutableSortedDictionary<string, string>.Empty;

    [Fact]
    public async Task AdmissionAndLabelsAreWrittenDown()
    {
        await using var rig = new PeerRig();
        (await rig.JoinAsync("m2")).Dispose();
        var changes = Changes(rig);
        await changes.AdmitAsync("m2", Admission.Closed);
        await changes.LabelAsync("m2", ["web", "gpu"], []);
        await changes.LabelAsync("m2", ["gpu-"], ["db"]);
        var record = (await MembershipTests.RecordAsync(rig, "m2"))!;
        Assert.Equal((Admission.Closed, "web"), (record.Admission, record.Labels.Single()));
    }

    [Fact]
    public async Task WhatCannotBeIsRefusedWithTheNearestName()
    {
        await using var rig = new PeerRig();
        (await rig.JoinAsync("app-2")).Dispose();
        var changes = Changes(rig);
        Assert.Contains("Did you mean app-2?", (await MembershipTests.Refused("ASH7518", () => changes.AdmitAsync("app-3", Admission.Closed))).NextStep, StringComparison.Ordinal);
        await MembershipTests.Refused("ASH7520", () => changes.LabelAsync("app-2", ["No"], []));
        await MembershipTests.Refused("ASH7520", () => changes.LabelAsync("app-2", ["-"], []));
        await MembershipTests.Refused("ASH7521", () => changes.LabelAsync("app-2", ["db-"], ["db"]));
        await MembershipTests.Refused("ASH7518", () => changes.RemoveAsync("app-3", false, _ => { }, CancellationToken.None));
    }

    [Fact]
    public async Task AMachineIsRemovedWhenNothingIsLostByIt()
    {
        await using var rig = new PeerRig();
        var changes = Changes(rig);
        await MembershipTests.Refused("ASH7519", () => changes.RemoveAsync("m1", true, _ => { }, CancellationToken.None)); // the only one
        (await rig.JoinAsync("m2", address: "127.0.0.2")).Dispose();

        await changes.RemoveAsync("m2", false, _ => { }, CancellationToken.None);
        Assert.Null(await MembershipTests.RecordAsync(rig, "m2"));
    }

    [Fact]
    public void WhatWouldBeLostByARemovalIsRefusedOrGivenUpByForce()
    {
        Uri[] state = [new("https://10.0.0.1:7402")];
        var view = new FleetView
        {
            Records = ImmutableSortedDictionary<string, MachineRecord>.Empty.Add("m1", Record("m1")).Add("m2", Record("m2") with { Address = "10.0.0.2" }),
            Placement = new PlacementRecord { Homes = Nothing.Add("database.1", "m2"), Machines = Nothing.Add("web.1", "m2").Add("web.2", "m1") },
        };
        Assert.Contains("shared state", Refusal("m1", force: true), StringComparison.Ordinal);
        Assert.Contains("the data of database.1", Refusal("m2", force: false), StringComparison.Ordinal);
        Removing.RequirePossible(view, state, "m2", force: true);
        var without = Removing.Without(view.Placement, "m2");
        Assert.Equal((0, "web.2"), (without.Homes.Count, without.Machines.Single().Key));
        view = Reports(view with { Placement = without with { Machines = Nothing.Add("web.1", "m2") } }, ("m2", ["edge.1", "web.1"]));
        Assert.Contains("not drained", Refusal("m2", force: false), StringComparison.Ordinal);
        view = Reports(view with { Placement = without, Records = view.Records.SetItem("m2", view.Records["m2"] with { Admission = Admission.Leaving }) }, ("m2", ["edge.1"]));
        Removing.RequirePossible(view, state, "m2", force: false);

        string Refusal(string name, bool force) => Assert.Throws<Errors.AshlarException>(() => Removing.RequirePossible(view, state, name, force)).Message;
    }

    [Fact]
    public void AMachineIsLeftByWhatMayLeave()
    {
        var view = new FleetView
        {
            Records = ImmutableSortedDictionary<string, MachineRecord>.Empty.Add("m1", Record("m1")).Add("m2", Record("m2")),
            Placement = new PlacementRecord
            {
                Machines = Nothing.Add("database.1", "m2").Add("web.1", "m2").Add("web.2", "m1").Add("big.1", "m2"),
                Homes = Nothing.Add("database.1", "m2"),
                Pending = Nothing.Add("big.1", "no machine is large enough"),
            },
        };
        view = Reports(view, ("m2", ["edge.1", "database.1", "web.1", "web.2", "big.1"]), ("m1", ["edge.1", "web.2"]));
        var stays = Draining.Stays(view, "m2");
        Assert.Equal([("big.1", "no machine is large enough"), ("database.1", "its data is there")], stays.Select(s => (s.Key, s.Value)));
        Assert.Equal(["web.1", "web.2"], Draining.Leaving(view, "m2", stays));
        Assert.False(Draining.HasMoved(view, "web.2", "m2")); // it runs there still
        view = Reports(view, ("m2", ["edge.1", "database.1", "big.1"]), ("m1", ["edge.1", "web.2"]));
        Assert.True(Draining.HasMoved(view, "web.2", "m2"));
        Assert.False(Draining.HasMoved(view, "web.1", "m2"));
    }

    [Fact]
    public void OfAPrimaryThatStaysItIsSaidWhoFollowsIt()
    {
        var view = new FleetView
        {
            Records = ImmutableSortedDictionary<string, MachineRecord>.Empty.Add("m1", Record("m1")).Add("m2", Record("m2")),
            Placement = new PlacementRecord { Machines = Nothing.Add("database.1", "m2").Add("database.2", "m1"), Homes = Nothing.Add("database.1", "m2").Add("database.2", "m1") },
        };
        Assert.Equal("it is the primary, whose data is there, and no replica on another machine follows it", Why(InstanceState.Starting));
        Assert.Equal("it is the primary, whose data is there; database.2 on m1 follows it, and cannot take its place by order yet", Why(InstanceState.Healthy));

        string Why(InstanceState replica) => Draining.Stays(
            view with { Reports = ImmutableSortedDictionary<string, MachineReport>.Empty.Add("m1", Database("m1", 2, replica, "replica")).Add("m2", Database("m2", 1, InstanceState.Healthy, "primary")) }, "m2")["database.1"];

        static MachineReport Database(string machine, int index, InstanceState state, string role) => new()
        {
            Name = machine,
            Instances = [new MachineInstance($"database.{index}", "database", "database", index, true, new InstanceReport { Name = $"database.{index}", State = state, Role = role })],
        };
    }

    [Fact]
    public void AClockIsOffWhenTwoReportsInARowSaySo()
    {
        var clocks = new ClockWatch();
        var now = DateTimeOffset.UnixEpoch;
        clocks.Hear("m2", now - TimeSpan.FromMinutes(1), now); // an old report
        Assert.Equal(TimeSpan.Zero, clocks.Off("m2"));
        clocks.Hear("m2", now + TimeSpan.FromSeconds(29.9), now + TimeSpan.FromSeconds(30));
        Assert.Equal(TimeSpan.Zero, clocks.Off("m2"));
        clocks.Hear("m3", now + TimeSpan.FromHours(1), now);
        clocks.Hear("m3", now + TimeSpan.FromHours(1), now + TimeSpan.FromSeconds(20)); // the same one, heard again
        Assert.Equal(TimeSpan.Zero, clocks.Off("m3"));
        clocks.Hear("m3", now + TimeSpan.FromHours(1) + TimeSpan.FromSeconds(30), now + TimeSpan.FromSeconds(30));
        Assert.Equal(TimeSpan.FromHours(1), clocks.Off("m3"));
        Assert.Equal(TimeSpan.Zero, clocks.Off("m4"));
    }

    private static MachineChanges Changes(PeerRig rig) => new(rig.Fleet, rig.Store, new AgentLog(TextWriter.Null, TimeProvider.System));

    private static MachineRecord Record(string name) => new() { Name = name, Address = "10.0.0.1", PeerPort = 1, HopPort = 2 };

    private static FleetView Reports(FleetView view, params (string Machine, string[] Instances)[] reports) => view with
    {
        Reports = reports.ToImmutableSortedDictionary(r => r.Machine, r => new MachineReport
        {
            Name = r.Machine,
            Instances =
            [
                .. r.Instances.Select(name => new MachineInstance(
                    name, name.StartsWith("edge", StringComparison.Ordinal) ? Tiers.Edge : Tiers.Services, name[..^2], name[^1] - '0', true, new InstanceReport { Name = name, State = InstanceState.Healthy })),
            ],
        }),
    };
}
