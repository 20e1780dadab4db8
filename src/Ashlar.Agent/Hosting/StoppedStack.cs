using System.Collections.Immutable;
using Ashlar.Agent.Api;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Operations;
using Ashlar.Agent.Publishing;
using Ashlar.Agent.Reconciling;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Catalog.Store;
using Ashlar.Delivery.Releases;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Agent.Hosting;

/// <summary>
/// What a stack keeps, while no agent runs for it: config vars, releases and what was started. Whoever has it open holds the agent's lock, so two
/// never write at once, and an agent that is started meanwhile waits.
/// </summary>
public sealed class StoppedStack : IAsyncDisposable
{
    private readonly AgentLock _taken;
    private readonly SqliteStore _store;
    private readonly StateOrders _state;
    private readonly ProcessLauncher _launcher;
    private readonly ReleaseStore _releases;

    private StoppedStack(AgentLock taken, SqliteStore store, StateFolder state, TimeProvider time)
    {
        (_taken, _store) = (taken, store);
        _state = new StateOrders(null, null, null, store, state, time);
        _launcher = new ProcessLauncher(Path.GetFileName(Path.GetDirectoryName(state.Path))!, time);
        _releases = new ReleaseStore(state.Path, store, _launcher, time);
    }

    /// <summary>Opens it; null if an agent or another command has it at this moment.</summary>
    /// <param name="stackFolder">Real path of the folder that holds the stack file.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="Errors.AshlarException">ASH4004: its folder cannot be used. ASH406x: its store cannot.</exception>
    public static StoppedStack? TryOpen(string stackFolder, TimeProvider? time = null) =>
        TryOpen(StateFolder.Of(stackFolder), time ?? TimeProvider.System);

    private static StoppedStack? TryOpen(StateFolder state, TimeProvider time)
    {
        if (MachineFile.Load(state.MachineFile) is { } machine)
        {
            throw CatalogErrors.StoreMoved(state.Store, $"etcd of {machine.Stack}");
        }

        state.CreateForStore();
        if (AgentLock.TryTake(state.LockFile) is not { } taken)
        {
            return null;
        }

        try
        {
            return new StoppedStack(taken, SqliteStore.Open(state.Store, time), state, time);
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <summary>
    /// What <see cref="AgentVerbs.Plan"/> is to a running agent; null if an agent or another command has the stack at this moment. A stack
    /// that keeps nothing yet is planned in a folder that is removed again.
    /// </summary>
    /// <param name="stackFolder">Real path of the folder that holds the stack file.</param>
    /// <param name="arguments">The stack file, and the program that would bring it up.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="Errors.AshlarException">What <c>up</c> would refuse before it begins. ASH4004, ASH406x.</exception>
    public static async Task<PlanResult?> PlanAsync(string stackFolder, UpArguments arguments, TimeProvider? time = null)
    {
        var options = new AgentOptions { StackFolder = stackFolder, Program = arguments.Program ?? Environment.ProcessPath!, Time = time ?? TimeProvider.System };
        if (File.Exists(options.State.Store))
        {
            if (TryOpen(stackFolder, time) is not { } stack)
            {
                return null;
            }

            await using (stack)
            {
                return await stack.PlanAsync(options, arguments);
            }
        }

        var scratch = Directory.CreateTempSubdirectory("ashlar-plan-");
        try
        {
            await using var stack = TryOpen(new StateFolder(scratch.FullName), options.Time)!;
            return await stack.PlanAsync(options, arguments);
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private async Task<PlanResult> PlanAsync(AgentOptions options, UpArguments arguments)
    {
        var definition = StackLoader.Load(arguments.Path).Require();
        var table = new InstanceTable(_store);
        var desired = new DesiredStore(_store);
        var kept = new KeptNeeds(_store, new PortAllocator());
        await table.LoadAsync();
        await desired.LoadAsync();
        await kept.LoadAsync();

        // What an agent that was killed has left running would be taken over, and the sockets with it.
        ObservedInstance[] left = [.. table.All.Where(o => o.Process is { } process && process.IsRunning())];
        using var listeners = new Listeners(kept, new AgentLog(TextWriter.Null, options.Time));
        if (left.Length == 0)
        {
            listeners.RequireFree(definition);
        }

        var preview = await _releases.PreviewAsync(definition, await _releases.GetConfigVarsAsync());
        var user = ServiceUser.Choose(options, definition, left.Length > 0);
        var planner = new Planner(options, ProgramIdentity.Of(options.Program), user?.Name, ServiceUser.OfEngines(options));
        var target = planner.Plan(preview.Release, UpPreview.Next(desired.State, preview.Release), listeners.Preview(definition), kept);
        return new PlanResult(UpPreview.Steps(preview, target.Instances, left));
    }

    /// <summary>What <see cref="AgentVerbs.Config"/> is to a running agent: changes are kept for the next <c>up</c>.</summary>
    /// <param name="stackFolder">Folder that holds the stack file.</param>
    /// <param name="arguments">The changes.</param>
    /// <exception cref="Errors.AshlarException">ASH5009, ASH5010.</exception>
    public async Task<ConfigResult> ConfigAsync(string stackFolder, ConfigArguments arguments)
    {
        var kept = !arguments.Changes.IsEmpty && await _releases.KeepAsync(arguments.Changes);
        return new ConfigResult(await _releases.GetConfigVarsAsync(), null, kept)
        {
            Warnings = arguments.Changes.IsEmpty ? [] : Orders.Hidden(StackLoader.Load(stackFolder).Stack, arguments, ImmutableSortedDictionary<string, string>.Empty),
        };
    }

    /// <summary>What <see cref="AgentVerbs.Releases"/> is to a running agent.</summary>
    public async Task<ReleasesResult> ReleasesAsync() => new([.. (await _releases.ListAsync()).Select(ReleaseReports.Of)]);

    /// <summary>What <see cref="AgentVerbs.State"/> is to a running agent.</summary>
    public Task<StateResult> StateAsync(CancellationToken cancellation) => _state.ReportAsync(cancellation);

    /// <summary>What <see cref="AgentVerbs.StateBackup"/> is to a running agent.</summary>
    /// <exception cref="Errors.AshlarException">ASH7133, ASH7138.</exception>
    public Task<StateBackupResult> BackupStateAsync(StateFileArguments arguments, CancellationToken cancellation) => _state.BackupAsync(arguments, cancellation);

    /// <summary>
    /// Pids of what an agent that was killed has left running on this machine, one an instance; the next agent takes them over. Null if an
    /// agent or another command has the stack at this moment.
    /// </summary>
    /// <param name="stackFolder">Real path of the folder that holds the stack file.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="Errors.AshlarException">ASH406x: its store cannot be used.</exception>
    public static async Task<ImmutableArray<int>?> LeftRunningAsync(string stackFolder, TimeProvider? time = null)
    {
        var state = StateFolder.Of(stackFolder);

        // A machine among others keeps what it has started in a store of its own.
        var path = File.Exists(state.MachineFile) ? state.MachineStore : state.Store;
        if (!File.Exists(path))
        {
            return [];
        }

        using var taken = AgentLock.TryTake(state.LockFile);
        if (taken is null)
        {
            return null;
        }

        await using var store = SqliteStore.Open(path, time ?? TimeProvider.System);
        var table = new InstanceTable(store);
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
