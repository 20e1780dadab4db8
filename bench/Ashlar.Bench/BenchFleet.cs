using System.Text.Json;
using Ashlar.Testing.Machines;

namespace Ashlar.Bench;

/// <summary>A stack on one or more hosts, with one instance of the test app on each.</summary>
internal sealed class BenchFleet
{
    private const string Stack = """
        name: bench-fleet
        services:
          web:
            run: "'@APP@'"
            route: /
            health: /up
            instances: 1
        edge: {listen: 8080}
        """;

    private BenchFleet(StackMachine[] machines) => Machines = machines;

    /// <summary>Its machines; the first was there first.</summary>
    public IReadOnlyList<StackMachine> Machines { get; }

    /// <summary>Where each machine's edge answers.</summary>
    public IEnumerable<string> Urls => Machines.Select(machine => $"http://{machine.Edge}");

    public static async Task<BenchFleet> UpAsync(BenchContext context, params MachineHost[] hosts)
    {
        var machines = hosts.Select((host, i) => new StackMachine(host, i == 0 ? Stack : null, context.TestApp)).ToArray();
        var fleet = new BenchFleet(machines);
        await machines[0].UpAsync();
        for (var i = 1; i < machines.Length; i++)
        {
            var token = await machines[0].DoAsync(i == 1 ? ["machines", "token", "--address", $"{hosts[0].Address}", "--name", "a1"] : ["machines", "token"]);
            await machines[i].DoWithInputAsync(token, "join", "--address", $"{hosts[i].Address}", "--name", $"a{i + 1}");
            await UntilAsync(async () => (await fleet.InstancesAsync("edge")).Count(e => e.State == "healthy") == i + 1);
        }

        if (machines.Length > 1)
        {
            await machines[0].DoAsync("scale", $"web={machines.Length}");
            await UntilAsync(async () => (await fleet.InstancesAsync("web")).Where(w => w.State == "healthy").Select(w => w.Machine).Distinct().Count() == machines.Length);
        }

        return fleet;
    }

    /// <summary>The instances of a service, as the first machine tells.</summary>
    public async Task<IReadOnlyList<(string Machine, string State)>> InstancesAsync(string service)
    {
        var said = await Machines[0].AshlarAsync("ps", "--json");
        if (said.ExitCode != 0)
        {
            return [];
        }

        using var report = JsonDocument.Parse(said.Output);
        return
        [
            .. report.RootElement.GetProperty("tiers").EnumerateArray().SelectMany(tier => tier.GetProperty("services").EnumerateArray())
                .Where(s => s.GetProperty("name").GetString() == service).SelectMany(s => s.GetProperty("instances").EnumerateArray())
                .Select(i => (i.GetProperty("machine").GetString()!, i.GetProperty("state").GetString()!.ToLowerInvariant())),
        ];
    }

    public static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (var began = System.Diagnostics.Stopwatch.StartNew(); !await isSo(); await Task.Delay(200))
        {
            if (began.Elapsed > TimeSpan.FromMinutes(2))
            {
                throw new TimeoutException("The fleet does not come up.");
            }
        }
    }
}
