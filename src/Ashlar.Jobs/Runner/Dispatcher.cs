using System.Diagnostics;
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
internal sealed class Dispatcher(JobsSettings settings, Database database, Func<QueueSettings, IDelivery> deliveryOf, IDispatchEvents events, DispatchOptions options) : IDisposable
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

    private async Task ClaimAsync(ClaimStore claiming, Task writing, CancellationToken stop, CancellationToken broken)
    {
        var lastFound = Stopwatch.GetTimestamp();
        var upkeep = new Upkeep(settings, claiming, events, options, _gate, _writing, SlotsWithOpen);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, broken);
        while (!_draining)
        {
            if (writing.IsCompleted || broken.IsCancellationRequested)
            {
                await writing;
            }

            var found = 0;
            await upkeep.RunAsync(_lanes.Values, broken);
            var snapshot = await claiming.LookAsync(broken);
            var wanted = Wanted(snapshot);
            if (wanted.Count > 0)
            {
                var jobs = await ClaimedAsync(claiming, wanted, broken);
                found = jobs.Count;
            }

            if (found > 0)
            {
                lastFound = Stopwatch.GetTimestamp();
            }

            if (found == 0 || !WantsMore())
            {
                try
                {
                    await _wake.WaitAsync(DispatchOptions.Pause(Stopwatch.GetElapsedTime(lastFound), upkeep.NextIn), either.Token);
                }
                catch (OperationCanceledException) when (!broken.IsCancellationRequested)
                {
                    return;
                }
            }
        }
    }

    private List<(QueueState Queue, Cursor Window, int Limit, TimeSpan? Lease)> Wanted(TransactionSnapshot snapshot)
    {
        lock (_gate)
        {
            var wanted = new List<(QueueState, Cursor, int, TimeSpan?)>();
            foreach (var lane in _lanes.Values)
            {
                if (lane.Wanted() is > 0 and var limit && lane.State.Cursor.Window(snapshot) is { } window)
                {
                    wanted.Add((lane.State, window, limit, lane.Settings.Lease));
                }
            }

            return wanted;
        }
    }

    private bool WantsMore()
    {
        lock (_gate)
        {
            return _lanes.Values.Any(lane => lane.State.Cursor.Upto is not null && lane.Wanted() > 0);
        }
    }

    private async Task<List<Job>> ClaimedAsync(ClaimStore claiming, List<(QueueState Queue, Cursor Window, int Limit, TimeSpan? Lease)> wanted, CancellationToken cancellation)
    {
        var jobs = await claiming.ClaimAsync(wanted, _gate, cancellation);
        lock (_gate)
        {
            foreach (var job in jobs)
            {
                _lanes[job.Queue].Add(job);
            }

            foreach (var lane in _lanes.Values)
            {
                Pump(lane);
            }
        }

        return jobs;
    }

    private HashSet<int> SlotsWithOpen(QueueState queue)
    {
        lock (_gate)
        {
            var lane = _lanes.GetValueOrDefault(queue.Id);
            var places = _inHand.Select(h => h.Job).Concat(_unwritten.Select(f => f.Job)).Concat(lane?.Ahead ?? []);
            return [.. places.Where(job => job.Queue == queue.Id && job.Place is not null).Select(job => QueueState.SlotOf(job.Part))];
        }
    }

    // Called under the gate.
    private void Pump(Lane lane)
    {
        while (!_draining && lane.HasRoom && lane.Ahead.TryDequeue(out var job))
        {
            var started = new InFlight(job, lane, _epoch, options.Time.GetUtcNow().UtcDateTime);
            lane.Running++;
            _inHand.Add(started);
            events.Began(lane.Settings.Name, job, started.Started);
            _ = Task.Run(() => DeliverAsync(started));
        }
    }

    private async Task DeliverAsync(InFlight begun)
    {
        Outcome? outcome;
        try
        {
            outcome = await deliveryOf(begun.Lane.Settings).DeliverAsync(begun.Lane.Settings, begun.Job, begun.Breaking.Token);
        }
        catch (OperationCanceledException)
        {
            outcome = Outcome.Interrupted;
        }
        catch (AshlarException e)
        {
            outcome = Outcome.Failed(e.Error.Message);
        }
        catch (Exception e)
        {
            outcome = Outcome.Failed($"it could not be handed out: {e.Message}");
        }

        if (outcome is null)
        {
            lock (_gate)
            {
                _inHand.Remove(begun);
                begun.Lane.Running--;
                begun.Lane.Accepted.Add(begun.Job.Id);
            }

            return;
        }

        begun.Outcome = outcome;
        _finished.Writer.TryWrite(begun);
    }

    /// <summary>Writes ends down: those that have come while the last were written, in one transaction.</summary>
    private async Task WriteAsync(ClaimStore claiming, FinishStore finishing, CancellationToken broken)
    {
        while (await WaitToWriteAsync(broken))
        {
            await _writing.WaitAsync(broken);
            try
            {
                await FlushAsync(claiming, finishing, broken);
            }
            finally
            {
                _writing.Release();
            }
        }
    }

    private async Task RenewAsync(FinishStore finishing, CancellationToken broken)
    {
        using var timer = new PeriodicTimer(options.RunnerLease / 3);
        while (await timer.WaitForNextTickAsync(broken))
        {
            await _writing.WaitAsync(broken);
            try
            {
                await finishing.RenewAsync(options.RunnerLease, broken);
            }
            finally
            {
                _writing.Release();
            }
        }
    }

    private async ValueTask<bool> WaitToWriteAsync(CancellationToken broken)
    {
        lock (_gate)
        {
            if (_unwritten.Count > 0)
            {
                return true;
            }
        }

        return await _finished.Reader.WaitToReadAsync(broken);
    }

    private async Task FlushAsync(ClaimStore claiming, FinishStore finishing, CancellationToken broken)
    {
        Finished[] batch;
        lock (_gate)
        {
            Gather();
            batch = [.. _unwritten.Take(options.Batch)];
        }

        if (batch.Length == 0)
        {
            return;
        }

        var lost = await finishing.WriteAsync(batch, claiming.Receipts, claiming.TakeReceipt, broken);
        lock (_gate)
        {
            _unwritten.RemoveRange(0, batch.Length);
            foreach (var finished in batch)
            {
                if (finished.Job.Place is { } place && _lanes.TryGetValue(finished.Job.Queue, out var lane))
                {
                    lane.State.Open.Remove(place.Number);
                }
            }

            if (_inHand.Count == 0 && _unwritten.Count == 0 && _draining)
            {
                _idle.TrySetResult();
            }
        }

        var now = options.Time.GetUtcNow().UtcDateTime;
        foreach (var finished in batch)
        {
            events.Ended(NameOf(finished.Job.Queue), finished, now, wasLost: lost.Contains(finished.Job.Id));
        }
    }

    private string NameOf(int queue)
    {
        lock (_gate)
        {
            return _lanes.GetValueOrDefault(queue)?.Settings.Name ?? "";
        }
    }

    // Called under the gate: what has ended becomes what is to be written, with the job as it is now.
    private void Gather()
    {
        while (_unwritten.Count < options.Batch && _finished.Reader.TryRead(out var ended))
        {
            if (!_inHand.Remove(ended))
            {
                continue;
            }

            ended.Breaking.Dispose();
            ended.Lane.Running--;
            Pump(ended.Lane);
            if (ended.Lane.Wanted() > 0)
            {
                Wake();
            }

            // One of an epoch that is over was handed out again by another: whatever came of it here counts no more.
            if (ended.Job.Place is null || ended.Epoch == _epoch)
            {
                _unwritten.Add(new Finished(ended.Job, ended.Outcome!, ended.Started));
            }
            else
            {
                events.Ended(ended.Lane.Settings.Name, new Finished(ended.Job, ended.Outcome!, ended.Started), ended.Started, wasLost: true);
            }
        }
    }

    /// <summary>Gives back what has not begun, and a lease to what has: so another can claim without knowing of it.</summary>
    private async Task HandOverAsync(ClaimStore claiming, FinishStore finishing, CancellationToken cancellation)
    {
        await _writing.WaitAsync(cancellation);
        try
        {
            Job[] ahead;
            InFlight[] begun;
            lock (_gate)
            {
                Gather();
                ahead = [.. _lanes.Values.SelectMany(lane => lane.Ahead)];
                begun = [.. _inHand.Where(h => h.Job.Place is not null)];
                foreach (var lane in _lanes.Values)
                {
                    lane.Ahead.Clear();
                }

                _unwritten.AddRange(ahead.Select(job => new Finished(job, Outcome.Interrupted, job.At)));
            }

            while (HasUnwritten())
            {
                await FlushAsync(claiming, finishing, cancellation);
            }

            lock (_gate)
            {
                begun = [.. begun.Where(_inHand.Contains)];
            }

            if (begun.Length > 0)
            {
                await finishing.LeaseAsync([.. begun.Select(b => b.Job)], options.RunnerLease, claiming.Receipts, claiming.TakeReceipt, cancellation);
                lock (_gate)
                {
                    foreach (var one in begun)
                    {
                        one.Job = one.Job with { Place = null };
                    }
                }
            }

            lock (_gate)
            {
                if (_inHand.Count == 0 && _unwritten.Count == 0)
                {
                    _idle.TrySetResult();
                }
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    private bool HasUnwritten()
    {
        lock (_gate)
        {
            return _unwritten.Count > 0;
        }
    }

    /// <summary>Waits for what is in hand; what takes longer than the grace is broken off, and no attempt is charged.</summary>
    private async Task DrainAsync(CancellationToken hard)
    {
        try
        {
            await _idle.Task.WaitAsync(hard);
        }
        catch (OperationCanceledException)
        {
            InFlight[] left;
            lock (_gate)
            {
                left = [.. _inHand];
            }

            events.BreaksOff(left.Length);
            foreach (var one in left)
            {
                await one.Breaking.CancelAsync();
            }
        }
    }

    // Stands by with the leases of a drain that a broken connection interrupted.
    private async Task FinishLeasedAsync(CancellationToken hard)
    {
        if (IsIdle())
        {
            return;
        }

        await using var finishing = new FinishStore(await database.OpenAsync(hard), _epoch);
        await DrainAsync(hard);
        await FinishAllAsync(null, finishing);
    }

    /// <summary>Writes what was broken off at the very end.</summary>
    private async Task FinishAllAsync(ClaimStore? claiming, FinishStore finishing)
    {
        using var patience = new CancellationTokenSource(options.LastWords);
        while (!IsIdle())
        {
            List<Finished> batch;
            lock (_gate)
            {
                Gather();
                _unwritten.RemoveAll(f => f.Job.Place is not null);
                batch = [.. _unwritten];
            }

            if (batch.Count > 0)
            {
                await finishing.WriteAsync(batch, claiming?.Receipts ?? 0, () => 0, patience.Token);
                lock (_gate)
                {
                    _unwritten.Clear();
                }
            }
            else if (!await _finished.Reader.WaitToReadAsync(patience.Token))
            {
                return;
            }
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
