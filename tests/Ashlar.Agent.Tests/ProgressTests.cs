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
