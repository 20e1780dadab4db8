namespace Ashlar.Http.Transport;

/// <summary>
/// The timers of one loop in a hashed wheel of coarse ticks. A timer fires up to one tick late, never early. Moving a
/// deadline later leaves the timer where it hangs; it is looked at there and hung further on.
/// </summary>
public sealed class TimerWheel
{
    /// <summary>Milliseconds of one tick.</summary>
    public const int TickMs = 1 << TickBits;

    private const int TickBits = 5;
    private const int Slots = 2048;

    private readonly LoopTimer?[] _slots = new LoopTimer?[Slots];
    private long _currentTick;
    private long _nextTick = long.MaxValue;
    private int _count;

    private readonly Action<ILoopTimerOwner, Exception> _onFault;

    internal TimerWheel(long nowMs, Action<ILoopTimerOwner, Exception> onFault)
    {
        _currentTick = nowMs >> TickBits;
        _onFault = onFault;
    }

    /// <summary>Sets <paramref name="timer"/> to fire once at <paramref name="deadlineMs"/> (in the loop's milliseconds), instead of what it was set to.</summary>
    public void Set(LoopTimer timer, long deadlineMs)
    {
        timer.Deadline = deadlineMs;
        var tick = TickOf(deadlineMs);
        if (timer.Tick >= 0)
        {
            if (timer.Tick <= tick)
            {
                return;
            }

            Unlink(timer);
        }

        Link(timer, tick);
    }

    /// <summary>Unsets it; cheap, and it may be set again.</summary>
    public static void Clear(LoopTimer timer) => timer.Deadline = LoopTimer.Never;

    /// <summary>Unsets it and lets go of it, for an owner that ends.</summary>
    public void Remove(LoopTimer timer)
    {
        timer.Deadline = LoopTimer.Never;
        if (timer.Tick >= 0)
        {
            Unlink(timer);
        }
    }

    /// <summary>Milliseconds until something may be due: 0 if it is, -1 if nothing is set.</summary>
    internal int NextTimeout(long nowMs)
    {
        if (_count == 0)
        {
            return -1;
        }

        var due = _nextTick << TickBits;
        return due <= nowMs ? 0 : (int)Math.Min(due - nowMs, 60_000);
    }

    /// <summary>Fires what is due at <paramref name="nowMs"/>. An owner may set and remove any timer meanwhile.</summary>
    internal void Advance(long nowMs)
    {
        var tick = nowMs >> TickBits;
        if (tick < _nextTick)
        {
            _currentTick = Math.Max(_currentTick, tick);
            return;
        }

        // The present moves along with the walk: so a slot never holds timers of two laps.
        for (var t = _nextTick; t <= tick; t++)
        {
            _currentTick = t;
            FireSlot(t);
        }

        FindNext();
    }

    private void FireSlot(long tick)
    {
        // Those that are not due yet are hung further on, never into this slot while it is walked (Link sees to it),
        // so the walk ends even when an owner sets new timers.
        while (_slots[tick & (Slots - 1)] is { } timer)
        {
            Unlink(timer);
            if (timer.Deadline == LoopTimer.Never)
            {
                continue;
            }

            var due = TickOf(timer.Deadline);
            if (due <= tick)
            {
                timer.Deadline = LoopTimer.Never;
                Fire(timer.Owner, timer);
            }
            else
            {
                Link(timer, due);
            }
        }
    }

    private void Fire(ILoopTimerOwner owner, LoopTimer timer)
    {
        try
        {
            owner.OnTimer(timer);
        }
        catch (Exception exception)
        {
            _onFault(owner, exception);
        }
    }

    private void FindNext()
    {
        _nextTick = long.MaxValue;
        if (_count == 0)
        {
            return;
        }

        for (var t = _currentTick + 1; t <= _currentTick + Slots; t++)
        {
            if (_slots[t & (Slots - 1)] is not null)
            {
                _nextTick = t;
                return;
            }
        }
    }

    private void Link(LoopTimer timer, long tick)
    {
        tick = Math.Clamp(tick, _currentTick + 1, _currentTick + Slots - 1);
        timer.Tick = tick;
        ref var head = ref _slots[tick & (Slots - 1)];
        timer.Previous = null;
        timer.Next = head;
        if (head is not null)
        {
            head.Previous = timer;
        }

        head = timer;
        _count++;
        _nextTick = Math.Min(_nextTick, tick);
    }

    private void Unlink(LoopTimer timer)
    {
        if (timer.Previous is null)
        {
            _slots[timer.Tick & (Slots - 1)] = timer.Next;
        }
        else
        {
            timer.Previous.Next = timer.Next;
        }

        if (timer.Next is not null)
        {
            timer.Next.Previous = timer.Previous;
        }

        timer.Next = timer.Previous = null;
        timer.Tick = -1;
        _count--;
    }

    // Rounded up, so that a timer never fires early.
    private static long TickOf(long ms) => (ms + TickMs - 1) >> TickBits;
}
