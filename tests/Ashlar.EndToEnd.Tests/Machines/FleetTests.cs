using System.Globalization;
using System.Text.Json;
using Ashlar.Testing.Machines;
using static Ashlar.EndToEnd.Tests.Machines.FleetSteps;

namespace Ashlar.EndToEnd.Tests.Machines;

/// <summary>The same file on several machines, by the real program on hosts of their own.</summary>
[Trait("Length", "Full")]
public sealed class FleetTests
{
    [MachinesFact]
    public async Task A_stack_spreads_over_a_second_machine_is_replaced_when_that_is_lost_and_spread_again_by_order()
    {
        await using var net = await MachineNet.CreateAsync(2);
        var (first, second) = (new StackMachine(net[0], StackFile), new StackMachine(net[1], null));
        await first.UpAsync();
        var before = await PidsAsync(first, "web");
        await JoinAsync(first, second);
        Assert.Equal(before, await PidsAsync(first, "web")); // The move to etcd restarts nothing.

        // Every edge serves every route: all instances are on the first machine.
        await AnswersAsync(first, second);

        // Ordered on the machine that does not lead; done when both have got there.
        await second.DoAsync("scale", "web=4");
        Assert.Equal(["m1", "m1", "m2", "m2"], (await InstancesAsync(second, "web")).Select(i => i.Machine).Order());
        Assert.Equal(4, (await InstancesAsync(first, "web")).Count(i => i.State == "healthy"));

        await AnswersAsync(first, second);

        // A release is copied to where it has to run.
        first.Write("new.txt", "v2");
        await first.UpAsync();
        Assert.All(await InstancesAsync(second, "web"), i => Assert.Equal("v2", i.Release));

        // It is cut off for more than a minute: what ran there starts on the other, and runs there too, since nobody can tell it to stop.
        var cut = await PidsAsync(second, "web", "m2");
        await net.IsolateAsync(net[1]);
        await UntilAsync(Soon * 2, async () => (await InstancesAsync(first, "web")).Where(i => i.State == "healthy").Select(i => i.Machine) is var where
            && where.Count() == 4 && where.All(name => name == "m1"));
        Assert.All(cut, pid => Assert.True(Directory.Exists($"/proc/{pid}")));

        // When it is back, it stops what is no longer its own.
        await net.HealAsync();
        await UntilAsync(Soon, () => Task.FromResult(!cut.Any(pid => Directory.Exists($"/proc/{pid}"))));
        await UntilAsync(Soon, async () => await TryInstancesAsync(second, "web") is { Count: 4 } web && web.All(i => i is { Machine: "m1", State: "healthy" }));

        // Nothing moves only to be spread, until that is ordered; then what moves is there before it goes.
        var edge = new Uri($"http://{first.Edge}/up");
        Assert.Equal("web.3 would go from m1 to m2\nweb.4 would go from m1 to m2\n", await second.DoAsync("machines", "rebalance", "--dry-run"));
        await WithoutAFailedRequestAsync(edge, async () =>
        {
            Assert.Equal("web.3 went from m1 to m2\nweb.4 went from m1 to m2\n", await second.DoAsync("machines", "rebalance"));
            Assert.Equal(["m1", "m1", "m2", "m2"], (await InstancesAsync(second, "web")).Where(i => i.State == "healthy").Select(i => i.Machine).Order());
            Assert.StartsWith("nothing to move", await first.DoAsync("machines", "rebalance"), StringComparison.Ordinal);

            // The only one of a service leaves its machine when the next one serves.
            await first.DoAsync("scale", "web=1");
            await second.DoAsync("machines", "drain", "m1");
            Assert.Equal(("web.1", "m2"), (await InstancesAsync(first, "web")).Where(i => i.State == "healthy").Select(i => (i.Name, i.Machine)).Single());
        });

        await first.DownAsync();
    }

    [MachinesFact]
    public async Task A_machine_that_is_cut_off_serves_on_refuses_orders_and_comes_back()
    {
        await using var net = await MachineNet.CreateAsync(2);
        var (first, second) = await TwoAsync(net);
        await first.DoAsync("scale", "web=4");
        var before = await PidsAsync(second, "web", "m2");

        await net.PartitionAsync(net[0], net[1]);
        await UntilAsync(Soon, async () => (await second.AshlarAsync("scale", "web=5")).ExitCode != 0);
        Assert.Equal(before, await PidsAsync(second, "web", "m2"));

        // It says how old what it knows is.
        await UntilAsync(Soon, async () => (await second.AshlarAsync("status")) is { ExitCode: 5 } status
            && status.Output.Contains("m2 last reached the shared state", StringComparison.Ordinal));
        Assert.Contains("unknown", await second.DoAsync("machines", "list"), StringComparison.Ordinal);
        await UntilAsync(Soon, async () => (await first.AshlarAsync("status")).Output.Contains("m2: silent for", StringComparison.Ordinal));

        await net.HealAsync();
        await UntilAsync(Soon, async () => (await second.AshlarAsync("scale", "web=5")).ExitCode == 0);
        Assert.Equal(5, (await InstancesAsync(second, "web")).Count(i => i.State == "healthy"));
        await second.DownAsync();
        await first.DownAsync();
    }

