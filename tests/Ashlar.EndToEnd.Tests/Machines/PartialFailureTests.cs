using System.Globalization;
using Ashlar.LoadClient;
using Ashlar.Testing;
using Ashlar.Testing.Machines;
using static Ashlar.EndToEnd.Tests.Machines.FleetSteps;

namespace Ashlar.EndToEnd.Tests.Machines;

/// <summary>Faults that are seen from one side only, that strike in the middle of an order, or that are no machine's but the state's.</summary>
[Trait("Length", "Full")]
public sealed class PartialFailureTests(ThreeMachines fleet) : IClassFixture<ThreeMachines>
{
    // Longer than a lease lives: a machine that was to be missed would be by then.
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(12);

    [MachinesFact]
    public async Task A_machine_that_one_other_does_not_hear_is_served_by_the_rest_and_nothing_moves()
    {
        await fleet.WholeAsync();
        var first = (await fleet.LeaderAsync())!;
        var (second, third) = (fleet.All.First(machine => machine != first), fleet.All.Last(machine => machine != first));
        var before = await fleet.RunningAsync(fleet.All);
        foreach (var bothWays in new[] { true, false })
        {
            await UntilAsync(Soon, async () => await IsAnsweredByAsync(first, third));
            await (bothWays ? fleet.Net.PartitionAsync(first.Host, third.Host) : fleet.Net.PartitionOneWayAsync(third.Host, first.Host));

            // The edge that does not hear it goes on with the others; the one that does, with all.
            await UntilAsync(Soon, async () => await AnswersAsync(first) is { } answers && answers.All(machine => machine != third.Host.Name));
            await UntilAsync(Soon, async () => await IsAnsweredByAsync(second, third));
            await FleetSteps.AnswersAsync(second, third);

            if (bothWays)
            {
                // An order that is given there goes round by the second.
                await third.DoAsync("machines", "label", third.Host.Name, "cut");
                await fleet.Net.HealAsync();
            }
            else
            {
                // What two machines hear, no third declares lost.
                await AliveForAsync(Long, second);
            }
        }

        await fleet.Net.HealAsync();
        await UntilAsync(Soon, async () => await IsAnsweredByAsync(first, third));
        Assert.Equal(before, await fleet.RunningAsync(fleet.All));
    }

    [MachinesFact]
    public async Task A_leader_of_etcd_that_stalls_and_wakes_costs_no_machine_its_place()
    {
        await fleet.WholeAsync();
        var before = await fleet.RunningAsync(fleet.All);
        var stalled = fleet.Named((await fleet.MembersAsync()).Single(member => member.Role == "leader").Machine);
        var asked = Array.FindIndex(fleet.All, machine => machine != stalled);
        var pids = await PidsAsync(stalled, "etcd", stalled.Host.Name);
        await SignalAsync(stalled, "-STOP", pids);
        await UntilAsync(Soon, async () => (await fleet.MembersAsync(asked)).Any(member => member.Role == "leader" && member.Machine != stalled.Host.Name));
        await UntilAsync(Soon, async () => (await fleet[asked].AshlarAsync("machines", "label", stalled.Host.Name, "stalled")).ExitCode == 0);
        await AliveForAsync(Long / 2, fleet[asked]);

        // It wakes as one that led when all leases of that time were due.
        await SignalAsync(stalled, "-CONT", pids);
        await UntilAsync(Soon, async () => (await fleet.MembersAsync(asked)).Count(member => member.State == "healthy") == 3);
        await AliveForAsync(Long, fleet[asked]);
        Assert.Equal(before, await fleet.RunningAsync(fleet.All));
    }

