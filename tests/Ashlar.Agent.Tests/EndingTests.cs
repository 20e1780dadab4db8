using System.Collections.Immutable;
using Ashlar.Agent.Api;
using Ashlar.Catalog;
using Ashlar.Errors;

namespace Ashlar.Agent.Tests;

/// <summary>Ends that come from outside: the kernel, a person, another user.</summary>
public sealed class EndingTests
{
    [Fact]
    public async Task AnInstanceThatIsKilledForItsMemoryIsShownAsSuch()
    {
        await using var rig = new AgentRig();
        rig.Services("hungry:\n  run: \"sleep 2; perl -e '$x = chr(120) x 200000000; sleep 1000'\"\n  limits: {memory: 32MiB}\n");
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        if (rig.Log.Contains("no memory limit", StringComparison.Ordinal))
        {
            return; // No cgroup to be had here.
        }

        var status = await rig.WhenAsync(s => AgentRig.Of(s, "hungry").Single().Restarts > 0, "it is killed");
        Assert.Contains(status.Tiers.SelectMany(t => t.Services).SelectMany(s => s.Instances), i => i.Name == "hungry.1");
        var seen = AgentRig.Of(status, "hungry").Single();
        Assert.Equal(InstanceState.Backoff, seen.State);
        Assert.StartsWith("out of memory (limit 32 MiB), next start in ", seen.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DownInTheMiddleOfABuildEndsTheBuildAndSaysSo(bool now)
    {
        await using var rig = new AgentRig();
        rig.Services("worker:\n  build: \"echo $$ > pid; sleep 1000 & wait\"\n  run: sleep 1000\n");
        await using var client = await rig.AgentAsync();
        var building = rig.UpAsync(client);
        var file = Path.Combine(rig.State.Releases, "v1/pid");
        while (!File.Exists(file) || (await File.ReadAllTextAsync(file)).Length == 0)
        {
            Assert.False(building.IsCompleted, rig.Log);
            await Task.Delay(20);
        }

        var build = int.Parse(await File.ReadAllTextAsync(file), System.Globalization.CultureInfo.InvariantCulture);
        await using (var other = AgentClient.TryConnect(rig.Folder)!)
        {
            await AgentRig.DownAsync(other, now);
        }

        var error = (await Assert.ThrowsAsync<AshlarException>(() => building)).Error;
        Assert.Equal("ASH4013", error.Code);
        Assert.Contains("before 'up' was done", error.Message, StringComparison.Ordinal);
        await client.EndedAsync();
        Assert.False(AgentRig.IsAlive(build));
        Assert.False(Directory.Exists(Path.Combine(rig.State.Releases, "v1")));
        await using var again = await rig.AgentAsync();
        var releases = await again.CallAsync<ReleasesResult>(AgentVerbs.Releases, AgentJson.Nothing);
        Assert.Equal(["v1 failed"], releases!.Releases.Select(r => $"{r.Name} {r.Status}"));
    }

    [Fact]
    public async Task AnotherUserIsRefusedWhileTheStackIsUpAndTakenAfterDown()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return; // Only root runs services as others.
        }

        await using var rig = new AgentRig();
        rig.App();
        void As(string user) => rig.Write("ashlar.yaml", $$"""
            name: rig
            user: {{user}}
            edge:
              listen:
                http: "127.0.0.1:{{rig.Port}}"
            services:
              web:
                run: "id -un > who; exec python3 app.py"
                route: /
                env:
                  SICK: "{{rig.Folder}}/sick"
            """);
        As("nobody");
        await using (var client = await rig.AgentAsync())
        {
            await rig.UpAsync(client);
            As("daemon");
            var refused = (await Assert.ThrowsAsync<AshlarException>(() => rig.UpAsync(client))).Error;
            Assert.Equal("ASH4023", refused.Code);
            Assert.Contains("run as nobody and are now to run as daemon", refused.Message, StringComparison.Ordinal);
            Assert.True((await client.StatusAsync()).Healthy);
            await AgentRig.DownAsync(client);
            await client.EndedAsync();
        }

        rig.Write("version", "two");
        await using (var client = await rig.AgentAsync())
        {
            await rig.UpAsync(client);
            using var http = new HttpClient();
            Assert.StartsWith("web.1 ", await http.GetStringAsync(rig.Url), StringComparison.Ordinal);
            Assert.Equal("daemon\n", await File.ReadAllTextAsync(Path.Combine(rig.State.Releases, "v2/who")));

            // What was made for the user of before can be gone back to.
            await client.CallAsync<RollbackArguments, UpResult>(AgentVerbs.Rollback, new RollbackArguments("v1")).WaitAsync(AgentRig.Patience);
            Assert.StartsWith("web.1 ", await http.GetStringAsync(rig.Url), StringComparison.Ordinal);
            Assert.Equal("daemon\n", await File.ReadAllTextAsync(Path.Combine(rig.State.Releases, "v1/who")));
        }
    }

    [Fact]
    public async Task ConfigVarsOfAStoppedStackAreTakenByTheNextUp()
    {
        await using var rig = new AgentRig();
        rig.Services("worker:\n  run: sleep 1000\n");
        var changes = ImmutableSortedDictionary<string, string?>.Empty.Add("COLOUR", "blue");
        Task<AgentClient> starting;
        await using (var stack = Hosting.StoppedStack.TryOpen(rig.Folder)!)
        {
            Assert.Null(Hosting.StoppedStack.TryOpen(rig.Folder));
            Assert.True((await stack.ConfigAsync(rig.Folder, new ConfigArguments(changes))).Kept);

            // An agent that is started now waits for us.
            starting = rig.AgentAsync();
            Assert.Equal("blue", (await stack.ConfigAsync(rig.Folder, new ConfigArguments(changes.Clear()))).Vars["COLOUR"]);
        }

        await using var client = await starting;
        await rig.UpAsync(client);
        var environment = await client.CallAsync<EnvironmentArguments, EnvironmentResult>(AgentVerbs.Environment, new EnvironmentArguments("worker"));
        Assert.Equal("blue", environment!.Environment["COLOUR"]);
        Assert.Null(Hosting.StoppedStack.TryOpen(rig.Folder));
    }
}
