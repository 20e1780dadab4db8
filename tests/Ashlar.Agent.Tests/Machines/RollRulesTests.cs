using System.Collections.Immutable;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Machines.Rolling;
using Ashlar.Errors;

namespace Ashlar.Agent.Tests.Machines;

public sealed class RollRulesTests
{
    private static readonly AshlarError Broken = new("ASH2001", "services", "web.1 ended.", "Look at its log.");
    private static readonly DesiredState V1 = new() { Release = "v1" };
    private static readonly DesiredState V2 = new() { Release = "v2" };

    [Fact]
    public void TheLeaderComesLast() => Assert.Equal("m2 m3 m1", string.Join(" ", RollRules.Order(["m1", "m3", "m2"], "m1")));

    [Fact]
    public void NothingIsToBeDoneWhereNothingGoesOver() => Assert.Null(RollRules.Advance(View(null, ("m1", "here")), default));

    [Theory]
    [InlineData("", "m1:here m2:here m3:here", "m2")] // The first is let on, whatever the others do.
    [InlineData("m2", "m1:here m2:comes m3:here", null)]
    [InlineData("m2", "m1:here m2:old m3:here", null)] // It has not heard of it yet.
    [InlineData("m2", "m1:here m2:here m3:here", "m2 m3")]
    [InlineData("m2 m3", "m1:here m2:here m3:here", "m1 m2 m3")]
    [InlineData("m2", "m1:here m2:silent m3:here", "m2 m3")] // Passed over.
    [InlineData("m2", "m1:here m2:here m3:silent", "m1 m2")]
    [InlineData("m2 m1", "m1:here m2:here m3:comes", "m1 m2 m3")] // Back again: its turn has come.
    [InlineData("m2", "m1:here m2:silent m3:silent", null)] // Most are silent: it is we who do not hear.
    [InlineData("m2 m3 m1", "m1:here m2:here m3:comes", null)]
    [InlineData("", "m1:here m2:here m3:here m9:here", "m2")]
    [InlineData("m2 m3 m1", "m1:here m2:here m3:here m9:here", "m1 m2 m3 m9")] // It has joined meanwhile.
    public void OneIsLetOnWhenTheFormerHasGotThere(string letOn, string machines, string? then)
    {
        var step = RollRules.Advance(View(Roll(letOn), Machines(machines)), default);
        Assert.Equal(then, step is null ? null : string.Join(' ', step.Value.Rolls.Present!.LetOn));
        Assert.Same(V1, step?.Holds ?? V1);
    }

    [Theory]
    [InlineData("m1:here m2:here m3:here")]
    [InlineData("m1:here m2:here m3:silent")] // It pursues it when it comes back.
    public void WhenAllHaveGotThereItHolds(string machines)
    {
        var step = RollRules.Advance(View(Roll("m1 m2 m3"), Machines(machines)), default)!.Value;
        Assert.Equal((V2, null, "v2"), (step.Holds, step.Rolls.Ended.Single().Error, step.Rolls.Ended.Single().Release));
        Assert.Null(step.Rolls.Present);
    }

    [Fact]
    public void WhereOneFailsAllGoBackAndTheOthersWereNeverTouched()
    {
        var step = RollRules.Advance(View(Roll("m2"), Machines("m1:here m2:fails m3:here")), default)!.Value;
        Assert.True(step.Rolls.Present is { GoesBack: true, LetOn.IsEmpty: true });
        Assert.Equal("On machine m2: web.1 ended.", step.Rolls.Present!.Error!.Message);
        Assert.All(["m1", "m2", "m3"], machine => Assert.Same(V1, step.Rolls.Present.For(machine, V1)));

        Assert.Null(RollRules.Advance(View(step.Rolls.Present, Machines("m1:here m2:comes m3:here")), default));
        var end = RollRules.Advance(View(step.Rolls.Present, Machines("m1:here m2:here m3:fails")), default)!.Value;
        Assert.Equal((V1, step.Rolls.Present.Error), (end.Holds, end.Rolls.Ended.Single().Error));
    }

    [Fact]
    public void WhatFailsWhereNobodyWasLetOnIsNoneOfItsFaults() =>
        Assert.Equal(["m2", "m3"], RollRules.Advance(View(Roll("m2"), Machines("m1:fails m2:here m3:fails")), default)!.Value.Rolls.Present!.LetOn);

    [Fact]
    public void WhereNothingRanThereIsNothingToGoBackTo()
    {
        var view = View(Roll("m1 m2 m3") with { AtOnce = true }, Machines("m1:here m2:fails m3:here")) with { Orders = V1 with { Down = true } };
        var step = RollRules.Advance(view, default)!.Value;
        Assert.Equal((V2, "On machine m2: web.1 ended."), (step.Holds, step.Rolls.Ended.Single().Error!.Message));
    }

