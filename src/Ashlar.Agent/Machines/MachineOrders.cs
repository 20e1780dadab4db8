using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Operations;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Catalog.Store;
using Ashlar.Errors;
using Ashlar.Fleet;
using Ashlar.Processes;

namespace Ashlar.Agent.Machines;

/// <summary>The orders that are about machines. Where there is no fleet, the stack stands on this one.</summary>
internal sealed class MachineOrders(
    AgentLoop loop, Supervisor supervisor, FleetLink? fleet, Admittance? admittance, Rollout rollout, Action<MachinePart?> take, Upgrade upgrade, IStore store, AgentOptions options)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Has the leader carry out an order. False: this machine leads, or is the only one.</summary>
    /// <exception cref="AshlarException">What the leader refuses; ASH7508: it cannot be reached; ASH7512: nobody leads.</exception>
    public async Task<bool> ForwardAsync(AgentRequest request, Action<AgentReply> reply, CancellationToken cancellation)
    {
        if (fleet is null || (await fleet.LedAsync(Patience) && fleet.Leads))
        {
            return false;
        }

        var leader = fleet.OtherLeader ?? throw FleetErrors.NoLeader();
        await PeerClient.ForwardAsync(fleet.Identity, leader, request, reply, cancellation);
        return true;
    }

    /// <summary>The machines as they are.</summary>
    public MachinesResult List() => fleet is null ? new MachinesResult([]) : new MachinesResult(
    [
        .. fleet.View.Records.Values.Select(record =>
        {
            var report = fleet.View.Reports.GetValueOrDefault(record.Name);
            var takes = record.Admission switch
            {
                Fleet.Placement.Admission.Closed => ", cordoned",
                Fleet.Placement.Admission.Leaving => ", drained",
                _ => "",
            };
            return new MachineLine(
                record.Name, record.Address, (report is null ? "silent" : "alive") + takes, fleet.View.Leader == record.Name, report?.Instances.Length ?? 0,
                record.Memory, record.Cores, report?.ProgramVersion ?? "") { PeerPort = record.PeerPort };
        }),
    ]);

    /// <summary>Makes a token; makes the stack one of many machines first where it is not. Then it does not return: the agent starts anew.</summary>
    public async Task<TokenResult> TokenAsync(FoundArguments arguments, Action<string> tell)
    {
        if (admittance is not null)
        {
            return new TokenResult(await admittance.GiveTokenAsync());
        }

        if (rollout.State is not { Release.Length: > 0, Down: false })
        {
            throw FleetErrors.NothingRuns();
        }

        tell("This machine becomes the first of several: its state moves to etcd.");
        var etcd = ServiceUser.OfEngines(options).TryGetValue(Engines.Etcd.EtcdTier.Tier, out var name) ? SystemUsers.Find(name) : null;
        var stack = await loop.AskAsync(() => supervisor.View.Target.Stack.Name);
        var file = await Founding.PrepareAsync(arguments, stack, options.State, store, etcd, options.Time);
        take(new MachinePart(file.Name, null, file.Member));
        try
        {
            await rollout.RaiseStateAsync();
        }
        catch (AshlarException)
        {
            take(null);
            await rollout.FollowAsync();
            throw;
        }

        file.Save(options.State.MachineFile);
        await loop.InvokeAsync(async () =>
        {
            await Founding.KeepInstancesAsync(store, options.State, options.Time);
            return true;
        });
        await upgrade.RunAsync(options.Program);
        throw FleetErrors.NoLeader();
    }
}
