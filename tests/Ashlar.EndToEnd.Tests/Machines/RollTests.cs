using System.Globalization;
using System.Text.Json;
using Ashlar.LoadClient;
using Ashlar.Testing;
using Ashlar.Testing.Machines;
using static Ashlar.EndToEnd.Tests.Machines.FleetSteps;

namespace Ashlar.EndToEnd.Tests.Machines;

/// <summary>Orders go over the machines one after the other, and end whoever leads.</summary>
[Trait("Length", "Full")]
public sealed class RollTests
{
    // An app that can be told to start slowly, or not at all.
    private const string Stack = """
        name: rig
        services:
          web:
            run: "test -z \"$BROKEN\" || exit 7; sleep ${SLOW:-0}; exec '@APP@'"
            route: /
            health: /up
            instances: 4
        edge: {listen: 8080}
        """;

    [MachinesFact]
    public async Task A_release_that_fails_on_the_first_machine_leaves_the_other_untouched_and_a_good_one_fails_no_request()
    {
        await using var net = await MachineNet.CreateAsync(2);
        var (first, second) = await SpreadAsync(net);
        using var stop = new CancellationTokenSource();
        var load = new[] { first, second }.Select(machine => new LoadRunner(machine.Edge, new LoadMix { Gets = 100, NewConnections = 20, Posts = 10 }).RunAsync(stop.Token)).ToArray();

        // The first one leads, so the second is the first to get it, and the leader never does.
        var before = await PidsAsync(first, "web", "m1");
        var refused = await first.RefusedAsync("", "config", "set", "BROKEN=1");
        Assert.Contains("On machine m2", refused);
        Assert.Equal(before, await PidsAsync(first, "web", "m1"));
        await HealthyAsync(first, 4, "v1");

        // Ordered where nobody leads. A second order waits for the first, which goes on though its client is killed.
        var gone = second.Host.Run(Checkout.Ashlar, ["config", "set", "SLOW=3", "--stack", second.Folder]);
        await UntilAsync(Soon, async () => (await InstancesAsync(second, "web")).Any(i => i.Release == "v3"));
        var order = first.AshlarAsync("config", "set", "GREETING=hello");
        gone.Kill();
        var told = await order;
        Assert.True(told.ExitCode == 0 && told.Error.Contains("Waits for 'config'", StringComparison.Ordinal), told.ToString());
        await HealthyAsync(second, 4, "v4");
        Assert.Equal("3", (await second.DoAsync("config", "get", "SLOW")).Trim());
        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(load), report => Assert.True(report.Failed == 0 && report.Requests.Values.Sum() > 0, $"{report}\n{told}\n{first.AgentLog()}\n--\n{second.AgentLog()}"));

        // While the state stands and answers nobody, each machine looks after its own.
        var state = (await InstancesAsync(first, "etcd")).SelectMany(i => i.Pids).ToArray();
        await SignalAsync(first, "-STOP", state);
        var here = await PidsAsync(second, "web", "m2");
        await SignalAsync(second, "-KILL", here);
        await UntilAsync(Soon, async () => (await InstancesAsync(second, "web")).Where(i => i.Machine == "m2").ToArray() is { Length: 2 } web
            && web.All(i => i.State == "healthy" && !i.Pids.Intersect(here).Any()));
        await SignalAsync(first, "-CONT", state);
        await UntilAsync(Soon, async () => await LeaderAsync(second) is not null && (await second.AshlarAsync("scale", "web=4")).ExitCode == 0);

