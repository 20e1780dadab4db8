using System.Diagnostics;
using Ashlar.Jobs.Queue;
using Ashlar.Jobs.Schedule;

namespace Ashlar.Jobs.Runner;

/// <summary>What the dispatcher does besides handing out jobs, each duty at its own pace: what is due, what has expired, the clock, and keeping the tables small.</summary>
internal sealed class Upkeep
{
    private readonly ClaimStore _store;
    private readonly IDispatchEvents _events;
    private readonly DispatchOptions _options;
    private readonly Lock _gate;
    private readonly SemaphoreSlim _writing;
    private readonly Func<QueueState, HashSet<int>> _slotsWithOpen;
    private readonly Ticker _ticker;
    private readonly Duty[] _duties;
    private readonly long _began = Stopwatch.GetTimestamp();
    private ICollection<Lane> _lanes = [];

    public Upkeep(
        JobsSettings settings, ClaimStore store, IDispatchEvents events, DispatchOptions options, Lock gate, SemaphoreSlim writing, Func<QueueState, HashSet<int>> slotsWithOpen)
    {
        (_store, _events, _options, _gate, _writing, _slotsWithOpen) = (store, events, options, gate, writing, slotsWithOpen);
        _ticker = new Ticker(settings.Schedules, store, events);
        _duties =
        [
            new(PromoteAsync), new(ExpireAsync), new(AcceptedAsync), new(PauseAsync), new(TickAsync), new(TurnAsync), new(CheckpointAsync), new(ArchiveAsync), new(SummarizeAsync), new(OpenForLongAsync),
        ];
    }

    /// <summary>Time until the next duty is due.</summary>
    public TimeSpan NextIn => _duties.Min(duty => duty.Due) - Stopwatch.GetElapsedTime(_began);

    /// <summary>Does what is due.</summary>
    public async Task RunAsync(ICollection<Lane> lanes, CancellationToken cancellation)
    {
        _lanes = lanes;
        foreach (var duty in _duties)
        {
            if (duty.Due <= Stopwatch.GetElapsedTime(_began))
            {
                duty.Due = Stopwatch.GetElapsedTime(_began) + await duty.Act(cancellation);
            }
        }
    }

    private async Task<TimeSpan> PromoteAsync(CancellationToken cancellation)
    {
        if (await _store.PromoteAsync(cancellation) > 0)
        {
            return TimeSpan.Zero;
        }

        var next = await _store.NextInAsync(cancellation);
        return next is { } wait && wait < Often ? (wait > TimeSpan.Zero ? wait : TimeSpan.Zero) : Often;
    }

    private async Task<TimeSpan> ExpireAsync(CancellationToken cancellation)
    {
        await _store.ExpireAsync(cancellation);
        return TimeSpan.FromSeconds(1);
    }

    private async Task<TimeSpan> AcceptedAsync(CancellationToken cancellation)
    {
        long[] accepted;
        lock (_gate)
        {
            accepted = [.. _lanes.SelectMany(lane => lane.Accepted)];
        }

        if (accepted.Length > 0)
        {
            var left = await _store.StillLeasedAsync(accepted, cancellation);
            lock (_gate)
            {
                foreach (var lane in _lanes)
                {
                    lane.Accepted.RemoveWhere(job => accepted.Contains(job) && !left.Contains(job));
                }
            }
        }

        return TimeSpan.FromMilliseconds(200);
    }

    private async Task<TimeSpan> PauseAsync(CancellationToken cancellation)
    {
        var paused = await _store.PausedAsync(cancellation);
        lock (_gate)
        {
            foreach (var lane in _lanes)
            {
                lane.State.Paused = paused.Contains(lane.State.Id);
            }
        }

        return TimeSpan.FromMilliseconds(500);
    }

    private Task<TimeSpan> TickAsync(CancellationToken cancellation) => _ticker.TickAsync(cancellation);

    private async Task<TimeSpan> TurnAsync(CancellationToken cancellation)
    {
        foreach (var lane in _lanes.ToArray())
        {
            await _store.TurnAsync(lane.State, () => _slotsWithOpen(lane.State), _options.Enough, cancellation);
        }

        return TimeSpan.FromSeconds(1);
    }

    private async Task<TimeSpan> CheckpointAsync(CancellationToken cancellation)
    {
        if (_store.SinceCheckpoint >= _options.Receipts)
        {
            // What is finished meanwhile would be written into the table that is emptied.
            await _writing.WaitAsync(cancellation);
            try
            {
                await _store.CheckpointAsync(cancellation);
            }
            finally
            {
                _writing.Release();
            }
        }

        return TimeSpan.FromSeconds(1);
    }

    private async Task<TimeSpan> ArchiveAsync(CancellationToken cancellation)
    {
        await _store.ArchiveAsync(_options.ArchiveDays, cancellation);
        return TimeSpan.FromHours(1);
    }

    private async Task<TimeSpan> SummarizeAsync(CancellationToken cancellation)
    {
        await _store.SummarizeAsync(cancellation);
        return TimeSpan.FromMinutes(1);
    }

    private async Task<TimeSpan> OpenForLongAsync(CancellationToken cancellation)
    {
        if (await _store.OpenForLongAsync(_options.OpenForLong, cancellation) is { } open)
        {
            _events.Say(JobsErrors.OpenForLong(open.Session, open.Application, open.Since));
        }

        return _options.OpenForLong;
    }

    private static TimeSpan Often { get; } = TimeSpan.FromMilliseconds(200);

    private sealed class Duty(Func<CancellationToken, Task<TimeSpan>> act)
    {
        public Func<CancellationToken, Task<TimeSpan>> Act { get; } = act;

        public TimeSpan Due { get; set; }
    }
}
