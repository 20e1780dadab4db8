using System.Collections.Immutable;
using System.Diagnostics;
using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.Tests.NoFailedRequest;

/// <summary>What an operator does to a stack while it serves, one after the other.</summary>
internal sealed class Operations(StackRig rig)
{
    private int _releases;

    /// <summary>A round of eleven: scale up and down, restart of a service, an instance and the edge, releases, rollback, replacement of the agent.</summary>
    public IEnumerable<(string Name, Func<Task> Run)> Round()
    {
        yield return ("scale web=3", () => ScaleAsync(3));
        yield return ("restart web.1", () => RestartAsync("web.1"));
        yield return ("scale web=2", () => ScaleAsync(2));
        yield return ("release", ReleaseAsync);
        yield return ("restart edge", () => RestartAsync("edge"));
        yield return ("rollback", RollbackAsync);
        yield return ("scale web=4", () => ScaleAsync(4));
        yield return ("upgrade of the agent", UpgradeAsync);
        yield return ("restart web", () => RestartAsync("web"));
        yield return ("kill -9 of the agent, up again", KillAgentAsync);
        yield return ("scale web=2", () => ScaleAsync(2));
    }

    private Task ScaleAsync(int count) =>
        CallAsync<ScaleArguments, UpResult>(AgentVerbs.Scale, new ScaleArguments(ImmutableSortedDictionary<string, int>.Empty.Add("web", count)));

    private Task RestartAsync(string target) => CallAsync<TargetArguments, UpResult>(AgentVerbs.Restart, new TargetArguments([target]));

    private Task ReleaseAsync() => CallAsync<ConfigArguments, ConfigResult>(
        AgentVerbs.Config, new ConfigArguments(ImmutableSortedDictionary<string, string?>.Empty.Add("RELEASED", $"{++_releases}")));

    private Task RollbackAsync() => CallAsync<RollbackArguments, UpResult>(AgentVerbs.Rollback, new RollbackArguments(null));

    private async Task UpgradeAsync()
    {
        var client = await AgentLauncher.UpgradeAsync((await AgentClient.FindAsync(rig.Folder))!, rig.Folder, Checkout.Ashlar);
        await client.DisposeAsync();
    }

    private async Task KillAgentAsync()
    {
        int pid;
        await using (var client = (await AgentClient.FindAsync(rig.Folder))!)
        {
            pid = client.AgentPid;
        }
        using (var agent = Process.GetProcessById(pid))
        {
            agent.Kill();
            await agent.WaitForExitAsync();
        }
        await rig.UpAsync();
    }

    private async Task CallAsync<TArguments, TResult>(string verb, TArguments arguments)
        where TResult : class
    {
        await using var client = (await AgentClient.FindAsync(rig.Folder))!;
        await client.CallAsync<TArguments, TResult>(verb, arguments);
    }
}
