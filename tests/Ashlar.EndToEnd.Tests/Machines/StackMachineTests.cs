using System.Globalization;
using Ashlar.Testing.Machines;

namespace Ashlar.EndToEnd.Tests.Machines;

[Trait("Length", "Full")]
public sealed class StackMachineTests
{
    [MachinesFact]
    public async Task Two_machines_run_the_same_stack_side_by_side()
    {
        await using var net = await MachineNet.CreateAsync(3);
        StackMachine[] machines = [StackMachine.Web(net[0]), StackMachine.Web(net[1])];
        await Task.WhenAll(machines.Select(m => m.UpAsync()));

        using var client = net[2].CreateHttpClient();
        using var here = new HttpClient();
        foreach (var machine in machines)
        {
            Assert.Contains("web.1", await machine.DoAsync("ps"), StringComparison.Ordinal);
            Assert.Contains(await machine.PidAsync("web.1"), machine.Host.Processes());
            Assert.True((await client.GetAsync($"http://{machine.Edge}/up")).IsSuccessStatusCode);
            Assert.True((await here.GetAsync($"http://{machine.Edge}/up")).IsSuccessStatusCode);
        }
        await Task.WhenAll(machines.Select(m => m.DownAsync()));
    }

    [MachinesFact]
    public async Task A_machine_that_lost_power_comes_up_again()
    {
        await using var net = await MachineNet.CreateAsync(1);
        var machine = StackMachine.Web(net[0]);
        await machine.UpAsync();
        await net.KillAsync(net[0]);
        await net.PowerOnAsync(net[0]);
        await machine.UpAsync();
        using var here = new HttpClient();
        Assert.True((await here.GetAsync($"http://{machine.Edge}/up")).IsSuccessStatusCode);
        await machine.DownAsync();
    }

    [MachinesFact]
    public async Task A_clock_that_is_an_hour_off_stands_in_the_agents_log()
    {
        await using var net = await MachineNet.CreateAsync(1);
        net[0].ClockOffset(TimeSpan.FromHours(-1));
        var machine = StackMachine.Web(net[0]);
        await machine.UpAsync();
        var written = machine.AgentLog().Split('\n')[^1].Split(' ')[0];
        var off = DateTimeOffset.UtcNow - DateTimeOffset.Parse(written, CultureInfo.InvariantCulture);
        Assert.InRange(off, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(65));
        await machine.DownAsync();
    }
}
