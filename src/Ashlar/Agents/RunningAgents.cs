namespace Ashlar.Agents;

/// <summary>The agents that run on this machine, each behind the socket in its stack's folder.</summary>
internal sealed class RunningAgents : IAgents
{
    /// <inheritdoc />
    public Task<IAgentSession?> FindAsync(string stackFolder, CancellationToken cancellation) => Task.FromResult<IAgentSession?>(null);

    /// <inheritdoc />
    public Task<IAgentSession> EnsureRunningAsync(string stackFolder, CancellationToken cancellation) =>
        throw CliErrors.NotRunning(stackFolder);
}
