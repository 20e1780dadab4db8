using Ashlar.Agent;
using Ashlar.Agent.Api;
using Ashlar.Catalog;
using Ashlar.Errors;

namespace Ashlar.Agents;

/// <summary>Brings a stack up; if that fails and the agent was started only for it, nothing is left running.</summary>
internal sealed class StackLaunch
{
    private readonly IAgents _agents;
    private readonly string _folder;
    private readonly bool _startedAgent;
    private readonly bool _firstRelease;

    private StackLaunch(IAgents agents, string folder, bool startedAgent, StatusReport? begun, IAgentSession agent)
    {
        (_agents, _folder, _startedAgent, Agent) = (agents, folder, startedAgent, agent);
        _firstRelease = begun is { Release: "" };
        RanBefore = !startedAgent || begun is { SomethingRuns: true };
    }

    /// <summary>The agent.</summary>
    public IAgentSession Agent { get; }

    /// <summary>True: the stack was there before this command, so it is not this command's to stop.</summary>
    public bool RanBefore { get; }

    /// <summary>Sees to it that an agent of this program's version runs.</summary>
    public static async Task<StackLaunch> BeginAsync(IAgents agents, string folder, Action<string> progress, CancellationToken cancellation)
    {
        var there = await agents.FindAsync(folder, cancellation);
        if (there is not null) await there.DisposeAsync();
        var agent = await agents.EnsureRunningAsync(folder, progress, cancellation);
        var begun = there is null ? await TryStatusAsync(agents, folder, cancellation) : null;
        return new StackLaunch(agents, folder, there is null, begun, agent);
    }

    /// <summary>Sends <c>up</c>.</summary>
    public async Task<UpResult> UpAsync(UpArguments arguments, Action<string> progress, CancellationToken cancellation) =>
        await Agent.AskAsync(AgentVerbs.Up, arguments, AgentJson.Default.UpArguments, AgentJson.Default.UpResult, progress, cancellation)
            ?? throw AgentErrors.ConnectionLost(AgentVerbs.Up);

    /// <summary>After a failed <c>up</c>: ends the stack again if this was its first release, and an agent that we started and that supervises nothing.</summary>
    public async Task UndoAsync(CancellationToken cancellation)
    {
        if (!_startedAgent) return;
        try
        {
            if (!_firstRelease && await TryStatusAsync(_agents, _folder, cancellation) is { } report && report.SomethingRuns) return;
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
