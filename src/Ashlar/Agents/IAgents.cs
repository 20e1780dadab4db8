using System.Text.Json;
using Ashlar.Catalog;

namespace Ashlar.Agents;

/// <summary>The way to the agent of a stack. Tests stand a fake agent behind it.</summary>
internal interface IAgents
{
    /// <summary>The agent that runs for the stack of a folder; null if none does.</summary>
    Task<IAgentSession?> FindAsync(string stackFolder, CancellationToken cancellation);

    /// <summary>The agent of a stack, started if there is none, and brought to this program's version if it runs another.</summary>
    Task<IAgentSession> EnsureRunningAsync(string stackFolder, Action<string> progress, CancellationToken cancellation);
}

/// <summary>A conversation with an agent.</summary>
internal interface IAgentSession : IAsyncDisposable
{
    /// <summary>Sends one request and gives the frames of its answer, the last of which is <c>done</c> or <c>error</c>.</summary>
    IAsyncEnumerable<AgentReply> SendAsync(string verb, JsonElement arguments, CancellationToken cancellation);

    /// <summary>Completes when the agent's process has ended, which it does a moment after it has answered <c>down</c>.</summary>
    Task EndedAsync(CancellationToken cancellation);
}