    [MachinesFact]
    public async Task A_leader_that_stood_still_and_wakes_follows_the_one_that_leads_since()
    {
        await fleet.WholeAsync();
        var former = (await fleet.LeaderAsync())!;
        var others = fleet.All.Where(machine => machine != former).ToArray();
        var asked = Array.IndexOf(fleet.All, others[0]);
        var before = await fleet.RunningAsync(fleet.All);
        former.Host.Freeze();
        await UntilAsync(Soon, async () => await fleet.LeaderAsync(asked) is { } leads && leads != former);
        await UntilAsync(Soon, async () => (await others[1].AshlarAsync("machines", "cordon", former.Host.Name)).ExitCode == 0);
        await FleetSteps.AnswersAsync(others);

        // What it believes when it wakes is past: it takes up what was ordered meanwhile, and orders given there go to the other.
        former.Host.Thaw();
        await UntilAsync(Soon, async () => await ThreeMachines.StatesAsync(former) is { Length: 3 } states && states.Count(state => state == "alive") == 2 && states.Contains("alive, cordoned"));
        Assert.NotEqual(former, await fleet.LeaderAsync(Array.IndexOf(fleet.All, former)));
        await UntilAsync(Soon, async () => (await former.AshlarAsync("machines", "uncordon", former.Host.Name)).ExitCode == 0);
        await UntilAsync(Soon, async () => (await fleet.MembersAsync(asked)).Count(member => member.State == "healthy") == 3);
        Assert.NotEqual(former, await fleet.LeaderAsync(asked));
        Assert.Equal(before, await fleet.RunningAsync(fleet.All));
        await FleetSteps.AnswersAsync(fleet.All);
    }

    [MachinesFact]
    public async Task When_etcd_finds_that_its_members_differ_orders_are_refused_and_everything_serves_until_the_alarm_ends()
    {
        await fleet.WholeAsync();
        var (first, before) = (fleet[0], await fleet.RunningAsync(fleet.All));
        await AlarmAsync(first, "ACTIVATE");
        try
        {
            await UntilAsync(Soon, async () => (await first.AshlarAsync("state")).Output.Contains("ASH7141", StringComparison.Ordinal));
            var refused = await fleet[1].AshlarAsync("config", "set", "A=1");
            Assert.True(refused.ExitCode != 0 && refused.Error.Contains("ASH4081", StringComparison.Ordinal), refused.ToString());
            await FleetSteps.AnswersAsync(fleet.All);
        }
        finally
        {
            await AlarmAsync(first, "DEACTIVATE");
        }

        await UntilAsync(Soon, async () => (await fleet[1].AshlarAsync("machines", "label", fleet[1].Host.Name, "whole")).ExitCode == 0);
        Assert.Equal(before, await fleet.RunningAsync(fleet.All));
    }

    [MachinesTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_machine_that_dies_in_the_middle_of_an_order_keeps_the_others_from_nothing(bool leads)
    {
        await fleet.WholeAsync();
        var leader = (await fleet.LeaderAsync())!;
        var others = fleet.All.Where(machine => machine != leader).ToArray();
        var value = Guid.NewGuid().ToString("N");

        // The leader has its turn last: the first of the others has it now.
        var order = others[1].AshlarAsync("config", "set", "SLOW=2", $"ROUND={value}");
        var dies = leads ? leader : others[0];
        var old = (await InstancesAsync(others[1], "web"))[0].Release;
        await UntilAsync(Soon, async () => (await TryInstancesAsync(others[1], "web")).Any(i => i.Machine == others[0].Host.Name && i.Release != old));
        await fleet.Net.KillAsync(dies.Host);
        var living = fleet.All.Where(machine => machine != dies).Select(machine => machine.Host.Name).ToArray();
        await UntilAsync(Soon * 2, async () => (await TryInstancesAsync(others[1], "web")).Where(i => living.Contains(i.Machine)) is var web
            && web.Any() && web.All(i => i.State == "healthy" && i.Release != old));

        // It comes back, and pursues what was ordered meanwhile.
        await fleet.Net.PowerOnAsync(dies.Host);
        dies.Boot();
        var result = await order;
        Assert.True(result.ExitCode == 0, $"{result}\n{await fleet.TellAsync()}");
        await UntilAsync(Soon * 2, async () => await TryInstancesAsync(dies, "web") is { Count: 4 } web && web.All(i => i.State == "healthy" && i.Release != old));
        Assert.Equal(value, (await dies.DoAsync("config", "get", "ROUND")).Trim());
        await FleetSteps.AnswersAsync(fleet.All);
    }

    [MachinesFact]
    public async Task A_rollback_that_is_ordered_during_a_deploy_follows_it_and_no_request_fails()
    {
        await fleet.WholeAsync();
        await fleet[0].DoAsync("config", "set", "GREETING=before", "SLOW=0");
        using var stop = new CancellationTokenSource();
        var load = fleet.All.Select(machine => new LoadRunner(machine.Edge, new LoadMix { Gets = 60, NewConnections = 10, Posts = 5 }).RunAsync(stop.Token)).ToArray();
        var old = (await InstancesAsync(fleet[0], "web"))[0].Release;
        var deploy = fleet[1].AshlarAsync("config", "set", "GREETING=after", "SLOW=1");
        await UntilAsync(Soon, async () => (await InstancesAsync(fleet[2], "web")).Any(i => i.Release != old));
        var rollback = await fleet[2].AshlarAsync("rollback");
        Assert.True(rollback.ExitCode == 0 && rollback.Error.Contains("Waits for 'config'", StringComparison.Ordinal), $"{rollback}\n{await fleet.TellAsync()}");
        Assert.Equal(0, (await deploy).ExitCode);
        await UntilAsync(Soon, async () => await InstancesAsync(fleet[0], "web") is { Count: 4 } web && web.All(i => i.State == "healthy" && i.Release == web[0].Release));
        Assert.Equal("before", (await fleet[0].DoAsync("exec", "web", "--", "sh", "-c", "echo $GREETING")).Trim());
        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(load), report => Assert.True(report.Failed == 0 && report.Requests.Values.Sum() > 0, $"{report}\n{rollback}"));
    }

