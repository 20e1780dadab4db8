using Xunit.Sdk;

namespace Ashlar.Agent.Tests.Simulation;

/// <summary>Fleets of up to 100 simulated machines live through written and random histories; the invariants are checked after every second.</summary>
public sealed class SimulationTests
{
    public static TheoryData<string> Written => [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Simulation", "Histories"), "*.txt").Select(path => Path.GetFileNameWithoutExtension(path)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Written))]
    public void AWrittenHistoryGoesAsItSays(string name) =>
        Play(seed: 1, Happening.Read(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Simulation", "Histories", name + ".txt"))));

    [Fact]
    public void RandomHistoriesOfSmallFleetsKeepTheInvariants() => PlayRandom(firstSeed: 1, histories: 10, machines: 8, length: 20);

    [Fact]
    public void ARandomHistoryOfAHundredMachinesKeepsTheInvariants() => PlayRandom(firstSeed: 1, histories: 1, machines: 100, length: 3);

    [Fact]
    [Trait("Length", "Full")]
    public void ManyRandomHistoriesOfSmallFleetsKeepTheInvariants() => PlayRandom(firstSeed: 1_000, histories: 80, machines: 7, length: 40);

    [Fact]
    [Trait("Length", "Full")]
    public void ManyRandomHistoriesOfAHundredMachinesKeepTheInvariants() => PlayRandom(firstSeed: 2_000, histories: 2, machines: 100, length: 40);

    private static void PlayRandom(int firstSeed, int histories, int machines, int length)
    {
        for (var seed = firstSeed; seed < firstSeed + histories; seed++)
        {
            Play(seed, [.. RandomHistory.Of(new Random(seed), machines, length)]);
        }
    }

    private static void Play(int seed, IReadOnlyList<Happening> history)
    {
        if (Failure(seed, history) is { } failure)
        {
            // An expectation of a written history does not mean the same in a shorter one.
            var shortest = failure is XunitException ? history : Shorten(seed, history);
            throw new XunitException($"seed {seed}: {failure.Message}\nThe shortest history found that fails too, as it stands in Histories/*.txt ({Failure(seed, shortest)!.Message}):\n{string.Join('\n', shortest)}\n{failure}");
        }
    }

    private static Exception? Failure(int seed, IEnumerable<Happening> history)
    {
        try
        {
            var fleet = new SimulatedFleet(seed);
            foreach (var happening in history)
            {
                fleet.Play(happening);
            }

            return null;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return e;
        }
    }

    /// <summary>Leaves out what is not needed for it to fail: halves, then quarters, down to single lines, within a bound of time.</summary>
    private static IReadOnlyList<Happening> Shorten(int seed, IReadOnlyList<Happening> history)
    {
        var began = System.Diagnostics.Stopwatch.StartNew();
        for (var length = history.Count / 2; length > 0; length /= 2)
        {
            for (var from = 0; from < history.Count && began.Elapsed < TimeSpan.FromSeconds(20);)
            {
                Happening[] without = [.. history.Take(from), .. history.Skip(from + length)];
                if (Failure(seed, without) is not null)
                {
                    history = without;
                }
                else
                {
                    from += length;
                }
            }
        }

        return history;
    }
}
