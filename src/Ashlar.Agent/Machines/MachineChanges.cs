using System.Collections.Immutable;
using System.Text.Json;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog.Store;
using Ashlar.Errors;
using Ashlar.Fleet;
using Ashlar.Fleet.Placement;

namespace Ashlar.Agent.Machines;

/// <summary>What people order of machines, as the leader carries it out: each is a change of the machine's record, and placement follows.</summary>
internal sealed class MachineChanges(FleetLink fleet, IStore store, AgentLog log)
{
    private static readonly TimeSpan MemberPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(100);

    /// <summary>Says what a machine takes from now on.</summary>
    /// <exception cref="AshlarException">ASH7518.</exception>
    public Task AdmitAsync(string name, Admission admission) => ChangeAsync(name, record => record with { Admission = admission, Going = false }, $"takes: {admission}");

    /// <summary>Gives labels to a machine, or takes them away (<c>web-</c>).</summary>
    /// <param name="name">The machine.</param>
    /// <param name="labels">The labels.</param>
    /// <param name="ofFile">Labels that the stack file gives it.</param>
    /// <exception cref="AshlarException">ASH7518, ASH7520, ASH7521.</exception>
    public async Task LabelAsync(string name, IReadOnlyCollection<string> labels, ImmutableSortedSet<string> ofFile)
    {
        foreach (var label in labels)
        {
            if (!MachineLabel.IsOne(label.EndsWith('-') ? label[..^1] : label))
            {
                throw FleetErrors.BadLabel(label);
            }

            if (label[^1] == '-' && ofFile.Contains(label[..^1]))
            {
                throw FleetErrors.LabelOfFile(label[..^1], name);
            }
        }

        await ChangeAsync(
            name,
            record => record with { Labels = record.Labels.Union(labels.Where(l => l[^1] != '-')).Except(labels.Where(l => l[^1] == '-').Select(l => l[..^1])) },
            $"labels: {string.Join(' ', labels)}");
    }

    /// <summary>Waits until all that may leave a machine that is being drained runs elsewhere.</summary>
    /// <param name="name">The machine.</param>
    /// <param name="tell">Told of each that moved.</param>
    /// <param name="cancellation">Ends the waiting; it goes on leaving.</param>
    /// <exception cref="AshlarException">ASH7522: something stays; or what moves does not become healthy.</exception>
    public async Task DrainedAsync(string name, Action<string> tell, CancellationToken cancellation)
    {
        var (moving, begun) = (ImmutableSortedSet<string>.Empty, false);
        while (true)
        {
            var changed = fleet.Changed;
            var view = fleet.View;
            var leaves = view.Records.GetValueOrDefault(name)?.Admission == Admission.Leaving;
            if (begun && !leaves)
            {
                throw FleetErrors.StillThere(name, [KeyValuePair.Create("What it has", "it was ordered otherwise meanwhile")]);
            }

            if (leaves) // Else the change of its record is still on its way here.
            {
                begun = true;
                var stays = Draining.Stays(view, name);
                moving = moving.Union(Draining.Leaving(view, name, stays)).Except(stays.Keys);
                foreach (var moved in moving.Where(instance => Draining.HasMoved(view, instance, name)))
                {
                    tell(view.Placement!.Machines.TryGetValue(moved, out var to) ? $"{moved} runs on {to}" : $"{moved} is gone");
                    moving = moving.Remove(moved);
                }

                Draining.RequireNoFailure(view, moving);
                if (moving.IsEmpty)
                {
                    log.Info(LogEvent.Machine, $"{name} is drained, {stays.Count} stay");
                    if (stays.Count > 0)
                    {
                        throw FleetErrors.StillThere(name, stays);
                    }

                    return;
                }
            }

            await changed.WaitAsync(cancellation);
        }
    }

    /// <summary>Removes a machine: nobody believes it any more, and when it hears of that it stops what it runs.</summary>
    /// <param name="name">The machine.</param>
    /// <param name="force">True: also with data on it, or while something runs there.</param>
    /// <param name="tell">Told what happens.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="AshlarException">ASH7518, ASH7519.</exception>
    public async Task RemoveAsync(string name, bool force, Action<string> tell, CancellationToken cancellation)
    {
        var changed = fleet.Changed;
        var view = fleet.View;
        Removing.RequirePossible(view, fleet.Own.Endpoints, name, force);
        await LeaveStateAsync(name, tell, cancellation);
        (changed, view) = (fleet.Changed, fleet.View);
        while (!await ForgetAsync(view, name))
        {
            await Task.WhenAny(changed, Task.Delay(Again, cancellation));
            (changed, view) = (fleet.Changed, fleet.View);
            Removing.RequirePossible(view, fleet.Own.Endpoints, name, force);
        }

        log.Info(LogEvent.Machine, $"{name} is removed");
        if (view.Reports.ContainsKey(name) && name != fleet.Own.Name)
        {
            tell($"{name} stops what it runs, as soon as it hears of this");
        }
    }

    /// <summary>Has its member of etcd taken away while it still votes: one that only vanished could leave the others without a majority.</summary>
    private async Task LeaveStateAsync(string name, Action<string> tell, CancellationToken cancellation)
    {
        if (!HasMember(name))
        {
            return;
        }

        tell($"the member of etcd on {name} goes first");
        await ChangeAsync(name, record => record with { Going = true }, "is being removed");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(MemberPatience);
        try
        {
            for (var changed = fleet.Changed; HasMember(name); changed = fleet.Changed)
            {
                await changed.WaitAsync(patience.Token);
            }
        }
        catch (OperationCanceledException)
        {
            await ChangeAsync(name, record => record with { Going = false }, "is not removed");
            cancellation.ThrowIfCancellationRequested();
            throw FleetErrors.NotRemovable(name, "its member of etcd could not be taken away", "ashlar state says how the members are: a majority must be there without this one.");
        }
    }

    private bool HasMember(string name) => fleet.View.State is { } state && state.Members.ContainsKey(name);

    // False: what we see of placement is not what is written by now.
    private async Task<bool> ForgetAsync(FleetView view, string name) => (await store.CommitAsync(new StoreTransaction(
        [new StoreCondition(Keys.Placement, ModRevision: view.PlacementRevision)],
        [
            StoreExtensions.Put(Keys.Placement, Removing.Without(view.Placement ?? new PlacementRecord(), name), MachineJson.Default.PlacementRecord),
            new StoreWrite(Keys.Node(name), null),
        ]))).Succeeded;

    private async Task ChangeAsync(string name, Func<MachineRecord, MachineRecord> change, string what)
    {
        while (true)
        {
            var entry = await store.GetAsync(Keys.Node(name)) ?? throw FleetErrors.Unknown(name, [.. fleet.View.Records.Keys]);
            var next = change(JsonSerializer.Deserialize(entry.Value.Span, MachineJson.Default.MachineRecord)!);
            var written = await store.CommitAsync(new StoreTransaction(
                [new StoreCondition(entry.Key, ModRevision: entry.ModRevision)], [StoreExtensions.Put(entry.Key, next, MachineJson.Default.MachineRecord)]));
            if (written.Succeeded)
            {
                log.Info(LogEvent.Machine, $"{name} {what}");
                return;
            }
        }
    }
}
