using System.Collections.Concurrent;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Ashlar.Http.Transport;

/// <summary>
/// One thread that waits on one epoll and calls the owners of what is ready: sockets, timers, posted actions. Everything
/// that belongs to a connection happens on its loop's thread, so nothing on a request's path takes a lock or changes thread.
/// </summary>
public sealed unsafe class EventLoop
{
    private const int EventsAtOnce = 256;
    private const ulong WakeUp = ulong.MaxValue;

    private readonly int _epoll;
    private readonly int _wake;
    private readonly Thread _thread;
    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly Action<Exception> _onFault;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // A slot's generation goes into the event's data: an event of a descriptor that was closed in the same turn is not
    // taken for one of its successor.
    private Pollable?[] _watched = new Pollable?[64];
    private uint[] _generations = new uint[64];
    private readonly Stack<int> _freeSlots = new();
    private int _slots;
    private int _wakePending;
    private int _expected;
    private volatile bool _stopping;
    private bool _closed;

    /// <summary>Makes a loop; nothing runs before <see cref="Start"/>.</summary>
    /// <param name="index">Its number among its siblings, from 0.</param>
    /// <param name="onFault">Told of an exception that a handler let out; called on the loop, must not throw.</param>
    /// <exception cref="Win32Exception">The kernel gives no epoll or eventfd.</exception>
    public EventLoop(int index, Action<Exception> onFault)
    {
        Index = index;
        _onFault = onFault;
        _epoll = Check(LibC.EpollCreate(LibC.CloseOnExec));
        _wake = Check(LibC.EventFd(0, LibC.CloseOnExec | LibC.NonBlocking));
        var wake = new LibC.EpollEvent { Events = LibC.EpollIn | LibC.EpollEdgeTriggered, Data = WakeUp };
        if (LibC.EpollControl(_epoll, LibC.EpollAdd, _wake, &wake) < 0)
        {
            throw new Win32Exception(LibC.Errno);
        }

        Now = Environment.TickCount64;
        Timers = new TimerWheel(Now, TimerFault);
        _thread = new Thread(Run) { Name = $"loop {index}", IsBackground = true };
    }

    /// <summary>Its number among its siblings, from 0.</summary>
    public int Index { get; }

    /// <summary>Milliseconds of a monotonic clock, read once per turn: the time base of <see cref="Timers"/>.</summary>
    public long Now { get; private set; }

    /// <summary>The loop's buffers.</summary>
    public BufferPool Buffers { get; } = new();

    /// <summary>The loop's timers.</summary>
    public TimerWheel Timers { get; }

    /// <summary>Descriptors it watches.</summary>
    public int Watched => _slots - _freeSlots.Count;

    /// <summary>What it has to do, as its siblings see it: descriptors it watches, and connections on their way to it.</summary>
    internal int Load => Watched + Volatile.Read(ref _expected);

    /// <summary>Times it has woken.</summary>
    internal long Turns { get; private set; }

    /// <summary>True on the loop's own thread.</summary>
    public bool IsCurrent => Environment.CurrentManagedThreadId == _thread.ManagedThreadId;

    /// <summary>Completes when the thread has ended.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Starts the thread.</summary>
    public void Start() => _thread.Start();

    /// <summary>Runs <paramref name="action"/> on the loop, soon and once; from any thread. After <see cref="Stop"/> it may never run.</summary>
    public void Post(Action action)
    {
        _posted.Enqueue(action);
        if (!IsCurrent && Interlocked.Exchange(ref _wakePending, 1) == 0)
        {
            // The lock keeps the descriptor from being closed, and its number given to a socket, before the write.
            lock (_posted)
            {
                if (!_closed)
                {
                    ulong one = 1;
                    _ = LibC.Write(_wake, &one, sizeof(ulong));
                }
            }
        }
    }

    /// <summary>Ends the thread after this turn, from any thread. What is still watched is not closed.</summary>
    public void Stop()
    {
        _stopping = true;
        Post(static () => { });
    }

