using System.Collections.Immutable;
using Ashlar.Agent.Api;
using Ashlar.Agent.Operations;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog.Store;
using Ashlar.Delivery.Releases;
using Ashlar.Processes;

namespace Ashlar.Agent.Hosting;

/// <summary>
/// What a stack keeps, while no agent runs for it: config vars, releases and what was started. Whoever has it open holds the agent's lock, so two
/// never write at once, and an agent that is started meanwhile waits.
/// </summary>
public sealed class StoppedStack : IAsyncDisposable
{
    private readonly AgentLock _taken;
    private readonly SqliteStore _store;
    private readonly ProcessLauncher _launcher;
    private readonly ReleaseStore _releases;

    private StoppedStack(AgentLock taken, SqliteStore store, StateFolder state, TimeProvider time)
    {
        (_taken, _store) = (taken, store);
        _launcher = new ProcessLauncher(Path.GetFileName(Path.GetDirectoryName(state.Path))!, time);
        _releases = new ReleaseStore(state.Path, store, _launcher, time);
    }

    /// <summary>Opens it; null if an agent or another command has it at this moment.</summary>
    /// <param name="stackFolder">Real path of the folder that holds the stack file.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="Errors.AshlarException">ASH4004: its folder cannot be used. ASH406x: its store cannot.</exception>
    public static StoppedStack? TryOpen(string stackFolder, TimeProvider? time = null)
    {
        var state = StateFolder.Of(stackFolder);
        state.CreateForStore();
        if (AgentLock.TryTake(state.LockFile) is not { } taken)
        {
            return null;
        }

        try
        {
            return new StoppedStack(taken, SqliteStore.Open(state.Store, time ?? TimeProvider.System), state, time ?? TimeProvider.System);
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <summary>What <see cref="AgentVerbs.Config"/> is to a running agent: changes are kept for the next <c>up</c>.</summary>
    /// <exception cref="Errors.AshlarException">ASH5009, ASH5010.</exception>
    public async Task<ConfigResult> ConfigAsync(ConfigArguments arguments)
    {
        var kept = !arguments.Changes.IsEmpty && await _releases.KeepAsync(arguments.Changes);
        return new ConfigResult(await _releases.GetConfigVarsAsync(), null, kept);
    }

    /// <summary>What <see cref="AgentVerbs.Releases"/> is to a running agent.</summary>
    public async Task<ReleasesResult> ReleasesAsync() => new([.. (await _releases.ListAsync()).Select(ReleaseReports.Of)]);

    /// <summary>Pids of what an agent that was killed has left running, one an instance; the next agent takes them over.</summary>
    public async Task<ImmutableArray<int>> LeftRunningAsync()
    {
        var table = new InstanceTable(_store);
        await table.LoadAsync();
        return [.. table.All.Select(o => o.Process).OfType<ProcessIdentity>().Where(process => process.IsRunning()).Select(process => process.Pid)];
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _releases.Dispose();
        _launcher.Dispose();
        await _store.DisposeAsync();
        _taken.Dispose();
    }
}
