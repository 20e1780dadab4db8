using System.Threading.Channels;
using Ashlar.Errors;
using Ashlar.Jobs.Queue;
using Npgsql;

namespace Ashlar.Jobs.Runner;

/// <summary>
/// The dispatcher: one process of a stack claims jobs, hands them out and writes down what became of them; all others stand by. It holds a lock of the
/// database that the server takes back when its connection breaks, and an epoch that every write proves.
/// </summary>
/// <remarks>
/// A session is one pair of connections. When it breaks, what is in hand goes on; the next session learns from the database what was written, and
/// only if nobody else has led meanwhile is the rest still ours.
/// </remarks>
internal sealed partial class Dispatcher(JobsSettings settings, Database database, Func<QueueSettings, IDelivery> deliveryOf, IDispatchEvents events, DispatchOptions options) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly Channel<InFlight> _finished = Channel.CreateUnbounded<InFlight>(new UnboundedChannelOptions { SingleReader = false });
    private readonly List<Finished> _unwritten = [];
    private readonly HashSet<InFlight> _inHand = [];
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Dictionary<int, Lane> _lanes = [];
    private long _epoch = -1;
    private volatile bool _draining;
    private volatile bool _leads;

    /// <summary>True: this process leads.</summary>
    public bool Leads => _leads;

    /// <summary>The queues with what is in hand, for reports.</summary>
    public IReadOnlyList<LaneReport> Report()
    {
        lock (_gate)
        {
            return [.. _lanes.Values.Select(lane => new LaneReport(lane.Settings.Name, lane.State.Id, lane.Running + lane.Accepted.Count, lane.State.Open.Count))];
        }
    }

    /// <summary>Runs until it is cancelled. Then claims nothing more, lets another lead at once, and gives what is in hand its grace.</summary>
    /// <param name="grace">Time for what is in hand.</param>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(TimeSpan grace, CancellationToken stop)
    {
        using var hard = new CancellationTokenSource();
        await using var draining = stop.Register(() =>
        {
            _draining = true;
            hard.CancelAfter(grace);
            Wake();
        });
        var pause = TimeSpan.Zero;
        while (!_draining || !IsIdle())
        {
            try
            {
                await Task.Delay(pause, CancellationToken.None);
                await SessionAsync(stop, hard.Token);
                pause = TimeSpan.Zero;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // Told to end while it stood by or connected.
            }
            catch (AshlarException e)
            {
                events.Say(e.Error);
                pause = TimeSpan.FromSeconds(5);
            }
            catch (PostgresException e) when (e.MessageText.StartsWith("ASH3203", StringComparison.Ordinal))
            {
                events.Say(JobsErrors.Fenced(_epoch).Error);
                pause = TimeSpan.FromMilliseconds(100);
            }
            catch (Exception e) when (Database.IsOfTheServer(e))
            {
                events.Say(JobsErrors.Unreachable(settings.Port, e.Message).Error);
                pause = pause < TimeSpan.FromSeconds(1) ? pause + TimeSpan.FromMilliseconds(100) : pause;
            }
            finally
            {
                _leads = false;
            }

            if (_draining && hard.IsCancellationRequested)
            {
                // What could not be written is done again by the next: nothing is lost.
                return;
            }
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _writing.Dispose();
        _wake.Dispose();
    }

    private bool IsIdle()
    {
        lock (_gate)
        {
            return _inHand.Count == 0 && _unwritten.Count == 0;
        }
    }

    private async Task SessionAsync(CancellationToken stop, CancellationToken hard)
    {
        await using var claiming = new ClaimStore(await database.OpenAsync(stop.IsCancellationRequested ? hard : stop));
        long? epoch;
        while ((epoch = await claiming.TryLeadAsync(_epoch, options.Holder, stop.IsCancellationRequested ? hard : stop)) is null)
        {
            if (stop.IsCancellationRequested)
            {
                // Another leads: what is in hand here without a lease is its to do again.
                DropForeign(-2);
                await FinishLeasedAsync(hard);
                return;
            }

            events.StandsBy();
            await Task.Delay(options.Standby, stop);
        }

        await using var finishing = new FinishStore(await database.OpenAsync(hard), epoch.Value);
        await _writing.WaitAsync(hard);
        try
        {
            await TakeUpAsync(claiming, finishing, epoch.Value, hard);
        }
        finally
        {
            _writing.Release();
        }

        _leads = true;
        events.Leads(epoch.Value);
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(hard);
        var writing = Task.WhenAll(WriteAsync(claiming, finishing, broken.Token), RenewAsync(finishing, broken.Token));
        try
        {
            await ClaimAsync(claiming, writing, stop, broken.Token);
            await HandOverAsync(claiming, finishing, broken.Token);
            _leads = false;

            // The lock goes with the connection, and another leads while this one finishes.
            await claiming.DisposeAsync();
            events.HandedOver();
            await DrainAsync(hard);
        }
        finally
        {
            await broken.CancelAsync();
            try
            {
                await writing;
            }
            catch (Exception e) when (e is OperationCanceledException || Database.IsOfTheServer(e))
            {
                // What it had taken and not written is among the unwritten.
            }
        }

        if (_draining)
        {
            await FinishAllAsync(claiming, finishing);
        }
    }

    /// <summary>Learns what is written, and what of it is in hand here.</summary>
    private async Task TakeUpAsync(ClaimStore claiming, FinishStore finishing, long epoch, CancellationToken cancellation)
    {
        var queues = await claiming.LoadAsync(settings.Queues, cancellation);
        await claiming.ArchiveAsync(options.ArchiveDays, cancellation);
        var leased = await claiming.LeasedAsync(cancellation);
        DropForeign(epoch);
        List<Finished> lost = [];
        Dictionary<int, Lane> lanes;
        var isNew = epoch != _epoch;
        lock (_gate)
        {
            lanes = queues.Where(queue => settings.Queues.Any(s => s.Name == queue.Name)).ToDictionary(queue => queue.Id, queue =>
            {
                if (_lanes.GetValueOrDefault(queue.Id) is not { } known)
                {
                    return new Lane(settings.Queues.First(s => s.Name == queue.Name), queue);
                }

                known.State = queue;
                return known;
            });
            foreach (var (job, queue) in leased)
            {
                if (lanes.TryGetValue(queue, out var lane) && lane.Settings.Lease is not null && !_inHand.Any(h => h.Job.Id == job))
                {
                    lane.Accepted.Add(job);
                }
            }

            DropLostClaims(lanes);

            // Written before the connection broke, although nobody was told.
            _unwritten.RemoveAll(f => f.Job.Place is { } place && !(queues.Find(q => q.Id == f.Job.Queue)?.Open.ContainsKey(place.Number) ?? false));
        }

        foreach (var queue in queues)
        {
            var open = queue.Open.Where(place => !IsInHand(place.Key, epoch)).ToArray();
            if (open.Length > 0)
            {
                var now = await claiming.NowAsync(cancellation);
                lost.AddRange((await claiming.ReadAsync(queue, open, cancellation)).Select(job => new Finished(job, isNew ? Outcome.Failed("its runner ended while it ran") : Outcome.Interrupted, now)));
            }
        }

        foreach (var some in lost.Chunk(options.Batch))
        {
            await finishing.WriteAsync(some, claiming.Receipts, claiming.TakeReceipt, cancellation);
        }

        lock (_gate)
        {
            foreach (var finished in lost)
            {
                queues.Find(q => q.Id == finished.Job.Queue)!.Open.Remove(finished.Job.Place!.Value.Number);
            }

            (_lanes, _epoch) = (lanes, epoch);
        }
    }

    // What was begun in an epoch that is over counts no more, whenever it ends: it is to be handed out again.
    private bool IsInHand(long place, long epoch)
    {
        lock (_gate)
        {
            return _inHand.Any(h => h.Epoch == epoch && h.Job.Place?.Number == place) || _unwritten.Exists(f => f.Job.Place?.Number == place)
                || _lanes.Values.Any(lane => lane.Ahead.Any(job => job.Place?.Number == place));
        }
    }

    /// <summary>Another has led since: what has no lease was handed out again, and is broken off here.</summary>
    private void DropForeign(long epoch)
    {
        lock (_gate)
        {
            if (epoch == _epoch)
            {
                return;
            }

            foreach (var lane in _lanes.Values)
            {
                lane.Ahead.Clear();
            }

            _unwritten.RemoveAll(f => f.Job.Place is not null);
            foreach (var foreign in _inHand.Where(h => h.Job.Place is not null).ToArray())
            {
                foreign.Breaking.Cancel();
            }
        }
    }

    // Claims are not waited for to be durable: what one had given out that the server has lost in its crash is given out again. Called under the gate.
    private void DropLostClaims(Dictionary<int, Lane> lanes)
    {
        foreach (var lane in lanes.Values)
        {
            lane.ForgetLostClaims();
        }

        foreach (var lost in _inHand.Where(h => lanes.TryGetValue(h.Job.Queue, out var lane) && !lane.Knows(h.Job)).ToArray())
        {
            lost.Lose();
        }
    }

    private void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake.
        }
    }
}

/// <summary>A queue in hand, for reports.</summary>
internal sealed record LaneReport(string Name, int Id, int Running, int Open);
