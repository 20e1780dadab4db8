using Ashlar.Jobs.Queue;

namespace Ashlar.Jobs.Runner;

/// <summary>The end of a session in order: what is in hand is handed over, waited for, or broken off.</summary>
internal sealed partial class Dispatcher
{
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
                begun = [.. _inHand.Where(h => h.Job.Place is not null && h.Epoch == _epoch)];
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
}
