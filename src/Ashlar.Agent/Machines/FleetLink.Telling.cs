using System.Text;
using System.Text.Json;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog.Store;
using Ashlar.Errors;

namespace Ashlar.Agent.Machines;

/// <summary>What this machine tells the others under a lease, and that it stands for leadership.</summary>
internal sealed partial class FleetLink
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(200);

    /// <summary>Something here has changed: the others are told soon. From any thread.</summary>
    public void Tell()
    {
        if (_toTell.CurrentCount == 0)
        {
            _toTell.Release();
        }
    }

    /// <summary>Tells what runs here, at every change and while nothing changes; the lease goes with this process, and leadership with it.</summary>
    private async Task TellAsync(Func<Task<MachineReport>> report)
    {
        await Task.Delay(IsRemoved ? Timeout.InfiniteTimeSpan : TimeSpan.Zero, _time, _ending.Token);
        var lease = await _store.GrantLeaseAsync(Lease, _ending.Token);
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
        var standing = StandAsync(lease, lost.Token);
        try
        {
            var (told, toldAt, keptAt) = (Array.Empty<byte>(), 0L, 0L);
            while (!IsRemoved)
            {
                // Much settles here without a change to tell; the lease is kept by the beat all the same, and not with each of these.
                if (keptAt == 0 || _time.GetElapsedTime(keptAt) >= Beat)
                {
                    if (!await LivesAsync(lease))
                    {
                        return;
                    }

                    keptAt = _time.GetTimestamp();
                }

                var said = await report();
                var now = JsonSerializer.SerializeToUtf8Bytes(said, MachineJson.Default.MachineReport);
                if (!now.AsSpan().SequenceEqual(told) || _time.GetElapsedTime(toldAt) > LongestSilence)
                {
                    var timed = JsonSerializer.SerializeToUtf8Bytes(said with { Clock = _time.GetUtcNow() }, MachineJson.Default.MachineReport);
                    if (await WrittenAsync(new StoreWrite(Keys.Actual(Own.Name), timed, lease)))
                    {
                        (told, toldAt) = (now, _time.GetTimestamp());
                    }
                }

                await Task.Delay(ShortestPause, _time, _ending.Token);
                await _toTell.WaitAsync(TimeSpan.FromMilliseconds(Math.Max(0, Math.Ceiling((Beat - _time.GetElapsedTime(keptAt)).TotalMilliseconds))), _ending.Token);
            }
        }
        finally
        {
            await lost.CancelAsync();
            await standing;
            await (IsRemoved ? _store.RevokeLeaseAsync(lease) : ValueTask.CompletedTask);
        }
    }

    // One answer that does not come is no reason to give up what the lease holds: it lives until the store says that it does not.
    private async Task<bool> LivesAsync(long lease)
    {
        while (true)
        {
            try
            {
                var lives = await _store.KeepAliveAsync(lease, _ending.Token);
                Volatile.Write(ref _answeredAt, _time.GetTimestamp());
                return lives;
            }
            catch (AshlarException e)
            {
                _log.Warning(LogEvent.Machine, $"tell: {e.Error}");
                await Task.Delay(Again, _time, _ending.Token);
            }
        }
    }

    // False: it is not known, and told again with the next beat.
    private async Task<bool> WrittenAsync(StoreWrite write)
    {
        try
        {
            await _store.CommitAsync(new StoreTransaction([], [write]), _ending.Token);
            return true;
        }
        catch (AshlarException e)
        {
            _log.Warning(LogEvent.Machine, $"tell: {e.Error}");
            return false;
        }
    }

    private async Task StandAsync(long lease, CancellationToken lost)
    {
        try
        {
            while (Leadership is null)
            {
                try
                {
                    await ForgetFormerSelfAsync(lease, lost);
                    Leadership = await _store.CampaignAsync(Keys.Leader, Own.Name, lease, lost);
                }
                catch (AshlarException)
                {
                    await Task.Delay(Again, _time, lost); // We may stand all the same.
                }
            }

            _machinesChanged = true;
            Know(view => view);
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, lost);
        }
        catch (Exception e) when (e is OperationCanceledException or LeaseLostException)
        {
        }
        finally
        {
            Leadership = null;
        }
    }

    // What an agent of this machine stood for before it ended would be waited for until its lease has run out.
    private async Task ForgetFormerSelfAsync(long lease, CancellationToken cancellation)
    {
        foreach (var former in (await _store.ListAsync(Keys.Candidates, cancellation)).Entries.Where(entry => entry.Lease != lease && entry.Value.Span.SequenceEqual(Encoding.UTF8.GetBytes(Own.Name))))
        {
            await _store.CommitAsync(new StoreTransaction([new StoreCondition(former.Key, ModRevision: former.ModRevision)], [new StoreWrite(former.Key, null)]), cancellation);
        }
    }
}
