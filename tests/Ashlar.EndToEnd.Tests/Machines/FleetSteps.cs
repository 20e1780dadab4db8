using System.Diagnostics;
using System.Text.Json;
using Ashlar.Testing;
using Ashlar.Testing.Machines;

namespace Ashlar.EndToEnd.Tests.Machines;

/// <summary>What tests of a stack on several machines do and look at.</summary>
internal static class FleetSteps
{
    public const string StackFile = """
        name: rig
        services:
          web:
            run: "'@APP@'"
            route: /
            health: /up
            instances: 2
        edge: {listen: 8080}
        """;

    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    public static async Task<string> InFolderAsync(StackMachine machine, params string[] arguments)
    {
        var result = await machine.Host.ExecAsync(Checkout.Ashlar, arguments, machine.Folder);
        return result.ExitCode == 0 ? result.Output : throw new InvalidOperationException($"{machine.Host}: {result}\n{machine.AgentLog()}");
    }

    public static async Task AnswersAsync(params StackMachine[] machines)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        foreach (var machine in machines)
        {
            for (var i = 0; i < 10; i++)
            {
                using var answer = await client.GetAsync(new Uri($"http://{machine.Edge}/up"));
                Assert.True(answer.IsSuccessStatusCode, $"{machine.Host}: {(int)answer.StatusCode}\n{machine.AgentLog()}");
            }
        }
    }

    public static async Task<(StackMachine First, StackMachine Second)> TwoAsync(MachineNet net, string stack = StackFile)
    {
        var (first, second) = (new StackMachine(net[0], stack), new StackMachine(net[1], null));
        await first.UpAsync();
        await JoinAsync(first, second);
        return (first, second);
    }

    public static async Task<string> JoinAsync(StackMachine first, StackMachine second)
    {
        var token = await first.DoAsync("machines", "token", "--address", first.Host.Address.ToString(), "--name", "m1");
        await second.DoWithInputAsync(token, "join", "--address", second.Host.Address.ToString(), "--name", "m2");
        try
        {
            await UntilAsync(Soon, async () => (await InstancesAsync(first, "edge")).Count(i => i.State == "healthy") == 2);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}\n{await first.DoAsync("ps")}\n{first.AgentLog()}\n--\n{second.AgentLog()}", e);
        }

        return token;
    }

    public static async Task<int[]> PidsAsync(StackMachine machine, string service, string on = "m1") =>
        [.. (await InstancesAsync(machine, service)).Where(i => i.Machine == on || i.Machine.Length == 0).SelectMany(i => i.Pids).Order()];

    public static async Task<List<Instance>> TryInstancesAsync(StackMachine machine, string service) =>
        (await machine.AshlarAsync("ps", "--json")).ExitCode == 0 ? await InstancesAsync(machine, service) : [];

    public static async Task<List<Instance>> InstancesAsync(StackMachine machine, string service)
    {
        using var report = JsonDocument.Parse(await machine.DoAsync("ps", "--json"));
        return [.. report.RootElement.GetProperty("tiers").EnumerateArray()
            .SelectMany(tier => tier.GetProperty("services").EnumerateArray())
            .Where(s => s.GetProperty("name").GetString() == service)
            .SelectMany(s => s.GetProperty("instances").EnumerateArray())
            .Select(i => new Instance(
                i.GetProperty("name").GetString()!, i.GetProperty("machine").GetString()!, i.GetProperty("state").GetString()!.ToLowerInvariant(), i.GetProperty("release").GetString()!,
                [.. i.GetProperty("pids").EnumerateArray().Select(p => p.GetInt32())]))];
    }

    public static async Task UntilAsync(TimeSpan patience, Func<Task<bool>> isSo)
    {
        for (var began = Stopwatch.StartNew(); !await isSo(); await Task.Delay(200))
        {
            if (began.Elapsed > patience)
            {
                throw new TimeoutException($"Not so after {patience}.");
            }
        }
    }

    public sealed record Instance(string Name, string Machine, string State, string Release, int[] Pids);
}
