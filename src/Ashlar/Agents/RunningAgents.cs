using System.Text.Json;
using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog;

namespace Ashlar.Agents;

/// <summary>The agents that run on this machine, each behind the socket in its stack's folder.</summary>
/// <param name="program">Absolute path of this program: what an agent is started from.</param>
internal sealed class RunningAgents(string program) : IAgents
{
    /// <inheritdoc />
    public async Task<IAgentSession?> FindAsync(string stackFolder, CancellationToken cancellation) =>
        await AgentClient.FindAsync(stackFolder, cancellation) is { } client ? new Session(client) : null;

    /// <inheritdoc />
    public async Task<IAgentSession> EnsureRunningAsync(string stackFolder, Action<string> progress, CancellationToken cancellation) =>
        new Session(await AgentLauncher.EnsureRunningAsync(stackFolder, program, progress, cancellation));

    private sealed class Session(AgentClient client) : IAgentSession
    {
        public IAsyncEnumerable<AgentReply> SendAsync(string verb, JsonElement arguments, CancellationToken cancellation) =>
            client.SendAsync(verb, arguments, cancellation);

        public Task EndedAsync(CancellationToken cancellation) => client.EndedAsync(cancellation);

        public ValueTask DisposeAsync() => client.DisposeAsync();
    }
}
