using System.Globalization;
using System.Text.Json;
using Ashlar.Agent.Api;
using Ashlar.Agent.Machines.Rolling;
using Ashlar.Agent.Operations;
using Ashlar.Catalog;
using Ashlar.Catalog.Store;
using Ashlar.Errors;
using Ashlar.Fleet;

namespace Ashlar.Agent.Machines;

/// <summary>Has the machine that leads carry out what is ordered on another one, whoever leads by then.</summary>
internal sealed class OrderForwarding(FleetLink fleet, Rollout rollout, SourceOffers sources, IStore store)
{
    // The lease of a leader that is gone, which begins anew if etcd's leader is gone with it, and some seconds for an election.
    private static readonly TimeSpan TakeOver = TimeSpan.FromSeconds(30);
    private static readonly string UnreachableCode = FleetErrors.Unreachable("", "", "").Error.Code;

    /// <summary>Has the leader carry out an order. False: this machine leads.</summary>
    /// <param name="request">The order.</param>
    /// <param name="reply">Sends a frame.</param>
    /// <param name="resultOf">What an order gives (verb, release), if the leader dies and another carries it out.</param>
    /// <param name="cancellation">The client has gone: nobody is told any more; the order goes on.</param>
    /// <exception cref="AshlarException">
    /// What the leader refuses; ASH407x: the shared state cannot be reached; ASH7508: the leader cannot; ASH7512: nobody leads; ASH7531: the leader
    /// has gone before it had begun.
    /// </exception>
    public async Task<bool> ForwardAsync(AgentRequest request, Action<AgentReply> reply, Func<string, string, Task<JsonElement?>> resultOf, CancellationToken cancellation)
    {
        void Tell(string line) => reply(new AgentReply(AgentReplyKinds.Progress, line));
        var id = request.Id ?? Guid.NewGuid().ToString("N"); // It may come from a third machine, which waits for that one.
        AgentRequest? order = null;
        while (await LeaderAsync(Tell) is { } leader)
        {
            var term = fleet.View.Term;
            order ??= Offering(request, id) with { Id = id };
            try
            {
                await GiveAsync(leader, term, order, reply, cancellation);
                return true;
            }
            catch (AshlarException e) when (e.Error.Code == UnreachableCode && fleet.View.Term == term)
            {
                Tell(string.Create(CultureInfo.InvariantCulture, $"{leader.Name} leads and is not reached from here; waits for another to lead, {TakeOver.TotalSeconds:0} s at most."));
                if (!await AnotherLeadsAsync(term, () => false, cancellation))
                {
                    await RequireStateAsync(cancellation);
                    throw;
                }
            }
            catch (AshlarException e) when (e.Error.Code == UnreachableCode)
            {
                // Another leads already.
            }
            catch (IOException)
            {
                Tell($"{leader.Name} does not answer any more; what it had begun goes on.");
                var ended = await TakenOverAsync(id, request.Verb, leader.Name, term, Tell, cancellation);
                if (await resultOf(request.Verb, ended.Release) is { } result)
                {
                    reply(new AgentReply(AgentReplyKinds.Data, Data: result));
                }

                return true;
            }
        }

        return false;
    }

    /// <summary>The machine that leads; null: this one.</summary>
    private async Task<MachineRecord?> LeaderAsync(Action<string> tell)
    {
        if (fleet.IsDeaf)
        {
            tell(string.Create(CultureInfo.InvariantCulture, $"The shared state was last reached {fleet.Silence.TotalSeconds:0} s ago; asks once more."));
            await RequireStateAsync(CancellationToken.None);
        }

        if (fleet is { Leads: false, OtherLeader: null })
        {
            tell(string.Create(CultureInfo.InvariantCulture, $"No machine leads now; waits for one, {TakeOver.TotalSeconds:0} s at most."));
        }

        if (await fleet.LedAsync(TakeOver) && fleet.Leads)
        {
            return null;
        }

        return fleet.OtherLeader ?? throw FleetErrors.NoLeader();
    }

    /// <summary>Gives an order to the leader; over a third machine, where that one is reached and the leader is not.</summary>
    private async Task GiveAsync(MachineRecord leader, long term, AgentRequest order, Action<AgentReply> reply, CancellationToken cancellation)
    {
        try
        {
            await WhileItLeadsAsync(leader, term, over => PeerClient.ForwardAsync(fleet.Identity, leader, order, reply, over), cancellation);
        }
        catch (AshlarException e) when (e.Error.Code == UnreachableCode && !order.Relayed)
        {
            foreach (var other in fleet.View.Living.Select(report => fleet.View.Records[report.Name]).Where(record => record.Name != fleet.Own.Name && record.Name != leader.Name))
            {
                try
                {
                    await PeerClient.ForwardAsync(fleet.Identity, other, order with { Relayed = true }, reply, cancellation);
                    return;
                }
                catch (AshlarException unreached) when (unreached.Error.Code == UnreachableCode)
                {
                    // Nor this one.
                }
            }

            throw;
        }
    }

    // A machine that has lost power breaks no connection for a time, and one that sleeps none at all: that another leads tells as much.
    private async Task WhileItLeadsAsync(MachineRecord leader, long term, Func<CancellationToken, Task> ask, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var asking = ask(over.Token);
        for (var changed = fleet.Changed; !asking.IsCompleted && IsTerm(term); changed = fleet.Changed)
        {
            await Task.WhenAny(asking, changed);
        }

        if (!asking.IsCompleted)
        {
            await over.CancelAsync();
        }

        try
        {
            await asking;
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"{leader.Name} does not lead any more.", e);
        }
    }

    // The leader has another disk: it fetches from here what is to be brought up.
    private AgentRequest Offering(AgentRequest request, string order)
    {
        if (request.Verb != AgentVerbs.Up || request.Arguments.Deserialize(AgentJson.Default.UpArguments) is not { Machine: null } arguments)
        {
            return request;
        }

        sources.Offer(order, arguments.Path);
        return request with { Arguments = JsonSerializer.SerializeToElement(arguments with { Machine = fleet.Own.Name }, AgentJson.Default.UpArguments) };
    }

    /// <summary>Waits until another machine leads and has carried out what the former leader had begun.</summary>
    private async Task<EndedRoll> TakenOverAsync(string id, string verb, string leader, long term, Action<string> progress, CancellationToken cancellation)
    {
        await AnotherLeadsAsync(term, () => rollout.Machines!.Knows(id), cancellation);
        if (rollout.Machines!.Knows(id))
        {
            return await rollout.Machines.AttendAsync(id, verb, progress, cancellation);
        }

        await RequireStateAsync(cancellation);
        throw FleetErrors.OrderLost(verb, leader, fleet.View.Leader is { } next && next != leader ? next : null);
    }

    private async Task<bool> AnotherLeadsAsync(long term, Func<bool> isEnough, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(TakeOver);
        try
        {
            for (var changed = fleet.Changed; !isEnough() && IsTerm(term); changed = fleet.Changed)
            {
                await changed.WaitAsync(patience.Token);
            }

            return true;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    private bool IsTerm(long term) => fleet.View.Term is var now && (now == term || now == 0);

    // Without a majority no other can be elected: then what etcd says is the reason.
    private async Task RequireStateAsync(CancellationToken cancellation) => await store.CommitAsync(new StoreTransaction([], []), cancellation);
}
