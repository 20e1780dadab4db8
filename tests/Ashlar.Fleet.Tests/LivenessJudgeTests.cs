using System.Collections.Immutable;
using Ashlar.Fleet.Liveness;

namespace Ashlar.Fleet.Tests;

public sealed class LivenessJudgeTests
{
    private static readonly MachineSighting Here = new(TimeSpan.FromSeconds(1));

    [Theory]
    [InlineData(0, MachineHealth.Alive)]
    [InlineData(9.9, MachineHealth.Alive)]
    [InlineData(10, MachineHealth.Suspect)]
    [InlineData(59.9, MachineHealth.Suspect)]
    [InlineData(60, MachineHealth.Lost)]
    public void SilenceDecides(double seconds, MachineHealth expected) =>
        Assert.Equal(expected, Judge(Here, Here, Here with { Silence = TimeSpan.FromSeconds(seconds) }).Health["m2"]);

    [Fact]
    public void MoreThanHalfLostAtOnceFreezesAndNoneIsLost()
    {
        var gone = Here with { Silence = TimeSpan.FromSeconds(61) };
        var verdict = Judge(Here, gone, gone);
        Assert.True(verdict.Frozen);
        Assert.DoesNotContain(MachineHealth.Lost, verdict.Health.Values);
        Assert.False(Judge(Here, Here, gone, gone).Frozen);
    }

    [Fact]
    public void OneAfterTheOtherTheyMayAllBeLost()
    {
        var before = Here with { Silence = TimeSpan.FromHours(1), WasLost = true };
        var verdict = Judge(Here, Here, before, before, before, Here with { Silence = TimeSpan.FromSeconds(60) });
        Assert.False(verdict.Frozen);
        Assert.Equal(4, verdict.Health.Values.Count(h => h == MachineHealth.Lost));
    }

    [Fact]
    public void OfTwoMachinesOneMayBeLost() =>
        Assert.False(Judge(Here, Here with { Silence = TimeSpan.FromSeconds(60) }).Frozen);

    [Fact]
    public void ThoseSuspectedCountWhenTheFirstWouldBeLost()
    {
        // The leases of three that went together end within seconds of each other.
        MachineSighting Gone(double seconds) => Here with { Silence = TimeSpan.FromSeconds(seconds) };
        Assert.True(Judge(Here, Here, Gone(60), Gone(58), Gone(57)).Frozen);
        Assert.False(Judge(Here, Here, Here, Gone(60), Gone(57)).Frozen);
        Assert.False(Judge(Here, Here, Gone(59), Gone(58), Gone(57)).Frozen); // Nothing is to be judged yet.
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(4, 8)]
    [InlineData(6, 32)]
    [InlineData(1000, 32)]
    public void WhoIsLostAgainAndAgainIsTrustedLater(int losses, int minutes)
    {
        MachineSighting Back(TimeSpan ago) => Here with { Losses = losses, HeardFor = ago };
        Assert.Equal(TimeSpan.FromMinutes(minutes), LivenessJudge.Probation(losses));
        Assert.DoesNotContain("m0", Judge(Back(TimeSpan.FromMinutes(minutes)), Here).Unsteady);
        Assert.Equal(losses > 0, Judge(Back(TimeSpan.FromMinutes(minutes) - TimeSpan.FromSeconds(1)), Here).Unsteady.Contains("m0"));
    }

    [Fact]
    public void ALossIsCountedOnceAndForgivenAfterAnHour()
    {
        var gone = Here with { Silence = TimeSpan.FromSeconds(60), Losses = 1 };
        Assert.Equal(2, Judge(Here, Here, gone).Losses["m2"]);
        Assert.Equal(1, Judge(Here, Here, gone with { WasLost = true }).Losses["m2"]);
        Assert.Equal(1, Judge(gone, gone, Here).Losses["m1"]); // frozen: nobody is lost
        Assert.Empty(Judge(Here, Here with { Losses = 3, HeardFor = LivenessJudge.ForgivenAfter }).Losses);
    }

    private static LivenessVerdict Judge(params MachineSighting[] sightings) => LivenessJudge.Judge(
        sightings.Select((s, i) => KeyValuePair.Create($"m{i}", s)).ToImmutableSortedDictionary(StringComparer.Ordinal));
}
