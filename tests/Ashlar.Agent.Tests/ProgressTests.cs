using Ashlar.Agent.Operations;
using Ashlar.Agent.Reconciling;
using Ashlar.Catalog;

namespace Ashlar.Agent.Tests;

public sealed class ProgressTests
{
    [Fact]
    public void TheNewInstanceIsHealthyBeforeTheOldOneOfItsNameDrains()
    {
        var lines = new List<string>();
        var progress = new Progress(lines.Add);
        progress.Look([Web(1, InstanceState.Healthy), Web(2, InstanceState.Starting)]);
        progress.Look([Web(1, InstanceState.Draining), Web(2, InstanceState.Healthy)]);
        progress.Look([Web(1, InstanceState.Stopping), Web(2, InstanceState.Healthy)]);
        Assert.Equal(["web.1 healthy (v2)", "web.1 draining (v1)", "web.1 stopping (v1)"], lines);
    }

    [Fact]
    public void TheFirstCrashIsToldWithItsLastLinesAndTheNextOnesAreCounted()
    {
        var lines = new List<string>();
        var progress = new Progress(lines.Add);
        progress.Look([]);
        progress.Look([Web(1, InstanceState.Starting)]);
        var crashed = Web(1, InstanceState.Backoff) with { Detail = "exit 3", Restarts = 1, LastLines = ["no database"] };
        progress.Look([crashed]);
        progress.Look([Web(1, InstanceState.Starting)]);
        progress.Look([crashed with { Restarts = 2 }]);
        Assert.Equal(
            [
                "web.1 starting (v1)", "web.1 exit 3; it is started again. Its last lines:\n    no database",
                "web.1 starting (v1)", "web.1 exit 3, crashed 2 times; it is started again",
            ],
            lines);
    }

    private static ObservedInstance Web(long generation, InstanceState state) => new()
    {
        Tier = "services",
        Service = "web",
        Index = 1,
        Generation = generation,
        Fingerprint = "",
        State = state,
        Release = $"v{generation}",
    };
}
