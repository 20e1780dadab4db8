using Ashlar.Postgres.Watching;

namespace Ashlar.Postgres.Tests.Pure;

/// <summary>When a replica is cloned again, and how far behind it is.</summary>
public sealed class ReplicaDecisionTests
{
    private static readonly PrimaryFacts Primary = new(7, 1, new LogPosition(1000), 0, "reserved", true);

    private static ControlData Own(ulong system = 7, int timeline = 1, ulong redo = 2000) => new(system, timeline, new LogPosition(redo), new Dictionary<string, string>());

    [Fact]
    public void What_can_be_followed_is_kept()
    {
        Assert.Null(ReplicaPreparation.WhyClone(Own(), Primary));
        Assert.Null(ReplicaPreparation.WhyClone(Own(), Primary with { SlotState = null, SlotExists = false }));
        Assert.Null(ReplicaPreparation.WhyClone(Own(), Primary with { Timeline = 2 }));
    }

    [Fact]
    public void What_cannot_be_is_cloned_again()
    {
        Assert.Contains("cluster", ReplicaPreparation.WhyClone(Own(system: 8), Primary));
        Assert.Contains("timeline", ReplicaPreparation.WhyClone(Own(timeline: 2), Primary));
        Assert.Contains("could not keep", ReplicaPreparation.WhyClone(Own(), Primary with { SlotState = "lost" }));
        Assert.Contains("no longer has", ReplicaPreparation.WhyClone(Own(redo: 999), Primary));
    }

    [Fact]
    public void Lag_is_nothing_when_nothing_is_outstanding_however_old_the_last_transaction()
    {
        var primary = new ServerLook { InRecovery = false, Position = 5000, Received = 5000 };
        var replica = new ServerLook { InRecovery = true, Position = 5000, Received = 5000, ReplayAge = 3600, Streams = true };
        Assert.Equal((0L, 0.0), Lag.Of(replica, primary));
        Assert.Equal((0L, 0.0), Lag.Of(replica with { Position = 5100 }, primary));
        Assert.Equal((1000L, 3600.0), Lag.Of(replica with { Position = 4000 }, primary));
        Assert.Equal((1000L, 3600.0), Lag.Of(replica with { Position = 4000, Received = 4000, Streams = false }, primary));
        Assert.Equal((null, null), Lag.Of(replica, null));
    }

    [Theory]
    [InlineData(1, 100, true)]
    [InlineData(11, 100, false)]
    [InlineData(6, 1000, false)]
    public void A_disk_is_nearly_full_when_little_is_left_in_share_and_in_number(long freeGibi, long totalGibi, bool low) =>
        Assert.Equal(low, DiskSpace.IsLow(freeGibi << 30, totalGibi << 30));
}
