using Ashlar.Jobs.Queue;

namespace Ashlar.Jobs.Runner;

/// <summary>What became of the jobs, written down in batches.</summary>
internal sealed partial class Dispatcher
{
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
}
