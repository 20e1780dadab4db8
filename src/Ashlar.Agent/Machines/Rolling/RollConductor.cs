using Ashlar.Agent.Desired;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog;
using Ashlar.Catalog.Store;
using Ashlar.Delivery.Releases;
using Ashlar.Errors;
using Ashlar.Fleet;

namespace Ashlar.Agent.Machines.Rolling;

/// <summary>Writes the orders of a stack on many machines, and takes an order from machine to machine while this one leads.</summary>
/// <param name="fleet">The machines.</param>
/// <param name="leaders">The store as the leader writes to it.</param>
/// <param name="store">The store as anybody does.</param>
/// <param name="releases">Releases, of which each order makes one current, or none.</param>
/// <param name="log">Told what is done.</param>
/// <param name="time">Clock.</param>
internal sealed class RollConductor(FleetLink fleet, IStore leaders, MirroredStore store, ReleaseStore releases, AgentLog log, TimeProvider time)
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);
    private static readonly string UnknownCode = CatalogErrors.OutcomeUnknown("").Error.Code;
    private bool _led;

    /// <summary>Takes every step that there is to take, for ever.</summary>
    public async Task ConductAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var changed = fleet.Changed;
            await BeginToLeadAsync(cancellation);
            var view = fleet.View;
            if (fleet.Leads && RollRules.Advance(view, time.GetUtcNow()) is { } step)
            {
                await TakeAsync(view, step.Holds, step.Rolls, cancellation);
            }
            else
            {
                await changed.WaitAsync(cancellation);
            }
        }
    }

    /// <summary>Begins to carry out an order.</summary>
    /// <exception cref="AshlarException">ASH7530; ASH407x: the store cannot be reached.</exception>
    public async Task BeginAsync(Roll roll, CancellationToken cancellation)
    {
        while (true)
        {
            var view = fleet.View;
            var waited = view.Rolls.Present is { Waits: true } present && present.Id == roll.Id && !roll.Waits; // Its release command has run.
            if ((view.Rolls.Present?.Id == roll.Id && !waited) || view.Rolls.Ended.Any(ended => ended.Id == roll.Id))
            {
                return;
            }

            if (view.Rolls.Present is not null && !waited)
            {
                await fleet.Changed.WaitAsync(Again, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellation.ThrowIfCancellationRequested();
                continue;
            }

            if (await TryWriteAsync(leaders, view, view.Orders ?? new DesiredState(), view.Rolls with { Present = roll }, cancellation))
            {
                log.Info(LogEvent.Order, $"{roll.Verb} goes over {string.Join(", ", roll.Order)}{(roll.AtOnce ? " at once" : "")}");
                return;
            }
        }
    }

    /// <summary>Ends an order that waits for a release command which does not run any more: what was before holds.</summary>
    public async Task AbandonAsync(CancellationToken cancellation)
    {
        if (fleet.View.Rolls.Present is { Waits: true } roll)
        {
            await ChangeAsync(
                leaders,
                view => (view.Orders ?? new DesiredState(), view.Rolls.Present is { Waits: true } ? view.Rolls.End(time.GetUtcNow(), FleetErrors.OrderLost(roll.Verb, roll.By, null).Error) : view.Rolls),
                cancellation);
        }
    }

    /// <summary>Writes orders that need no process: they hold at once, everywhere.</summary>
    public Task OrderAsync(Func<DesiredState, DesiredState> change, CancellationToken cancellation) =>
        ChangeAsync(leaders, view => (change(view.Orders ?? new DesiredState()), view.Rolls), cancellation);

    /// <summary>Writes that the stack is to stay down. Any machine may: nobody is asked to carry it out but each for itself.</summary>
    public Task OrderDownAsync(CancellationToken cancellation) => ChangeAsync(
        store,
        view => ((view.Orders ?? new DesiredState()) with { Down = true }, view.Rolls.End(time.GetUtcNow(), AgentErrors.TakenDown(view.Rolls.Present?.Verb ?? "").Error)),
        cancellation);

    private async Task ChangeAsync(IStore to, Func<FleetView, (DesiredState Holds, RollBook Rolls)> change, CancellationToken cancellation)
    {
        while (true)
        {
            var view = fleet.View;
            var (holds, rolls) = change(view);
            if (await TryWriteAsync(to, view, holds, rolls, cancellation))
            {
                return;
            }
        }
    }

    private async Task TakeAsync(FleetView view, DesiredState holds, RollBook rolls, CancellationToken cancellation)
    {
        // First: a leader that dies between the two leaves a step that the next one takes again.
        var roll = view.Rolls.Present!;
        if (rolls.Present is null && roll.Next.Release.Length > 0 && (roll.Next.Release != view.Orders!.Release || view.Orders.Down))
        {
            var failure = rolls.Ended[^1].Error;
            await (failure is null
                ? releases.MarkCurrentAsync(roll.Next.Release, cancellation)
                : releases.MarkFailedAsync(roll.Next.Release, failure.Message.Split('\n')[0], cancellation));
        }

        if (await TryWriteAsync(leaders, view, holds, rolls, cancellation))
        {
            log.Info(LogEvent.Order, rolls.Present switch
            {
                null => $"{roll.Verb} has ended: {rolls.Ended[^1].Error?.Message.Split('\n')[0] ?? "carried out"}",
                { GoesBack: true } => $"{roll.Verb} goes back: {rolls.Present.Error}",
                _ => $"{roll.Verb} is let on to {string.Join(", ", rolls.Present.LetOn.Except(roll.LetOn))}",
            });
        }
    }

    // A release that was being made when its leader went is not made any more.
    private async Task BeginToLeadAsync(CancellationToken cancellation)
    {
        var leads = fleet.Leads;
        if (leads && !_led)
        {
            await releases.RecoverAsync(cancellation);
            await AbandonAsync(cancellation);
        }

        _led = leads;
    }

    /// <summary>Writes if nobody has written since the view. False: somebody has; the view will tell.</summary>
    private async Task<bool> TryWriteAsync(IStore to, FleetView view, DesiredState holds, RollBook rolls, CancellationToken cancellation)
    {
        var value = DesiredStore.Write(holds, rolls);
        try
        {
            var written = await to.CommitAsync(new StoreTransaction([new StoreCondition(Keys.Orders, ModRevision: view.OrdersRevision)], [new StoreWrite(Keys.Orders, value)]), cancellation);
            if (written.Succeeded)
            {
                fleet.Know(known => known.OrdersRevision >= written.Revision ? known : known with { Orders = holds, Rolls = rolls, OrdersRevision = written.Revision });
                return true;
            }
        }
        catch (AshlarException e) when (e.Error.Code == UnknownCode)
        {
            log.Warning(LogEvent.Store, e.Error.ToString());
        }

        await NewerAsync(view.OrdersRevision, cancellation);
        return false;
    }

    // What was written meanwhile, perhaps by us, is read, since the watch may be behind.
    private async Task NewerAsync(long than, CancellationToken cancellation)
    {
        if (await store.GetAsync(Keys.Orders, cancellation) is { } entry && !store.IsCutOff && entry.ModRevision != than)
        {
            fleet.Know(known => known.OrdersRevision >= entry.ModRevision ? known : known.After(new StoreEvent(Keys.Orders, entry.Value, entry.ModRevision), 0));
        }
        else
        {
            await Task.Delay(Again, time, cancellation);
        }
    }
}
