using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Ashlar.Processes;

/// <summary>Waits for the end of any number of processes with one thread: a pidfd becomes readable when its process ends.</summary>
internal sealed class ExitWatcher : IDisposable
{
    private const ulong WakeToken = 0;

    private readonly FileDescriptor _epoll = new(Libc.epoll_create1(Libc.EPOLL_CLOEXEC));
    private readonly FileDescriptor _wake = new(Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK));
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource> _waiting = new();
    private readonly Thread _thread;
    private ulong _lastToken = WakeToken;
    private volatile bool _disposed;

    public ExitWatcher()
    {
        Add(_wake.Number, WakeToken, Libc.EPOLLIN);
        _thread = new Thread(Run, 256 * 1024) { IsBackground = true, Name = "process exits" };
        _thread.Start();
    }

    /// <summary>Completes when the process has ended (it may be a zombie still). The descriptor must stay open until then.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; the process may go on.</exception>
    public async Task WaitAsync(FileDescriptor process, CancellationToken cancellationToken = default)
    {
        var token = Interlocked.Increment(ref _lastToken);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[token] = ended;
        // A duplicate, so that two waits for one process do not meet in epoll, which knows a descriptor only once.
        using var own = new FileDescriptor(Libc.fcntl(process.Number, Libc.F_DUPFD_CLOEXEC, 3));
        if (own.IsInvalid)
            throw new IOException($"No descriptor to wait for a process: {ProcessErrors.Text(Marshal.GetLastPInvokeError())}.");
        Add(own.Number, token, Libc.EPOLLIN | Libc.EPOLLONESHOT);
        try
        {
            await ended.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            _waiting.TryRemove(token, out _);
            // Closing alone would leave the entry in place as long as the other descriptor of the same process is open.
            Remove(own.Number);
        }
    }

    private unsafe void Remove(int fd) => Libc.epoll_ctl(_epoll.Number, Libc.EPOLL_CTL_DEL, fd, null);

    private unsafe void Add(int fd, ulong token, uint events)
    {
        var item = new Libc.EpollEvent { Events = events, Data = token };
        if (Libc.epoll_ctl(_epoll.Number, Libc.EPOLL_CTL_ADD, fd, &item) != 0)
            throw new IOException($"epoll refuses a process: {ProcessErrors.Text(Marshal.GetLastPInvokeError())}.");
    }

    private unsafe void Run()
    {
        const int Capacity = 64;
        var items = stackalloc Libc.EpollEvent[Capacity];
        while (!_disposed)
        {
            var count = Libc.epoll_wait(_epoll.Number, items, Capacity, -1);
            for (var i = 0; i < count; i++)
            {
                if (_waiting.TryGetValue(items[i].Data, out var ended))
                    ended.TrySetResult();
            }
        }
    }

    public unsafe void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        ulong one = 1;
        Libc.write(_wake.Number, &one, sizeof(ulong));
        _thread.Join();
        foreach (var (_, ended) in _waiting)
            ended.TrySetCanceled();
        _epoll.Dispose();
        _wake.Dispose();
    }
}
