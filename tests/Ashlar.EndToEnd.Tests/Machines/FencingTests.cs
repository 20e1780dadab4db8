using Ashlar.Testing.Machines;
using static Ashlar.EndToEnd.Tests.Machines.FleetSteps;

namespace Ashlar.EndToEnd.Tests.Machines;

/// <summary>A primary that is cut off stops before another could take its place.</summary>
[Trait("Length", "Full")]
public sealed class FencingTests
{
    [MachinesFact]
    public async Task A_primary_that_is_cut_off_is_killed_and_comes_back_with_its_lease()
    {
        await using var net = await MachineNet.CreateAsync(3);
        var machines = await ThreeAsync(net, StackFile + "\ndatabase: {replicas: 0}\n");
        await machines[0].DoAsync("scale", "database.replicas=1");
        var primary = (await InstancesAsync(machines[0], "database")).Single(i => i.Name == "database.1");
        var at = Array.FindIndex(machines, machine => machine.Host.Name == primary.Machine);
        var pid = primary.Pids[0];

        await net.IsolateAsync(net[at]);
        await UntilAsync(Soon, () => Task.FromResult(!Directory.Exists($"/proc/{pid}")));
        var alone = await InstancesAsync(machines[at], "database");
        Assert.Equal("pending", alone.Single(i => i.Name == "database.1").State);

        await net.HealAsync();
        await UntilAsync(Soon, async () => (await InstancesAsync(machines[at], "database")).Count(i => i.State == "healthy") == 2);
        await machines[at].DownAsync();
    }
}
