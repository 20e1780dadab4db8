using System.Collections.Immutable;
using System.ComponentModel;

namespace Ashlar.Http.Transport;

/// <summary>The loops of a process, and the listening sockets they share.</summary>
public sealed class EventLoopGroup : IAsyncDisposable
{
    // A loop keeps what it accepts unless another has this many connections fewer: handing over costs a wake-up.
    private const int Imbalance = 4;

    private readonly List<SocketListener> _listeners = [];

    /// <summary>Starts <paramref name="count"/> loops.</summary>
    /// <param name="count">Threads, at least 1; the usual number is one per core.</param>
    /// <param name="onFault">Told of an exception that a handler let out; called on any loop, must not throw.</param>
    public EventLoopGroup(int count, Action<Exception> onFault)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Loops = [.. Enumerable.Range(0, count).Select(index => new EventLoop(index, onFault))];
        foreach (var loop in Loops)
        {
            loop.Start();
        }
    }

    /// <summary>The loops, by their index.</summary>
    public ImmutableArray<EventLoop> Loops { get; }

    /// <summary>
    /// Accepts on a socket that already listens, on every loop; it becomes non-blocking. The socket stays the caller's: it is
    /// never closed here, and never shut down, because other processes accept on it too.
    /// </summary>
    /// <param name="fd">Descriptor of the socket.</param>
    /// <param name="acceptor">Makes the connections.</param>
    /// <param name="tag">Passed to the acceptor with each connection.</param>
    /// <exception cref="Win32Exception">The descriptor cannot be watched: it is no socket, or closed.</exception>
    public async Task ListenAsync(int fd, IConnectionAcceptor acceptor, object tag)
    {
        // On the description that other processes share: they need it as well.
        var flags = LibC.FileControl(fd, LibC.GetFlags, 0);
        if (flags < 0 || LibC.FileControl(fd, LibC.SetFlags, flags | LibC.NonBlocking) < 0)
        {
            throw new Win32Exception(LibC.Errno);
        }

        SetNoDelay(fd);
        foreach (var loop in Loops)
        {
            var listener = new SocketListener(loop, fd, this, acceptor, tag);
            var error = await OnLoop(loop, listener.Start).ConfigureAwait(false);
            if (error != 0)
            {
                throw new Win32Exception(error);
            }

            lock (_listeners)
            {
                _listeners.Add(listener);
            }
        }
    }

    /// <summary>Ceases to accept on every loop; completes when none will take another connection. Connections go on.</summary>
    public Task StopAcceptingAsync() => CeaseAsync(static _ => true);

    /// <summary>Ceases to accept on one socket, on every loop; completes when none will take another connection from it.</summary>
    public Task CeaseAsync(int fd) => CeaseAsync(listener => listener.Fd == fd);

    /// <summary>Completes when every loop has had a turn, so that what was posted to it before is done.</summary>
    public Task TurnAsync() => Task.WhenAll(Loops.Select(static loop => OnLoop(loop, static () => 0)));

    private async Task CeaseAsync(Func<SocketListener, bool> which)
    {
        SocketListener[] listeners;
        lock (_listeners)
        {
            listeners = [.. _listeners.Where(which)];
            _listeners.RemoveAll(listener => which(listener));
        }

        foreach (var listener in listeners)
        {
            await OnLoop(listener.Loop, () =>
            {
                listener.Stop();
                return 0;
            }).ConfigureAwait(false);
        }

        // What one loop accepted last may have been handed to another: behind this it has arrived.
        await TurnAsync().ConfigureAwait(false);
    }

    /// <summary>Ends the threads; what is still open is left to the end of the process.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAcceptingAsync().ConfigureAwait(false);
        foreach (var loop in Loops)
        {
            loop.Stop();
            await loop.Ended.ConfigureAwait(false);
        }
    }

    /// <summary>The loop a connection that <paramref name="acceptedOn"/> has accepted lives on.</summary>
    internal EventLoop HomeFor(EventLoop acceptedOn)
    {
        var home = acceptedOn;
        var least = acceptedOn.Load - Imbalance;
        foreach (var loop in Loops)
        {
            if (loop.Load < least)
            {
                (home, least) = (loop, loop.Load);
            }
        }

        return home;
    }

    /// <summary>Looks away from a listener for a moment, because the process has no descriptors left.</summary>
    internal void PauseAccepting(SocketListener listener) => _ = new AcceptPause(this, listener);

    private void ResumeAccepting(SocketListener listener)
    {
        lock (_listeners)
        {
            if (!_listeners.Contains(listener))
            {
                return;
            }
        }

        _ = listener.Start();
    }

    // What is accepted inherits it: a call less per connection. A socket that is not TCP refuses, and needs none.
    private static unsafe void SetNoDelay(int fd)
    {
        var on = 1;
        _ = LibC.SetSocketOption(fd, LibC.LevelTcp, LibC.TcpNoDelay, &on, sizeof(int));
    }

    private static Task<int> OnLoop(EventLoop loop, Func<int> action)
    {
        var done = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(() =>
        {
            try
            {
                done.SetResult(action());
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        });
        return done.Task;
    }

    private sealed class AcceptPause : ILoopTimerOwner
    {
        private const int PauseMs = 100;

        private readonly EventLoopGroup _group;
        private readonly SocketListener _listener;

        public AcceptPause(EventLoopGroup group, SocketListener listener)
        {
            _group = group;
            _listener = listener;
            var loop = listener.Loop;
            loop.Unwatch(listener, closing: false);
            loop.Timers.Set(new LoopTimer(this), loop.Now + PauseMs);
        }

        public void OnTimer(LoopTimer timer) => _group.ResumeAccepting(_listener);
    }
}
