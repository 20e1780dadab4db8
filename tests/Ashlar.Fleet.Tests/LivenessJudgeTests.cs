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

    private static LivenessVerdict Judge(params MachineSighting[] sightings) => LivenessJudge.Judge(
        sightings.Select((s, i) => KeyValuePair.Create($"m{i}", s)).ToImmutableSortedDictionary(StringComparer.Ordinal));
}
