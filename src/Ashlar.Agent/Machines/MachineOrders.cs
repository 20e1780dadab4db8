using System.Text.Json;
using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Operations;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Catalog.Store;
using Ashlar.Errors;
using Ashlar.Fleet;
using Ashlar.Fleet.Placement;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Agent.Machines;

/// <summary>The orders that are about machines. Where there is no fleet, the stack stands on this one.</summary>
internal sealed class MachineOrders(
    AgentLoop loop, Supervisor supervisor, FleetLink? fleet, Admittance? admittance, MachineChanges? changes, Rollout rollout, Action<MachinePart?> take, Upgrade upgrade, SourceOffers sources, IStore store, SystemUser? user, AgentOptions options)
{
    private readonly OrderForwarding? _forwarding = fleet is null ? null : new OrderForwarding(fleet, rollout, sources, store);

    /// <inheritdoc cref="OrderForwarding.ForwardAsync"/>
    public Task<bool> ForwardAsync(AgentRequest request, Action<AgentReply> reply, Func<string, string, Task<JsonElement?>> resultOf, CancellationToken cancellation) =>
        _forwarding?.ForwardAsync(request, reply, resultOf, cancellation) ?? Task.FromResult(false);

    /// <summary>The app that an order is about: what it is made of, in the folder where it lies while <paramref name="use"/> has it.</summary>
    /// <param name="arguments">The order's.</param>
    /// <param name="order">What it is known by on the machine where it was given.</param>
    /// <param name="tell">Told what happens.</param>
    /// <param name="use">Makes a release of it.</param>
    /// <exception cref="AshlarException">ASH10xx; ASH7524: it does not come from that machine.</exception>
    public async Task<T> WithSourcesAsync<T>(UpArguments arguments, string? order, Action<string> tell, Func<StackDefinition, string, Task<T>> use)
    {
        if (fleet is null || arguments.Machine is not { } machine || machine == fleet.Own.Name)
        {
            var own = StackLoader.Load(arguments.Path).Require();
            return await use(own, own.Directory);
        }

        var from = fleet.View.Records.GetValueOrDefault(machine) ?? throw FleetErrors.Unknown(machine, [.. fleet.View.Records.Keys]);
        var folder = Path.Combine(options.State.Sources, from.Name);
        tell($"{fleet.Own.Name} leads, and gets the app's files from {machine}");
        var stack = await SourceOffers.FetchAsync(fleet.Identity, from, order ?? "", folder, supervisor.TakenDown);
        try
        {
            return await use(stack with { Directory = options.StackFolder }, folder);
        }
        finally
        {
            SourceOffers.TryRemove(folder); // What is needed of it is in the release.
        }
    }

    /// <summary>The machines as they are, and those that are to join.</summary>
    public async Task<MachinesResult> ListAsync() =>
        MachineList.Of(fleet, await loop.AskAsync(() => supervisor.View.Target.Stack.Machines), options.Time.GetUtcNow()) with
        {
            State = fleet is null ? "" : StateCare.Spare(fleet.View.State, fleet.View.Records.Count),
        };

    /// <summary>Carries out an order about a machine.</summary>
    /// <exception cref="AshlarException">ASH7518 to ASH7522.</exception>
    public async Task ChangeAsync(string verb, MachineArguments arguments, Action<string> tell, CancellationToken cancellation)
    {
        var machines = changes ?? throw FleetErrors.Unknown(arguments.Name, []);
        switch (verb)
        {
            case AgentVerbs.Label:
                var named = await loop.AskAsync(() => supervisor.View.Target.Stack.Machines.GetValueOrDefault(arguments.Name));
                await machines.LabelAsync(arguments.Name, arguments.Labels, named?.Labels ?? []);
                break;
            case AgentVerbs.Remove:
                await machines.RemoveAsync(arguments.Name, arguments.Force, tell, cancellation);
                break;
            default:
                await machines.AdmitAsync(arguments.Name, verb switch { AgentVerbs.Cordon => Admission.Closed, AgentVerbs.Uncordon => Admission.Open, _ => Admission.Leaving });
                break;
        }
    }

    /// <summary>Waits until a machine is drained.</summary>
    /// <exception cref="AshlarException">ASH7522.</exception>
    public Task DrainedAsync(string name, Action<string> tell, CancellationToken cancellation) => changes!.DrainedAsync(name, tell, cancellation);

    /// <summary>Says what has to move for the instances to be spread anew, and has it move; a stack on one machine has nothing to.</summary>
    /// <exception cref="AshlarException">ASH7512, ASH7532.</exception>
    public async Task<RebalanceResult> RebalanceAsync(RebalanceArguments arguments) => fleet is null
        ? new RebalanceResult([])
        : new RebalanceResult([.. (await Rebalancing.PlaceAsync(fleet, await loop.AskAsync(() => supervisor.View.Target), arguments.DryRun)).Select(move => new MoveLine(move.Instance, move.From, move.To))]);

    /// <summary>Waits until it has moved.</summary>
    /// <exception cref="AshlarException">What does not become healthy there.</exception>
    public Task MovedAsync(RebalanceResult result, Action<string> tell, CancellationToken cancellation) => fleet is null
        ? Task.CompletedTask
        : Rebalancing.MovedAsync(fleet, [.. result.Moves.Select(move => new PlacementMove(move.Instance, move.From, move.To))], tell, cancellation);

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

        var stack = await loop.AskAsync(() => supervisor.View.Target.Stack.Name);
        var file = await Founding.PrepareAsync(arguments, stack, options.State, store, StateHere.UserOf(options, user), options.Time);
        tell("This machine becomes the first of several: its state moves to etcd.");
        take(new MachinePart(file.Name, null, file.Member));
        try
        {
            await rollout.RaiseStateAsync();
        }
        catch (AshlarException)
        {
            take(null);
            await rollout.ResumeAsync();
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