    /// <summary>Asks an edge twenty times; by which machines' instances it was answered, or null: a request failed.</summary>
    private async Task<string[]?> AnswersAsync(StackMachine machine)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        var by = new HashSet<string>(StringComparer.Ordinal);
        var where = (await InstancesAsync(fleet[1], "web")).ToDictionary(i => i.Name, i => i.Machine);
        // Many at once, so that other machines take their share of what one alone would serve.
        foreach (var asked in await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => client.GetAsync(new Uri($"http://{machine.Edge}/hello?n=1")))))
        {
            using var answer = asked;
            if (!answer.IsSuccessStatusCode)
            {
                return null;
            }

            by.Add(where[(await answer.Content.ReadAsStringAsync()).Trim().Split(' ')[^1]]);
        }

        return [.. by];
    }

    private async Task<bool> IsAnsweredByAsync(StackMachine edge, StackMachine machine) => (await AnswersAsync(edge))?.Contains(machine.Host.Name) == true;

    private async Task AliveForAsync(TimeSpan time, StackMachine asked)
    {
        for (var began = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(began) < time; await Task.Delay(500))
        {
            var states = await ThreeMachines.StatesAsync(asked);
            Assert.True(states.Length == 3 && states.All(state => state == "alive"), $"{string.Join(", ", states)}\n{await fleet.TellAsync()}");
        }
    }

    private async Task AlarmAsync(StackMachine machine, string action)
    {
        var identity = Path.Combine(machine.Folder, ".ashlar", "identity");
        string[] curl = ["--silent", "--show-error", "--fail", "--cert", $"{identity}/machine.crt", "--key", $"{identity}/machine.key", "--cacert", $"{identity}/authority.crt"];
        var member = await machine.Host.ExecAsync("curl", [.. curl, "--data", "{}", $"https://{machine.Host.Address}:7402/v3/maintenance/status"]);
        var id = System.Text.Json.JsonDocument.Parse(member.Output).RootElement.GetProperty("header").GetProperty("member_id").GetString();
        var alarm = string.Create(CultureInfo.InvariantCulture, $$"""{"action": "{{action}}", "memberID": "{{id}}", "alarm": "CORRUPT"}""");
        var answer = await machine.Host.ExecAsync("curl", [.. curl, "--data", alarm, $"https://{machine.Host.Address}:7402/v3/maintenance/alarm"]);
        Assert.True(answer.ExitCode == 0, answer.ToString());
    }

    private static Task<ProgramResult> SignalAsync(StackMachine machine, string signal, int[] pids) =>
        machine.Host.ExecAsync("kill", [signal, .. pids.Select(pid => pid.ToString(CultureInfo.InvariantCulture))]);
}
