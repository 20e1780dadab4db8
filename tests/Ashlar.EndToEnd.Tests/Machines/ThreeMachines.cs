using System.Globalization;
using System.Text.Json;
using Ashlar.Testing.Machines;
using static Ashlar.EndToEnd.Tests.Machines.FleetSteps;

namespace Ashlar.EndToEnd.Tests.Machines;

/// <summary>Three machines with a stack and a member of etcd each, made once for the tests of a class; each begins when all is whole.</summary>
public sealed class ThreeMachines : IAsyncLifetime
{
    // An app that can be told to start slowly.
    private const string Stack = """
        name: rig
        services:
          web:
            run: "sleep ${SLOW:-0}; exec '@APP@'"
            route: /
            health: /up
            instances: 2
        edge: {listen: 8080}
        """;

    private static readonly TimeSpan Patience = Soon * 3;

    /// <summary>The net.</summary>
    public MachineNet Net { get; private set; } = null!;

    /// <summary>The machines.</summary>
    public StackMachine[] All { get; private set; } = [];

    /// <summary>By the host's number, from 0.</summary>
    public StackMachine this[int index] => All[index];

    /// <inheritdoc />
    public async Task InitializeAsync()
    {
        if (MachineNet.WhyNot is null)
        {
            Net = await MachineNet.CreateAsync(3);
            All = await ThreeAsync(Net, Stack);
            await All[0].DoAsync("scale", "web=4"); // Two stay on the first, each of the others gets one.
        }
    }

    /// <inheritdoc />
    public async Task DisposeAsync()
    {
        if (Net is not null)
        {
            await Net.DisposeAsync();
        }
    }

    /// <summary>Heals all faults and waits until four instances and three members are healthy, and somebody leads.</summary>
    public async Task WholeAsync()
    {
        await Net.HealAsync();
        foreach (var machine in All.Where(machine => !machine.Host.IsOn))
        {
            await Net.PowerOnAsync(machine.Host);
            machine.Boot();
        }

        await UntilAsync(Patience, async () => await LeaderAsync() is not null
            && (await MembersAsync()).Count(member => member.State == "healthy") == 3
            && (await TryInstancesAsync(All[0], "web")).Count(i => i.State == "healthy") == 4
            && (await StatesAsync(All[0])).All(state => state.StartsWith("alive", StringComparison.Ordinal)));
    }

    /// <summary>Which machine's agent leads, as one of them knows it.</summary>
    public async Task<StackMachine?> LeaderAsync(int asked = 0) => await MachinesAsync(All[asked]) is { } machines
        && machines.FirstOrDefault(machine => machine.Leads) is { Name: { } name } ? Named(name) : null;

    /// <summary>The state of each machine (alive, suspect, lost), as one knows it.</summary>
    public static async Task<string[]> StatesAsync(StackMachine machine) => [.. (await MachinesAsync(machine) ?? []).Select(line => line.State)];

    /// <summary>The members of etcd, as one machine sees them.</summary>
    public async Task<(string Machine, string Role, string State)[]> MembersAsync(int asked = 0)
    {
        var result = await All[asked].AshlarAsync("state", "--json");
        if (result.ExitCode != 0)
        {
            return [];
        }

        using var report = JsonDocument.Parse(result.Output);
        return [.. report.RootElement.GetProperty("members").EnumerateArray().Select(member =>
            (member.GetProperty("machine").GetString()!, member.GetProperty("role").GetString()!, member.GetProperty("state").GetString()!))];
    }

    /// <summary>Where each instance of the app runs, by which process: nothing has moved or restarted while this stays the same.</summary>
    public async Task<string[]> RunningAsync(params StackMachine[] machines) =>
        [.. (await Task.WhenAll(machines.Select(machine => InstancesAsync(machine, "web")))).SelectMany((all, i) => all
            .Where(instance => instance.Machine == machines[i].Host.Name)
            .Select(instance => string.Create(CultureInfo.InvariantCulture, $"{instance.Name}@{instance.Machine} {string.Join(' ', instance.Pids)}"))).Order()];

    /// <summary>The machine of a name.</summary>
    public StackMachine Named(string name) => All.Single(machine => machine.Host.Name == name);

    /// <summary>What is to be known when a test fails.</summary>
    public async Task<string> TellAsync()
    {
        var told = new List<string>();
        foreach (var machine in All.Where(machine => machine.Host.IsOn))
        {
            told.Add($"-- {machine.Host}\n{await machine.AshlarAsync("machines", "list")}\n{await machine.AshlarAsync("ps")}\n{await machine.AshlarAsync("state")}\n{machine.AgentLog()}");
        }

        return string.Join('\n', told);
    }

    private static async Task<(string Name, string State, bool Leads)[]?> MachinesAsync(StackMachine machine)
    {
        var listed = await machine.AshlarAsync("machines", "list", "--json");
        return listed.ExitCode != 0 ? null
            : [.. JsonDocument.Parse(listed.Output).RootElement.GetProperty("machines").EnumerateArray()
                .Select(line => (line.GetProperty("name").GetString()!, line.GetProperty("state").GetString()!, line.GetProperty("leads").GetBoolean()))];
    }
}
