using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;
using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog;
using Ashlar.Catalog.Etcd;
using Ashlar.Catalog.Store;
using Ashlar.Engines.Etcd;
using Ashlar.Errors;
using Ashlar.Fleet.Liveness;

namespace Ashlar.Agent.Machines;

/// <summary>
/// The leader's part in holding the state: looks who is a member of etcd and who is to be, takes one step after another, and tells machines
/// that are silent where the state is.
/// </summary>
internal sealed class StateKeeper(FleetLink fleet, MirroredStore store, EtcdOptions options, AgentLog log) : IDisposable
{
    private static readonly string NotCaughtUpCode = EtcdErrors.NotCaughtUp("", TimeSpan.Zero).Error.Code;
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenTelling = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenCare = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BetweenWarnings = TimeSpan.FromHours(1);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);
    private readonly EtcdMembership _membership = new(options);
    private ImmutableArray<Uri> _asked = options.Endpoints;
    private readonly Dictionary<string, long> _warned = new(StringComparer.Ordinal);
    private string _said = "";

    /// <summary>Keeps the members as they are to be while this machine leads, for ever.</summary>
    public async Task KeepAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var changed = fleet.Changed;
            var rests = !fleet.Leads || await PassAsync(cancellation);
            await Task.Delay(Between, cancellation);
            await Task.WhenAny(changed, Task.Delay(rests ? Idle : Between, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Tells silent machines where the state is while this machine leads, for ever: what they know may be past.</summary>
    public async Task TellAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (fleet is { Leads: true, View.State: { } record } && record.Epoch == fleet.Own.Epoch)
            {
                await TellSilentAsync(record, cancellation);
            }

            await Task.Delay(BetweenTelling, cancellation);
        }
    }

    /// <summary>Keeps room in etcd while this machine leads, for ever, and warns where there is none.</summary>
    public async Task CareAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await Task.Delay(BetweenCare, cancellation);
            if (fleet is { Leads: true, View.State: { } record } && record.Epoch == fleet.Own.Epoch)
            {
                await CareAsync(record, cancellation);
            }
        }
    }

    /// <inheritdoc />
    public void Dispose() => _membership.Dispose();

    /// <summary>One step. True: nothing is left to be done.</summary>
    private async Task<bool> PassAsync(CancellationToken cancellation)
    {
        if (await store.GetAsync(Keys.State, cancellation) is not { } entry || store.IsCutOff
            || JsonSerializer.Deserialize(entry.Value.Span, MachineJson.Default.StateRecord) is not { } record || record.Epoch != fleet.Own.Epoch)
        {
            return false;
        }

        if (!fleet.Own.Endpoints.SequenceEqual(_asked))
        {
            _asked = fleet.Own.Endpoints;
            _membership.UseEndpoints(_asked);
        }

        var view = fleet.View;
        var verdict = FleetPlacement.Judge(view, Stopwatch.GetTimestamp());
        StateMachine[] machines = [.. view.Records.Values.Where(machine => !machine.Going).Select(machine => new StateMachine(machine.Name, machine.Joined, machine.Admission, Health(view, verdict, machine.Name)))];
        try
        {
            var step = StateMembers.Next(machines, await _membership.ListAsync(cancellation), record, verdict.Frozen);
            await TakeAsync(step, record, entry.ModRevision, cancellation);
            return step is StateStep.None;
        }
        catch (AshlarException e)
        {
            // It is tried again: etcd changes its members only while it reaches them all, and gives a vote to none that has not caught up.
            Say(e.Error.Code == NotCaughtUpCode ? "the new one is catching up" : e.Error.Message);
            return false;
        }
    }

    // One that has not told anything yet since it joined or since this agent began is not there.
    private static MachineHealth Health(FleetView view, LivenessVerdict verdict, string machine) =>
        verdict.Health[machine] is var health && health == MachineHealth.Alive && !view.Reports.ContainsKey(machine) ? MachineHealth.Suspect : health;

    private async Task TakeAsync(StateStep step, StateRecord record, long revision, CancellationToken cancellation)
    {
        switch (step)
        {
            case StateStep.Tell tell:
                await WriteAsync(tell.Record, revision, cancellation);
                break;
            case StateStep.Add add:
                var place = StateHere.Place(fleet.View.Records[add.Machine], record.Last + 1);
                var cluster = await _membership.AddAsync(new EtcdPeer(add.Machine, place.Peer), cancellation);
                log.Info(LogEvent.Machine, $"{add.Machine} gets a member of etcd, etcd.{place.Index}");
                await WriteAsync(record.With(add.Machine, place with { Cluster = cluster }), revision, cancellation);
                break;
            case StateStep.Promote promote:
                await _membership.PromoteAsync(new EtcdPeer(promote.Machine, record.Members[promote.Machine].Peer), TimeSpan.Zero, cancellation);
                log.Info(LogEvent.Machine, $"the member of etcd on {promote.Machine} has its vote");
                break;
            case StateStep.Remove remove:
                log.Info(LogEvent.Machine, $"{remove.Machine} is no member of etcd any more");
                await _membership.RemoveAsync(remove.Id, remove.Machine, cancellation);
                break;
        }
    }

    private async Task WriteAsync(StateRecord record, long revision, CancellationToken cancellation) => await fleet.LeadersStore.CommitAsync(
        new StoreTransaction([new StoreCondition(Keys.State, ModRevision: revision)], [StoreExtensions.Put(Keys.State, record, MachineJson.Default.StateRecord)]), cancellation);

    private async Task TellSilentAsync(StateRecord record, CancellationToken cancellation)
    {
        var view = fleet.View;
        MachineRecord[] silent = [.. view.Records.Values.Where(machine => machine.Name != fleet.Own.Name && !view.Reports.ContainsKey(machine.Name))];
        await Task.WhenAll(silent.Select(async machine =>
        {
            try
            {
                var told = JsonSerializer.SerializeToElement(new StateTold(record.Epoch, record.EndpointsFor(machine.Name)), AgentJson.Default.StateTold);
                await PeerClient.ForwardAsync(fleet.Identity, machine, new AgentRequest(AgentVerbs.StateTold, told), _ => { }, cancellation);
            }
            catch (Exception e) when (e is AshlarException or IOException or System.Security.Authentication.AuthenticationException)
            {
                // It is not there, or begins anew; it is told again.
            }
        }));
    }

    private async Task CareAsync(StateRecord record, CancellationToken cancellation)
    {
        var ask = options with { Endpoints = fleet.Own.Endpoints };
        var before = await StatusesAsync(ask, record, cancellation);
        if (StateCare.NeedsRoom([.. before.Values], EtcdMember.DefaultQuota))
        {
            log.Warning(LogEvent.Machine, "etcd's space is running out: what is past is forgotten, and what is not in use given back");
            await EtcdMaintenance.MakeRoomAsync(ask, [.. before.OrderBy(member => member.Value.IsLeader).Select(member => record.Members[member.Key].Client)], EtcdMember.DefaultQuota, cancellation);
            before = await StatusesAsync(ask, record, cancellation);
        }

        foreach (var error in before.SelectMany(member => StateCare.Warnings(member.Key, member.Value, EtcdMember.DefaultQuota)))
        {
            Warn(error);
        }
    }

    private static async Task<ImmutableSortedDictionary<string, EtcdMemberStatus>> StatusesAsync(EtcdOptions ask, StateRecord record, CancellationToken cancellation)
    {
        var found = ImmutableSortedDictionary<string, EtcdMemberStatus>.Empty;
        foreach (var (machine, member) in record.Members)
        {
            try
            {
                found = found.Add(machine, await EtcdMaintenance.StatusAsync(ask, member.Client, cancellation));
            }
            catch (AshlarException)
            {
                // One that does not answer has nothing to give back now.
            }
        }

        return found;
    }

    // The same trouble is told again after an hour.
    private void Warn(AshlarError error)
    {
        var now = options.Time.GetTimestamp();
        if (!_warned.TryGetValue(error.Message, out var last) || options.Time.GetElapsedTime(last, now) > BetweenWarnings)
        {
            _warned[error.Message] = now;
            log.Warning(LogEvent.Machine, error.ToString());
        }
    }

    private void Say(string what)
    {
        if (what != _said)
        {
            log.Info(LogEvent.Machine, $"members of etcd: {what}");
        }

        _said = what;
    }
}
