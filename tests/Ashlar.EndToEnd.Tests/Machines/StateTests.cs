using System.Diagnostics;
using System.Text.Json;
using Ashlar.Testing.Machines;

namespace Ashlar.EndToEnd.Tests.Machines;

/// <summary>The stack's etcd on three machines: members, their loss, and a restore.</summary>
[Trait("Length", "Full")]
public sealed class StateTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(3);

    [MachinesFact]
    public async Task Three_machines_hold_the_state_and_the_loss_of_the_first_stops_no_order()
    {
        await using var net = await MachineNet.CreateAsync(3);
        var (first, second, third) = await ThreeAsync(net);

        // The machine that founded the stack, holds the state and leads is lost.
        await net.KillAsync(net[0]);
        await UntilAsync(third, async () => (await third.AshlarAsync("scale", "web=4")).ExitCode == 0);
        await UntilAsync(second, async () => (await second.AshlarAsync("config", "set", "A=1")).ExitCode == 0);

        // It comes back by itself, with its part of the state.
        await net.PowerOnAsync(net[0]);
        first.Boot();
        await MembersAsync(first, 3);

        // Without a majority apps serve and orders are refused with the reason.
        await net.KillAsync(net[0]);
        await net.KillAsync(net[1]);
        await UntilAsync(third, async () => (await third.AshlarAsync("scale", "web=5")).Error.Contains("ASH4071", StringComparison.Ordinal));
        await AnswersAsync(third);
        third.Write("ashlar.yaml", await File.ReadAllTextAsync(Path.Combine(first.Folder, "ashlar.yaml")));
        var refused = await third.AshlarAsync("up", "--detach");
        Assert.True(refused.ExitCode != 0 && refused.Error.Contains("ASH4071", StringComparison.Ordinal), refused.ToString());
        Assert.Contains("without a majority", (await third.AshlarAsync("state")).Output, StringComparison.Ordinal);

        // And taken again when the majority is back.
        await net.PowerOnAsync(net[1]);
        second.Boot();
        await UntilAsync(third, async () => (await third.AshlarAsync("scale", "web=5")).ExitCode == 0);
    }

    [MachinesFact]
    public async Task A_backup_restored_on_any_machine_is_the_state_of_all()
    {
        await using var net = await MachineNet.CreateAsync(3);
        var (first, second, third) = await ThreeAsync(net);
        var backup = Path.Combine(third.Folder, ".ashlar", "state.backup");
        await third.DoAsync("config", "set", "A=old");
        await third.DoAsync("state", "backup", backup);
        await first.DoAsync("config", "set", "A=new");

        // Two of three are lost with their disks: what is left has no majority, and a backup.
        await net.KillAsync(net[0]);
        Directory.Delete(Path.Combine(first.Folder, ".ashlar", "data"), recursive: true);
        Assert.Contains("ASH7139", await third.RefusedAsync("", "state", "restore", backup), StringComparison.Ordinal);
        await third.DoAsync("state", "restore", backup, "--yes");
        await UntilAsync(third, async () => (await third.AshlarAsync("config", "get", "A")).Output.Trim() == "old");

        // The second still held the state of before; the first comes back without any. Both follow.
        await net.PowerOnAsync(net[0]);
        first.Boot();
        foreach (var machine in new[] { first, second, third })
        {
            await MembersAsync(machine, 3);
            Assert.Equal("old", (await machine.DoAsync("config", "get", "A")).Trim());
        }

        await UntilAsync(second, async () => (await second.AshlarAsync("scale", "web=3")).ExitCode == 0);
        await AnswersAsync(first, second, third);
    }

    private static async Task<(StackMachine First, StackMachine Second, StackMachine Third)> ThreeAsync(MachineNet net)
    {
        var (first, second, third) = (new StackMachine(net[0], FleetSteps.StackFile), new StackMachine(net[1], null), new StackMachine(net[2], null));
        await first.UpAsync();
        await FleetSteps.JoinAsync(first, second);
        Assert.Contains("no spare", await first.DoAsync("state"), StringComparison.Ordinal);
        await FleetSteps.JoinAsync(first, third);
        await MembersAsync(third, 3);
        return (first, second, third);
    }

    /// <summary>Waits until a machine sees so many members with a vote, all healthy.</summary>
    private static Task MembersAsync(StackMachine machine, int count) => UntilAsync(machine, async () =>
    {
        var result = await machine.AshlarAsync("state", "--json");
        if (result.ExitCode != 0)
        {
            return false;
        }

        using var report = JsonDocument.Parse(result.Output);
        var members = report.RootElement.GetProperty("members").EnumerateArray().ToArray();
        return members.Count(member => member.GetProperty("state").GetString() == "healthy" && member.GetProperty("role").GetString() is "leader" or "follower") == count
            && members.Length == count;
    });

    private static async Task AnswersAsync(params StackMachine[] machines)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        foreach (var machine in machines)
        {
            await UntilAsync(machine, async () =>
            {
                using var answer = await client.GetAsync(new Uri($"http://{machine.Edge}/up"));
                return answer.IsSuccessStatusCode;
            });
        }
    }

    private static async Task UntilAsync(StackMachine machine, Func<Task<bool>> isSo)
    {
        for (var began = Stopwatch.StartNew(); !await isSo(); await Task.Delay(200))
        {
            if (began.Elapsed > Soon)
            {
                throw new TimeoutException($"{machine.Host}: not so after {Soon}.\n{(await machine.AshlarAsync("state")).Output}\n{(await machine.AshlarAsync("ps")).Output}\n{machine.AgentLog()}");
            }
        }
    }
}
