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

    /// <summary>Three machines with a stack, which then has a member of etcd on each.</summary>
    public static async Task<StackMachine[]> ThreeAsync(MachineNet net, string stack = StackFile)
    {
        var (first, second) = await TwoAsync(net, stack);
        var third = new StackMachine(net[2], null);
        await JoinAsync(first, third);
        await UntilAsync(Soon * 2, async () => (await InstancesAsync(first, "etcd")).Count(i => i.State == "healthy") == 3);
        return [first, second, third];
    }

    /// <summary>Makes a machine one more of the stack's; it gets the name of its host.</summary>
    public static async Task<string> JoinAsync(StackMachine first, StackMachine next)
    {
        var token = await first.DoAsync("machines", "token", "--address", first.Host.Address.ToString(), "--name", first.Host.Name);
        await next.DoWithInputAsync(token, "join", "--address", next.Host.Address.ToString(), "--name", next.Host.Name);
        try
        {
            await UntilAsync(Soon, async () => (await InstancesAsync(first, "edge")).Any(i => i.Machine == next.Host.Name && i.State == "healthy"));
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}\n{await first.DoAsync("ps")}\n{first.AgentLog()}\n--\n{next.AgentLog()}", e);
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

    /// <summary>Does something while an address is asked again and again, each time on a new connection; no answer may fail.</summary>
    public static async Task WithoutAFailedRequestAsync(Uri address, Func<Task> work)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        client.DefaultRequestHeaders.ConnectionClose = true;
        using var over = new CancellationTokenSource();
        var asking = Task.Run(async () =>
        {
            var asked = 0;
            for (; !over.IsCancellationRequested; asked++)
            {
                using var answer = await client.GetAsync(address, CancellationToken.None);
                Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode} after {asked}");
                await Task.Delay(5, CancellationToken.None);
            }

            return asked;
        });
        try
        {
            await work();
        }
        finally
        {
            await over.CancelAsync();
            Assert.True(await asking > 0);
        }
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