    [MachinesFact]
    public async Task A_machine_boots_into_what_was_ordered_last_without_the_others()
    {
        await using var net = await MachineNet.CreateAsync(2);
        var (first, second) = await TwoAsync(net);
        await first.DoAsync("scale", "web=4");
        await net.KillAsync(net[0]);
        await net.KillAsync(net[1]);
        await net.PowerOnAsync(net[1]);
        second.Boot();
        await UntilAsync(Soon, async () => (await TryInstancesAsync(second, "web")).Count(i => i is { Machine: "m2", State: "healthy" }) == 2);

        // And the first, which holds the state, is found again.
        await net.PowerOnAsync(net[0]);
        first.Boot();
        await UntilAsync(Soon, async () => (await TryInstancesAsync(second, "web")).Count(i => i.State == "healthy") == 4);
    }

    [MachinesFact]
    public async Task A_replica_on_another_machine_streams_from_the_primary_and_is_reached_by_the_same_port()
    {
        await using var net = await MachineNet.CreateAsync(2);
        var (first, second) = await TwoAsync(net, StackFile + "\ndatabase: {replicas: 0}\n");
        await first.DoAsync("scale", "database.replicas=1");
        Assert.Equal(["m1", "m2"], (await InstancesAsync(first, "database")).Select(i => i.Machine));
        await InFolderAsync(first, "pg", "psql", "--", "-c", "create table t as select 7 as n");
        var url = await InFolderAsync(second, "run", "--", "printenv", "DATABASE_REPLICA_URL");
        await UntilAsync(Soon, async () => (await second.Host.ExecAsync("psql", [url.Trim(), "-Atc", "select n from t"])).Output.Trim() == "7");

        // And the primary is reached from the other machine as if it were there.
        var primary = await InFolderAsync(second, "run", "--", "printenv", "DATABASE_URL");
        Assert.Equal("f", (await second.Host.ExecAsync("psql", [primary.Trim(), "-Atc", "select pg_is_in_recovery()"])).Output.Trim());

        // Of the primary's machine leaves what may; it is said what stays, and the database serves on.
        var server = (await InstancesAsync(first, "database")).Single(i => i.Name == "database.1").Pids;
        var drained = await second.AshlarAsync("machines", "drain", "m1");
        Assert.True(drained.ExitCode == 6 && drained.Error.Contains("ASH7522", StringComparison.Ordinal) && drained.Error.Contains("database.1 stays: it is the primary", StringComparison.Ordinal), drained.ToString());
        Assert.All(await InstancesAsync(second, "web"), i => Assert.Equal("m2", i.Machine));
        Assert.Equal(server, (await InstancesAsync(first, "database")).Single(i => i.Name == "database.1").Pids);
        Assert.Equal("7", (await second.Host.ExecAsync("psql", [primary.Trim(), "-Atc", "select n from t"])).Output.Trim());
        await AnswersAsync(first, second);
        await second.DoAsync("machines", "uncordon", "m1");
        await second.DownAsync();
        await first.DownAsync();
    }

    [MachinesFact]
    public async Task A_token_is_spent_once_and_a_name_is_given_once()
    {
        await using var net = await MachineNet.CreateAsync(3);
        var (first, second, third) = (new StackMachine(net[0], StackFile), new StackMachine(net[1], null), new StackMachine(net[2], null));
        await first.UpAsync();
        var token = await JoinAsync(first, second);
        Assert.Contains("ASH7502", await third.RefusedAsync(token, "join", "--address", net[2].Address.ToString(), "--name", "m3"));
        var fresh = await first.DoAsync("machines", "token");
        Assert.Contains("ASH7504", await third.RefusedAsync(fresh, "join", "--address", net[2].Address.ToString(), "--name", "m2"));
        Assert.Contains("ASH7511", await third.RefusedAsync(fresh, "join", "--address", "192.0.2.1", "--name", "m3"));
        Assert.Contains("ASH7501", await third.RefusedAsync("nonsense", "join", "--address", net[2].Address.ToString()));
        Assert.Equal(2, JsonDocument.Parse(await first.DoAsync("machines", "list", "--json")).RootElement.GetProperty("machines").GetArrayLength());
        await second.DownAsync();
        await first.DownAsync();
    }

    [MachinesFact]
    public async Task What_a_killed_agent_has_left_on_a_machine_is_told_and_taken_down()
    {
        await using var net = await MachineNet.CreateAsync(2);
        var (first, second) = await TwoAsync(net);
        await first.DoAsync("scale", "web=4");
        foreach (var machine in new[] { first, second })
        {
            using var report = JsonDocument.Parse(await machine.DoAsync("ps", "--json"));
            var agent = report.RootElement.GetProperty("agent").GetProperty("pids")[0].GetInt32();
            await machine.Host.ExecAsync("kill", ["-KILL", agent.ToString(CultureInfo.InvariantCulture)]);
            Assert.Contains("ASH6029", (await machine.AshlarAsync("ps")).Error, StringComparison.Ordinal);
        }

        // A machine without the stack's file is started by the verb that the error tells.
        Assert.Contains("m2 runs", await second.UpAsync(), StringComparison.Ordinal);
        Assert.Contains("agent --stack", await InFolderAsync(second, "service", "install", "--print"), StringComparison.Ordinal);
        await first.DownAsync();
        await second.DownAsync();
    }
}
