using System.Collections.Immutable;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Machines.Rolling;

namespace Ashlar.Agent.Tests.Machines;

public sealed class RollProgressTests
{
    private static readonly FleetView Nobody = new();

    [Fact]
    public void ThatNobodyLeadsIsToldOnceAndWhoGoesOnThen()
    {
        Assert.Equal(
            ["No machine leads now: the order goes on when one does.", "m2 leads now and goes on."],
            Told((Led("m1"), false), (Nobody, false), (Nobody, false), (Led("m2"), false), (Led("m2"), false)));
    }

    [Fact]
    public void ThatTheSharedStateIsNotReachedIsToldAgainWhenItIsSoAgain()
    {
        var told = Told((Led("m1"), false), (Led("m1"), true), (Led("m1"), true), (Led("m1"), false), (Led("m1"), true));
        Assert.Equal(2, told.Count);
        Assert.All(told, line => Assert.StartsWith("The shared state is not reached", line, StringComparison.Ordinal));
    }

    private static List<string> Told(params (FleetView View, bool IsDeaf)[] seen)
    {
        var lines = new List<string>();
        var progress = new RollProgress(lines.Add, "1");
        Array.ForEach(seen, look => progress.Look(look.View, look.IsDeaf));
        return lines;
    }

    private static FleetView Led(string machine) => new() { Candidates = ImmutableSortedDictionary<long, (string Key, string Machine)>.Empty.Add(1, ("a", machine)) };
}
