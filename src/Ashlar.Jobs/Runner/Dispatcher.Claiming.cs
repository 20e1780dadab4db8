using System.Diagnostics;
using Ashlar.Errors;
using Ashlar.Jobs.Queue;

namespace Ashlar.Jobs.Runner;

/// <summary>From the queues into hands: what is claimed, and how it is delivered.</summary>
internal sealed partial class Dispatcher
{
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
}