    /// <summary>So many more connections (or fewer, once they have come) are on their way here from another loop; from any thread.</summary>
    internal void Expect(int connections) => Interlocked.Add(ref _expected, connections);

    /// <summary>Begins to watch <paramref name="pollable"/>. Returns 0 or an errno.</summary>
    internal int Watch(Pollable pollable, uint events)
    {
        if (!_freeSlots.TryPop(out var slot))
        {
            slot = _slots++;
            if (slot == _watched.Length)
            {
                Array.Resize(ref _watched, slot * 2);
                Array.Resize(ref _generations, slot * 2);
            }
        }

        var registration = new LibC.EpollEvent { Events = events, Data = ((ulong)_generations[slot] << 32) | (uint)slot };
        if (LibC.EpollControl(_epoll, LibC.EpollAdd, pollable.Fd, &registration) < 0)
        {
            var error = LibC.Errno;
            _freeSlots.Push(slot);
            return error;
        }

        _watched[slot] = pollable;
        pollable.Slot = slot;
        return 0;
    }

    /// <summary>Forgets <paramref name="pollable"/>; events of it that were already fetched are dropped.</summary>
    /// <param name="pollable">What is watched.</param>
    /// <param name="closing">True: its descriptor is closed next, which takes it out of the epoll anyway.</param>
    internal void Unwatch(Pollable pollable, bool closing)
    {
        var slot = pollable.Slot;
        if (slot < 0)
        {
            return;
        }

        if (!closing)
        {
            LibC.EpollEvent unused;
            _ = LibC.EpollControl(_epoll, LibC.EpollDelete, pollable.Fd, &unused);
        }

        pollable.Slot = -1;
        _watched[slot] = null;
        _generations[slot]++;
        _freeSlots.Push(slot);
    }

    private void Run()
    {
        var events = (LibC.EpollEvent*)NativeMemory.Alloc(EventsAtOnce, (nuint)sizeof(LibC.EpollEvent));
        while (!_stopping)
        {
            var timeout = _posted.IsEmpty ? Timers.NextTimeout(Now) : 0;
            var count = LibC.EpollWait(_epoll, events, EventsAtOnce, timeout);
            Now = Environment.TickCount64;
            Turns++;
            for (var i = 0; i < count; i++)
            {
                Dispatch(events[i].Data, events[i].Events);
            }

            Timers.Advance(Now);
            RunPosted();
        }

        NativeMemory.Free(events);
        lock (_posted)
        {
            _closed = true;
            _ = LibC.Close(_wake);
        }

        _ = LibC.Close(_epoll);
        _ended.SetResult();
    }

    private void Dispatch(ulong data, uint events)
    {
        if (data == WakeUp)
        {
            return;
        }

        var slot = (int)(uint)data;
        if (_watched[slot] is not { } pollable || _generations[slot] != (uint)(data >> 32))
        {
            return;
        }

        try
        {
            pollable.OnEvents(events);
        }
        catch (Exception exception)
        {
            Fault(pollable, exception);
        }
    }

    private void Fault(Pollable pollable, Exception exception)
    {
        _onFault(exception);
        try
        {
            pollable.OnFault(exception);
        }
        catch (Exception second)
        {
            _onFault(second);
        }
    }

    private void TimerFault(ILoopTimerOwner owner, Exception exception)
    {
        if (owner is Pollable pollable)
        {
            Fault(pollable, exception);
        }
        else
        {
            _onFault(exception);
        }
    }

    private void RunPosted()
    {
        // Whoever posts from now on wakes the loop again; whoever posted before is taken below.
        if (Volatile.Read(ref _wakePending) != 0)
        {
            Interlocked.Exchange(ref _wakePending, 0);
        }

        for (var budget = _posted.Count; budget > 0 && _posted.TryDequeue(out var action); budget--)
        {
            try
            {
                action();
            }
            catch (Exception exception)
            {
                _onFault(exception);
            }
        }
    }

    private static int Check(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());
}
