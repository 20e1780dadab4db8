using System.Diagnostics;
using Ashlar.Agent.Machines.Fencing;

namespace Ashlar.Agent.Tests.Machines.Fencing;

public sealed class HeldLeaseTests
{
    [Theory]
    [InlineData(19, null, nameof(LeaseStanding.Unknown))]
    [InlineData(20, null, nameof(LeaseStanding.Lost))]
    [InlineData(29, 10, nameof(LeaseStanding.Held))]
    [InlineData(30, 10, nameof(LeaseStanding.Lost))]
    [InlineData(100, 90, nameof(LeaseStanding.Held))]
    public void ItIsTrustedForTwentySecondsFromBeforeTheQuestion(int now, int? asked, string standing)
    {
        var held = new HeldLease(0, asked is { } at ? Seconds(at) : null);
        Assert.Equal(standing, held.At(Seconds(now), TimeProvider.System).ToString());
    }

    [Fact]
    public void WhatAnotherHasIsLostAtOnceUntilItIsHadAgain()
    {
        var held = new HeldLease(0).Renewed(Seconds(1)).Refused("m2");
        Assert.Equal(LeaseStanding.Lost, held.At(Seconds(2), TimeProvider.System));
        Assert.Equal(LeaseStanding.Held, held.Renewed(Seconds(2)).At(Seconds(3), TimeProvider.System));
    }

    [Fact]
    public void WhatRanIsGoneBeforeTheStoreGivesTheLeaseToAnother() =>
        Assert.True(HeldLease.Trusted + HeldLease.Patience + HeldLease.Patience < HeldLease.Life);

    private static long Seconds(int seconds) => seconds * Stopwatch.Frequency;
}
