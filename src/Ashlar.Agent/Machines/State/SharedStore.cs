using Ashlar.Agent.Hosting;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog.Etcd;
using Ashlar.Catalog.Store;
using Ashlar.Errors;
using Ashlar.Fleet.Identity;

namespace Ashlar.Agent.Machines;

/// <summary>Opens what holds the stack's state: a file on one machine, etcd on many.</summary>
internal static class SharedStore
{
    private static readonly TimeSpan MovePatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(500);

    /// <summary>What etcd is asked with.</summary>
    public static EtcdOptions Options(MachineFile machine, MachineIdentity identity, TimeProvider time) => new()
    {
        Endpoints = machine.Endpoints,
        Prefix = $"ashlar/{machine.Stack}/",
        Tls = EtcdTls.Load(identity.AuthorityPath, identity.CertificatePath, identity.KeyPath) with { Renewed = () => identity.Certificate },
        Time = time,
    };

    /// <summary>The store of a machine among others; a file that is still the state is moved first.</summary>
    /// <exception cref="AshlarException">ASH4060 to ASH4080: the state cannot be moved.</exception>
    public static async Task<MirroredStore> OpenAsync(EtcdStore etcd, MachineFile machine, StateFolder state, IStore own, AgentLog log, TimeProvider time)
    {
        // Only the first member begins with what was in the file; the others get theirs from it.
        if (machine.Member is { Joins: false, Restore: null } && File.Exists(state.Store) && StoreMove.TargetOf(state.Store) is null)
        {
            var moved = await MoveAsync(state.Store, etcd, time);
            await ForgetInstancesAsync(etcd);
            log.Info(LogEvent.Machine, $"the state was moved to {moved.Target}: {moved.Keys} keys");
        }

        var store = new MirroredStore(etcd, own, Keys.ActualStates, Keys.Candidates, Keys.Leases, Keys.Authority, Keys.HopAuthority);
        await store.BeginFromCopyAsync(Keys.Orders);
        return store;
    }

    // What was started here is this machine's own affair, and it has it in its own store since before.
    private static async Task ForgetInstancesAsync(EtcdStore etcd)
    {
        foreach (var prefix in InstanceTable.Prefixes)
        {
            foreach (var entry in (await etcd.ListAsync(prefix)).Entries)
            {
                await etcd.DeleteAsync(entry.Key);
            }
        }
    }

    // etcd has just been started, or runs since before this agent.
    private static async Task<StoreMoveReport> MoveAsync(string path, EtcdStore etcd, TimeProvider time)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await StoreMove.RunAsync(path, etcd);
            }
            catch (AshlarException e) when (e.Error.Code is "ASH4070" or "ASH4071" && time.GetElapsedTime(began) < MovePatience)
            {
                await Task.Delay(Between, time);
            }
        }
    }
}
