using Ashlar.Agent.Api;
using Ashlar.Errors;
using Ashlar.Output;

namespace Ashlar.Agents;

/// <summary>Brings a stack up; if that fails and the agent was started only for it, nothing is left running.</summary>
internal sealed class StackLaunch
{
    private readonly IAgents _agents;
    private readonly string _folder;
    private readonly bool _startedAgent;

    private StackLaunch(IAgents agents, string folder, bool startedAgent, IAgentSession agent) =>
        (_agents, _folder, _startedAgent, Agent) = (agents, folder, startedAgent, agent);

    /// <summary>The agent.</summary>
    public IAgentSession Agent { get; }

    /// <summary>Sees to it that an agent of this program's version runs.</summary>
    public static async Task<StackLaunch> BeginAsync(IAgents agents, string folder, Action<string> progress, CancellationToken cancellation)
    {
        var there = await agents.FindAsync(folder, cancellation);
        if (there is not null) await there.DisposeAsync();
        return new StackLaunch(agents, folder, there is null, await agents.EnsureRunningAsync(folder, progress, cancellation));
    }

    /// <summary>Sends <c>up</c>.</summary>
    public async Task<UpResult> UpAsync(UpArguments arguments, Action<string> progress, CancellationToken cancellation) =>
        await Agent.AskAsync(AgentVerbs.Up, arguments, CliJson.Default.UpArguments, CliJson.Default.UpResult, progress, cancellation)
            ?? throw CliErrors.ConnectionLost(AgentVerbs.Up);

    /// <summary>After a failure: ends the agent again if it runs for nothing, because it was started by us and no release stands.</summary>
    public async Task UndoAsync(CancellationToken cancellation)
    {
        if (!_startedAgent) return;
        try
        {
            if (await TryStatusAsync(_agents, _folder, cancellation) is not { Release: "" }) return;
            if (await _agents.FindAsync(_folder, cancellation) is not { } agent) return;
            await using (agent) await agent.DownAsync(now: false, null, cancellation);
        }
        catch (AshlarException)
        {
            // What failed before is the error to show.
        }
    }

    /// <summary>The state of a stack; null if its agent does not say.</summary>
    public static async Task<StatusReport?> TryStatusAsync(IAgents agents, string folder, CancellationToken cancellation)
    {
        try
        {
            if (await agents.FindAsync(folder, cancellation) is not { } agent) return null;
            await using (agent) return await agent.StatusAsync(cancellation);
        }
        catch (AshlarException)
        {
            return null;
        }
    }
}
