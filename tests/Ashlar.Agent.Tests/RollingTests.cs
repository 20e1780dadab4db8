using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog;
using Ashlar.Errors;

namespace Ashlar.Agent.Tests;

public sealed class RollingTests
{
    [Fact]
    public async Task RestartScaleAndReplacementOfTheEdgeFailNoRequest()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web(2));
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        var before = await AgentRig.InstancesAsync(client, "web");

        await using var asking = new Asking(rig.Url);
        await asking.MoreAsync(50);
        await AgentRig.OrderAsync(client, AgentVerbs.Restart, "web");
        await AgentRig.ScaleAsync(client, "web", 3);
        await AgentRig.OrderAsync(client, AgentVerbs.Restart, "edge");
        await AgentRig.ScaleAsync(client, "web", 1);
        await AgentRig.OrderAsync(client, AgentVerbs.Restart, "web.1");
        await asking.MoreAsync(50);
        Assert.Empty(await asking.StopAsync());

        var status = await rig.WhenAsync(s => s.Healthy && AgentRig.Of(s, "web").Count() == 1, "one is left");
        Assert.DoesNotContain(AgentRig.Of(status, "web").Single().Pids[0], before.Select(i => i.Pids[0]));
    }

    [Fact]
    public async Task StopTakesAnInstanceAwayAndStartBringsItBack()
    {
        await using var rig = new AgentRig();
        rig.Services("worker:\n  run: while true; do sleep 1; done\n  instances: 2\n");
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        await AgentRig.OrderAsync(client, AgentVerbs.Stop, "worker.1");
        await rig.WhenAsync(s => AgentRig.Of(s, "worker").Select(i => i.Name).SequenceEqual(["worker.2"]), "only worker.2");
        await AgentRig.OrderAsync(client, AgentVerbs.Start, "worker.1");
        Assert.Equal(2, (await AgentRig.InstancesAsync(client, "worker")).Length);

        // A stack of which nothing runs still has its tiers and services.
        await AgentRig.OrderAsync(client, AgentVerbs.Stop);
        var stopped = await rig.WhenAsync(s => !AgentRig.Of(s, "worker").Any(), "nothing runs");
        Assert.Equal(["edge", "services"], stopped.Tiers.Select(t => t.Name));
        var worker = Assert.Single(stopped.Tiers[1].Services);
        Assert.Equal(("worker", 0), (worker.Name, worker.Wanted));
        foreach (var target in (string[])["worker", "worker.2"])
        {
            var refused = await Assert.ThrowsAsync<AshlarException>(() => AgentRig.OrderAsync(client, AgentVerbs.Restart, target));
            Assert.Equal(("ASH4025", $"ashlar start {target} starts it."), (refused.Error.Code, refused.Error.NextStep));
        }

        await AgentRig.OrderAsync(client, AgentVerbs.Start);
        var unknown = await Assert.ThrowsAsync<AshlarException>(() => AgentRig.OrderAsync(client, AgentVerbs.Stop, "wroker"));
        Assert.Equal("ASH4012", unknown.Error.Code);
    }

    [Fact]
    public async Task AServiceThatNeedsTwoTriesComesUp()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Write("late.sh", $"echo try >> {rig.Folder}/tries/web\ntest $(wc -l < {rig.Folder}/tries/web) -ge 3 || exit 1\nexec python3 {rig.Folder}/app.py\n");
        File.SetUnixFileMode(Directory.CreateDirectory(Path.Combine(rig.Folder, "tries")).FullName, (UnixFileMode)0b111_111_111);
        rig.Services(rig.Web().Replace("python3", "sh", StringComparison.Ordinal).Replace("app.py", "late.sh", StringComparison.Ordinal));
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        Assert.Equal(2, (await AgentRig.InstancesAsync(client, "web")).Single().Restarts);
    }

    [Fact]
    public async Task AnInstanceThatCrashesAgainAndAgainFailsUpWithItsLastLines()
    {
        await using var rig = new AgentRig();
        rig.Services("worker:\n  run: \"echo no database; exit 3\"\n");
        await using var client = await rig.AgentAsync();
        var told = new List<string>();
        var failure = await Assert.ThrowsAsync<AshlarException>(() => rig.UpAsync(client, told));
        Assert.Contains(told, line => line.StartsWith("worker.1 exit 3; it is started again. Its last lines:\n    no database", StringComparison.Ordinal));
        Assert.Contains("worker.1 exit 3, crashed 2 times; it is started again", told);
        Assert.Equal("ASH2017", failure.Error.Code);
        Assert.Contains("no database", failure.Error.Message, StringComparison.Ordinal);
        var worker = (await AgentRig.InstancesAsync(client, "worker")).Single();
        Assert.Contains("crashed 3 times within", failure.Error.Message, StringComparison.Ordinal);
        Assert.Contains("no database", worker.LastLines);
        Assert.Contains("next start in", worker.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACommandThatDoesNotExistFailsUpAtOnce()
    {
        await using var rig = new AgentRig();
        rig.Services("worker:\n  run: no-such-program --really\n");
        await using var client = await rig.AgentAsync();
        var failure = await Assert.ThrowsAsync<AshlarException>(() => rig.UpAsync(client));
        Assert.Equal("ASH4010", failure.Error.Code);
        Assert.Contains("no-such-program", failure.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnInstanceThatListensElsewhereIsToldSo()
    {
        await using var rig = new AgentRig();
        var elsewhere = Ashlar.Testing.Ports.Free();
        rig.Services($"web:\n  run: python3 -m http.server --bind 127.0.0.1 {elsewhere}\n  route: /\n  start: {{timeout: 2s}}\n");
        await using var client = await rig.AgentAsync();
        var failure = await Assert.ThrowsAsync<AshlarException>(() => rig.UpAsync(client));
        Assert.Equal("ASH2012", failure.Error.Code);
        Assert.Contains($"{elsewhere}", failure.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnUnhealthyInstanceIsShownAndRecovers()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web(1).Replace("health: /\n", "health: {path: /, interval: 100ms, fall: 2}\n"));
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        rig.Write("sick", "");
        await rig.WhenAsync(s => AgentRig.Of(s, "web").Single().State == InstanceState.Unhealthy, "unhealthy");
        rig.Delete("sick");
        await rig.WhenAsync(s => s.Healthy, "healthy again");
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task InstancesThatStayUnhealthyAreRestartedOneAfterTheOther()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web(2).Replace("health: /\n", "health: {path: /, interval: 100ms, fall: 2}\n"));
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        var before = await AgentRig.InstancesAsync(client, "web");

        // What they need is gone: one is restarted and does not get ready, the other runs on.
        rig.Write("sick", "");
        var one = await rig.WhenAsync(s => AgentRig.Of(s, "web").Any(i => i.Restarts > 0 && i.State == InstanceState.Starting), "one is restarted", 120);
        var other = AgentRig.Of(one, "web").Single(i => i.Restarts == 0);
        Assert.Equal(InstanceState.Unhealthy, other.State);
        Assert.Contains(other.Pids[0], before.Select(i => i.Pids[0]));
        rig.Delete("sick");
        var healed = await rig.WhenAsync(s => s.Healthy, "healthy again");
        // The other may have had its turn too, if the first was ready before it was asked again.
        Assert.All(AgentRig.Of(healed, "web"), i => Assert.InRange(i.Restarts, 0, 1));
    }

    [Fact]
    public async Task WhoeverWatchesIsToldTheRequestsPerSecond()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web(1));
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        await using var asking = new Asking(rig.Url);
        await rig.WhenAsync(s => s.RequestsPerSecond > 0, "requests are counted");
        Assert.Empty(await asking.StopAsync());
        await rig.WhenAsync(s => s.RequestsPerSecond == 0, "no more requests");
    }

    [Fact]
    public async Task APortThatAnotherProgramHoldsIsNamedWithItsOwner()
    {
        await using var rig = new AgentRig();
        using var other = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, rig.Port);
        other.Start();
        rig.Services("worker:\n  run: sleep 1000\n");
        await using var client = await rig.AgentAsync();
        var failure = await Assert.ThrowsAsync<AshlarException>(() => rig.UpAsync(client));
        Assert.Equal("ASH4015", failure.Error.Code);
        Assert.Contains($"pid {Environment.ProcessId}", failure.Error.Message, StringComparison.Ordinal);
        Assert.Contains($"in {rig.Folder}/ashlar.yaml the key edge.listen.http", failure.Error.NextStep, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AReleaseThatDoesNotGetHealthyIsTakenBackAndWhatRanIsUntouched()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web(2));
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        var before = await AgentRig.InstancesAsync(client, "web");

        await using var asking = new Asking(rig.Url);
        rig.Services(rig.Web(2).Replace("python3 ", "no-such-python "));
        await Assert.ThrowsAsync<AshlarException>(() => rig.UpAsync(client));
        var status = await rig.WhenAsync(s => s.Healthy, "what ran before runs alone");
        Assert.Equal("v1", status.Release);
        Assert.Equal(before.Select(i => i.Pids[0]), AgentRig.Of(status, "web").Select(i => i.Pids[0]));
        await asking.MoreAsync(20);
        Assert.Empty(await asking.StopAsync());

        var releases = await client.CallAsync<ReleasesResult>(AgentVerbs.Releases, AgentJson.Nothing);
        Assert.Equal(["v2 failed", "v1 current"], releases!.Releases.Select(r => $"{r.Name} {r.Status}"));
    }

    [Fact]
    public async Task ANewReleaseConfigVarsAndRollbackRollWithoutAFailedRequest()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web(1));
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        await using var asking = new Asking(rig.Url);
        var first = (await AgentRig.InstancesAsync(client, "web")).Single().Pids[0];

        var changes = System.Collections.Immutable.ImmutableSortedDictionary<string, string?>.Empty.Add("COLOUR", "blue");
        var config = await client.CallAsync<ConfigArguments, ConfigResult>(AgentVerbs.Config, new ConfigArguments(changes));
        Assert.Equal("v2", config!.Release);
        Assert.Equal("blue", config.Vars["COLOUR"]);
        var environment = await client.CallAsync<EnvironmentArguments, EnvironmentResult>(AgentVerbs.Environment, new EnvironmentArguments("web"));
        Assert.Equal("blue", environment!.Environment["COLOUR"]);
        Assert.NotEqual(first, (await AgentRig.InstancesAsync(client, "web"))[^1].Pids[0]);

        var back = await client.CallAsync<RollbackArguments, UpResult>(AgentVerbs.Rollback, new RollbackArguments(null));
        Assert.Equal("v3", back!.Release);
        Assert.Empty((await client.CallAsync<ConfigArguments, ConfigResult>(AgentVerbs.Config, new ConfigArguments(changes.Clear())))!.Vars);
        Assert.Empty(await asking.StopAsync());
    }

    [Fact]
    public async Task SettingsThatNeedNoProcessApplyWithoutOne()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web(1));
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        var before = (await AgentRig.InstancesAsync(client, "web")).Single().Pids[0];
        using var http = new HttpClient();

        rig.Services(rig.Web(1).Replace("route: /", "route: /app"));
        await rig.UpAsync(client);
        Assert.Equal(System.Net.HttpStatusCode.OK, (await http.GetAsync(new Uri(rig.Url, "/app"))).StatusCode);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await http.GetAsync(rig.Url)).StatusCode);

        await client.CallAsync<MaintenanceArguments, UpResult>(AgentVerbs.Maintenance, new MaintenanceArguments(true, []));
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, (await http.GetAsync(new Uri(rig.Url, "/app"))).StatusCode);
        await client.CallAsync<MaintenanceArguments, UpResult>(AgentVerbs.Maintenance, new MaintenanceArguments(false, []));
        Assert.Equal(System.Net.HttpStatusCode.OK, (await http.GetAsync(new Uri(rig.Url, "/app"))).StatusCode);
        Assert.Equal(before, (await AgentRig.InstancesAsync(client, "web")).Single().Pids[0]);
    }

    [Fact]
    public async Task APlanSaysTheStepsAndChangesNothing()
    {
        await using var rig = new AgentRig();
        rig.Services("worker:\n  run: while true; do sleep 1; done\n");
        await using var client = await rig.AgentAsync();
        var first = await client.CallAsync<UpArguments, PlanResult>(AgentVerbs.Plan, new UpArguments(rig.Folder));
        Assert.Equal(["copy 0 files to v1", "start edge.1", "start worker.1 (v1)"], first!.Steps.AsEnumerable());
        Assert.Empty((await client.StatusAsync()).Tiers);
        await rig.UpAsync(client);
        Assert.Empty((await client.CallAsync<UpArguments, PlanResult>(AgentVerbs.Plan, new UpArguments(rig.Folder)))!.Steps);

        rig.Services("worker:\n  run: while true; do sleep 1; done\n  env: {LEVEL: debug}\n");
        rig.Write("ashlar.yaml", File.ReadAllText(Path.Combine(rig.Folder, "ashlar.yaml")) + "release: touch done\n");
        var second = await client.CallAsync<UpArguments, PlanResult>(AgentVerbs.Plan, new UpArguments(rig.Folder, "/bin/sh"));
        Assert.Equal(
            [
                "the agent becomes this build in place", "make v2 with the build of v1", "run the release command: touch done",
                "start edge.1", "start worker.1 (v2)", "drain edge.1", "stop worker.1", "stop edge.1",
            ],
            second!.Steps.AsEnumerable());
        await AgentRig.DownAsync(client);
        await client.EndedAsync();
        var cold = await StoppedStack.PlanAsync(rig.Folder, new UpArguments(rig.Folder, TestProgram.Path));
        Assert.Equal(["make v2 with the build of v1", "run the release command: touch done", "start edge.1", "start worker.1 (v2)"], cold!.Steps.AsEnumerable());
    }

    [Fact]
    public async Task APlanBesideWhatAKilledAgentHasLeftSaysOnlyWhatWouldChange()
    {
        await using var rig = new AgentRig();
        rig.Services("worker:\n  run: while true; do sleep 1; done\n");
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        await AgentRig.KillAsync(client.AgentPid);
        Assert.Empty((await StoppedStack.PlanAsync(rig.Folder, new UpArguments(rig.Folder, TestProgram.Path)))!.Steps);
        await using var next = await rig.AgentAsync();
        Assert.True((await rig.WhenAsync(status => status.Healthy, "all is adopted")).Healthy);
    }
}