    [Theory]
    [InlineData("m1:here m2:here m3:here", true)]
    [InlineData("m1:here m2:here m3:silent", true)]
    [InlineData("m1:here m2:comes m3:here", false)]
    [InlineData("m1:here m2:old m3:here", false)] // It has not heard of it yet.
    [InlineData("m1:here m2:silent m3:silent", false)]
    public void WhatWaitsForItsReleaseCommandLetsNobodyOnAndIsRaisedWhenAllThatLiveHaveTheirDataTiers(string machines, bool raised)
    {
        var view = View(Waiting, Machines(machines));
        Assert.Equal(raised, RollRules.AreRaised(view));
        Assert.Null(RollRules.Advance(view, default));
        Assert.Equal(raised ? "m2" : "", string.Join(' ', RollRules.Advance(View(Waiting with { Waits = false }, Machines(machines)), default)?.Rolls.Present?.LetOn ?? []));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ADataTierThatFailsBeforeTheReleaseCommandLeavesWhatWasBefore(bool down)
    {
        var holds = V1 with { Down = down };
        var step = RollRules.Advance(View(Waiting, Machines("m1:here m2:fails m3:here")) with { Orders = holds }, default)!.Value;
        Assert.Same(holds, step.Holds);
        Assert.Equal(down ? null : true, step.Rolls.Present?.GoesBack); // Where nothing ran, it has ended.
    }

    [Fact]
    public void WhatReplacesNothingGoesToAllAtOnce() =>
        Assert.Equal(["m1", "m2", "m3"], RollRules.Advance(View(Roll("") with { AtOnce = true }, Machines("m1:here m2:comes m3:here")), default)!.Value.Rolls.Present!.LetOn);

    [Fact]
    public void DataTiersAreUpEverywhereBeforeTheFirstIsLetOn()
    {
        var roll = Roll("") with { Raises = true };
        Assert.Null(RollRules.Advance(View(roll, Machines("m1:comes m2:here m3:here")), default));
        Assert.True(RollRules.Advance(View(roll, Machines("m1:fails m2:here m3:here")), default)!.Value.Rolls.Present!.GoesBack);
        Assert.Equal(["m2"], RollRules.Advance(View(roll, Machines("m1:here m2:here m3:here")), default)!.Value.Rolls.Present!.LetOn);
    }

    [Fact]
    public void TheRecordIsReadAsItWasWritten()
    {
        var book = new RollBook(Roll("m2") with { Error = Broken, FailedBefore = ["m2/web.1/17"], By = "m1" }).End(DateTimeOffset.UnixEpoch, Broken) with { Present = Roll("m1 m3") };
        var (holds, read) = DesiredStore.Read(DesiredStore.Write(V1, book));
        Assert.Equal(("v1", null, "v2", "up"), (holds.Release, holds.Rolls, read.Present!.Next.Release, read.Present.Verb));
        Assert.Equal("m1 m3, m2 m3 m1", $"{string.Join(' ', read.Present.LetOn)}, {string.Join(' ', read.Present.Order)}");
        Assert.Equal(Broken, Assert.Single(read.Ended).Error);
        Assert.DoesNotContain("rolls", System.Text.Encoding.UTF8.GetString(DesiredStore.Write(V1, new RollBook(Present: null))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void WhateverHappensItEndsAndNobodyIsElsewhereThanBeforeOrAfter(int seed)
    {
        for (var history = 0; history < 300; history++)
        {
            new RollHistory(new Random((seed * 1000) + history)).Run();
        }
    }

    private static Roll Waiting { get; } = Roll("") with { Raises = true, Waits = true };

    private static Roll Roll(string letOn) => new()
    {
        Id = "r1",
        Verb = "up",
        Next = V2,
        Order = ["m2", "m3", "m1"],
        LetOn = [.. letOn.Split(' ', StringSplitOptions.RemoveEmptyEntries)],
    };

    private static (string Name, string Standing)[] Machines(string machines) =>
        [.. machines.Split(' ').Select(machine => machine.Split(':')).Select(parts => (parts[0], parts[1]))];

    private static FleetView View(Roll? roll, params (string Name, string Standing)[] machines) => new()
    {
        Orders = V1,
        Rolls = new RollBook(roll),
        OrdersRevision = 7,
        Records = machines.ToImmutableSortedDictionary(m => m.Name, m => new MachineRecord { Name = m.Name, Address = "10.0.0.1", PeerPort = 1, HopPort = 2 }),
        Reports = machines.Where(m => m.Standing != "silent").ToImmutableSortedDictionary(m => m.Name, m => new MachineReport
        {
            Name = m.Name,
            Pursues = m.Standing == "old" ? 6 : 7,
            CarriedOut = m.Standing is "here" or "old",
            Failure = m.Standing == "fails" ? Broken : null,
        }),
    };
}