        // Down, given where the state does not lie, is over when both are down.
        var down = await second.AshlarAsync("down");
        Assert.True(down.ExitCode == 0 && down.Error.Contains("m1 is down", StringComparison.Ordinal), down.ToString());
        Assert.DoesNotContain(await InstancesAsync(first, "web"), instance => instance.State == "healthy");
        await first.DownAsync();
    }

    [MachinesFact]
    public async Task A_leader_that_is_killed_in_the_middle_of_an_order_is_followed_by_another_that_ends_it()
    {
        await using var net = await MachineNet.CreateAsync(2);
        var (first, second) = await SpreadAsync(net);

        // The second leads, so that the state, which lies on the first, outlives it.
        await SecondLeadsAsync(first, second);

        var order = first.AshlarAsync("config", "set", "SLOW=5");
        await UntilAsync(Soon, async () => (await TryInstancesAsync(first, "web")).Any(i => i is { Machine: "m1", Release: "v2" }));
        await KillAgentAsync(second);
        var result = await order;
        Assert.True(result.ExitCode == 0, $"{result}\n{first.AgentLog()}");
        await UntilAsync(Soon, async () => (await InstancesAsync(first, "web")).Where(i => i.Machine == "m1").All(i => i is { State: "healthy", Release: "v2" }));

        // Who comes back pursues what holds now, and leaves nothing of an up in whose middle it was killed.
        second.Write(".ashlar/sources/m1/page.html", "of before");
        second.Boot();
        await HealthyAsync(first, 4, "v2");
        await UntilAsync(Soon, () => Task.FromResult(!Directory.Exists(Path.Combine(second.Folder, ".ashlar/sources"))));
        await second.DownAsync();
        await first.DownAsync();
    }

    [MachinesFact]
    public async Task Up_deploys_the_files_of_the_machine_on_which_it_was_ordered_whoever_leads()
    {
        await using var net = await MachineNet.CreateAsync(2);
        var (first, second) = await SpreadAsync(net);
        await SecondLeadsAsync(first, second);
        Assert.Equal("nothing to do", (await first.DoAsync("up", "--dry-run")).Trim());
        Assert.Contains("\"changed\": false", await first.DoAsync("up", "--json"), StringComparison.Ordinal);

        first.Write("page/index.html", "changed");
        first.Write(".env", "GREETING=hello");
        Assert.Contains("to v2", await first.DoAsync("up", "--dry-run"), StringComparison.Ordinal);
        var up = await first.AshlarAsync("up", "--detach");
        Assert.True(up.ExitCode == 0 && up.Error.Contains("m2 leads, and gets the app's files from m1", StringComparison.Ordinal), $"{up}\n{second.AgentLog()}");
        await HealthyAsync(first, 4, "v2");
        Assert.All(new[] { first, second }, machine => Assert.Equal("changed", File.ReadAllText(Path.Combine(machine.Folder, ".ashlar/releases/v2/page/index.html"))));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(second.Folder, ".ashlar/sources")));
        Assert.Equal("hello", (await second.DoAsync("exec", "web", "--", "sh", "-c", "echo $GREETING")).Trim());
        await second.DownAsync();
        await first.DownAsync();
    }

    private static async Task<(StackMachine First, StackMachine Second)> SpreadAsync(MachineNet net)
    {
        var (first, second) = await TwoAsync(net, Stack.Replace("instances: 4", "instances: 2", StringComparison.Ordinal));
        await first.DoAsync("scale", "web=4");
        Assert.Equal(["m1", "m1", "m2", "m2"], (await InstancesAsync(first, "web")).Select(i => i.Machine).Order());
        return (first, second);
    }

    private static Task HealthyAsync(StackMachine machine, int count, string release) => UntilAsync(Soon, async () =>
        await TryInstancesAsync(machine, "web") is var web && web.Count == count && web.All(i => i.State == "healthy" && i.Release == release));

    private static async Task<string?> LeaderAsync(StackMachine machine)
    {
        var listed = await machine.AshlarAsync("machines", "list", "--json");
        return listed.ExitCode != 0 ? null : JsonDocument.Parse(listed.Output).RootElement.GetProperty("machines").EnumerateArray()
            .Where(m => m.GetProperty("leads").GetBoolean()).Select(m => m.GetProperty("name").GetString()).FirstOrDefault();
    }

    private static async Task SecondLeadsAsync(StackMachine first, StackMachine second)
    {
        await KillAgentAsync(first);
        await UntilAsync(Soon, async () => await LeaderAsync(second) == "m2");
        first.Boot();
        await UntilAsync(Soon, async () => await LeaderAsync(first) == "m2");
    }

    private static async Task KillAgentAsync(StackMachine machine)
    {
        using var report = JsonDocument.Parse(await machine.DoAsync("ps", "--json"));
        var pid = report.RootElement.GetProperty("agent").GetProperty("pids")[0].GetInt32();
        await SignalAsync(machine, "-KILL", [pid]);
    }

    private static Task<ProgramResult> SignalAsync(StackMachine machine, string signal, int[] pids) =>
        machine.Host.ExecAsync("kill", [signal, .. pids.Select(pid => pid.ToString(CultureInfo.InvariantCulture))]);
}
