using Ashlar.Http.Transport.Tls;

namespace Ashlar.Http.Transport;

/// <summary>What <see cref="SocketConnection"/> returns instead of a number of bytes.</summary>
public static class SocketResult
{
    /// <summary>The peer has closed its direction (only from a receive).</summary>
    public const int Closed = 0;

    /// <summary>Nothing now; <see cref="SocketConnection.OnReady"/> is called when it can go on.</summary>
    public const int WouldBlock = -1;

    /// <summary>The connection is broken: reset, timed out, or not there any more.</summary>
    public const int Failed = -2;
}

/// <summary>
/// A non-blocking stream socket on a loop. Edge-triggered: it remembers what is possible until a call says otherwise, so
/// that a request costs one receive and one send and no call that finds nothing. A subclass is the protocol.
/// </summary>
public abstract unsafe partial class SocketConnection : Pollable
{
    private const uint Watched = LibC.EpollIn | LibC.EpollOut | LibC.EpollReadHangUp | LibC.EpollEdgeTriggered;

    private bool _hungUp;

    // True: something lies between the owner and the socket, TLS or the other end of a carrier; so plain connections ask one question.
    private bool _isLayered;
    private TlsSession? _tls;

    /// <summary>Takes over <paramref name="fd"/>, which is non-blocking.</summary>
    protected SocketConnection(EventLoop loop, int fd)
        : base(loop, fd)
    {
    }

    /// <summary>False once a receive has found nothing more; true again when the kernel says so.</summary>
    public bool CanReceive { get; private set; }

    /// <summary>False once a send has found no room; true again when the kernel says so.</summary>
    public bool CanSend { get; private set; } = true;

    /// <summary>True once the peer has closed its direction or the connection is broken; bytes may still lie unread.</summary>
    public bool PeerHungUp => _hungUp;

    /// <summary>True once the connection is dead in both directions.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>True until closed.</summary>
    public bool IsOpen => Fd >= 0;

    /// <summary>Makes it known to the loop. False: the kernel refused, and the connection is closed.</summary>
    public bool Open()
    {
        if (_carrier is not null)
        {
            return true;
        }

        if (Loop.Watch(this, Watched) == 0)
        {
            return true;
        }

        Close();
        return false;
    }

    /// <summary>Receives into <paramref name="destination"/>: the number of bytes, or a <see cref="SocketResult"/>.</summary>
    public int Receive(Span<byte> destination)
    {
        if (_isLayered)
        {
            return _carrier is null ? ReceiveSecurely(destination) : ReceiveCarried(destination);
        }

        fixed (byte* data = destination)
        {
            while (true)
            {
                var received = (int)LibC.Receive(Fd, data, (nuint)destination.Length, 0);
                if (received > 0)
                {
                    // A short read has emptied the socket; more bytes raise a new event. Not so the end of the stream,
                    // which may have been told with the bytes.
                    CanReceive = received == destination.Length || _hungUp;
                    return received;
                }

                if (received == 0)
                {
                    _hungUp = true;
                    return SocketResult.Closed;
                }

                switch (LibC.Errno)
                {
                    case LibC.ErrorInterrupted:
                        continue;
                    case LibC.ErrorAgain:
                        CanReceive = false;
                        return SocketResult.WouldBlock;
                    default:
                        _hungUp = IsBroken = true;
                        return SocketResult.Failed;
                }
            }
        }
    }

    /// <summary>Sends what fits of <paramref name="source"/>: the number of bytes, or a <see cref="SocketResult"/>.</summary>
    public int Send(ReadOnlySpan<byte> source)
    {
        if (_isLayered)
        {
            return _carrier is null ? SendSecurely(source) : SendCarried(source, default);
        }

        fixed (byte* data = source)
        {
            while (true)
            {
                var sent = (int)LibC.Send(Fd, data, (nuint)source.Length, LibC.MessageNoSignal);
                if (Sent(ref sent, source.Length))
                {
                    return sent;
                }
            }
        }
    }

    /// <summary>Sends what fits of <paramref name="first"/> and then <paramref name="second"/> in one call.</summary>
    public int Send(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        if (_isLayered)
        {
            return _carrier is null ? SendSecurely(first, second) : SendCarried(first, second);
        }

        fixed (byte* a = first, b = second)
        {
            var vectors = stackalloc LibC.IoVector[2];
            vectors[0] = new LibC.IoVector { Base = a, Length = (nuint)first.Length };
            vectors[1] = new LibC.IoVector { Base = b, Length = (nuint)second.Length };
            var message = new LibC.MessageHeader { Vectors = vectors, VectorCount = 2 };
            while (true)
            {
                var sent = (int)LibC.SendMessage(Fd, &message, LibC.MessageNoSignal);
                if (Sent(ref sent, first.Length + second.Length))
                {
                    return sent;
                }
            }
        }
    }

    /// <summary>
    /// Sends what fits of a file, without a copy of it: the number of bytes, or a <see cref="SocketResult"/> (0: the file has ended). Not
    /// with TLS, and not for a file whose disk may have to be waited for.
    /// </summary>
    /// <param name="file">Descriptor of the file.</param>
    /// <param name="offset">Where in the file.</param>
    /// <param name="length">Bytes at most.</param>
    public int SendFile(int file, long offset, int length)
    {
        while (true)
        {
            var sent = (int)LibC.SendFile(Fd, file, &offset, (nuint)length);
            if (sent >= 0)
            {
                // Fewer than asked for may have other reasons than a full socket; the next call tells.
                return sent;
            }

            if (Sent(ref sent, length))
            {
                return sent;
            }
        }
    }

    /// <summary>True if the peer has not closed and has sent nothing, asked of the kernel now.</summary>
    public bool IsQuiet()
    {
        if (_tls is not null)
        {
            CanReceive = !_tls.IsQuiet();
            return !CanReceive;
        }

        byte probe;
        CanReceive = LibC.Receive(Fd, &probe, 1, LibC.MessagePeek | LibC.MessageDontWait) >= 0 || LibC.Errno != LibC.ErrorAgain;
        return !CanReceive;
    }

    /// <summary>Tells the peer that nothing more comes; receiving goes on.</summary>
    public void EndSending()
    {
        if (_carrier is not null)
        {
            EndCarried();
            return;
        }

        // The peer of a TLS connection is told in its own language first; where there is no room for that now, later.
        if (_tls is null || _tls.End())
        {
            _ = LibC.Shutdown(Fd, LibC.ShutdownWrite);
        }
    }

    /// <summary>Closes it in order: what was sent still arrives (unless the peer's own bytes lie unread).</summary>
    public void Close() => Close(inOrder: true);

    /// <summary>Closes it with a reset, so that the peer cannot take what it has got for everything.</summary>
    public void Abort()
    {
        if (_carrier is not null)
        {
            Close(inOrder: false);
        }
        else if (Fd >= 0)
        {
            var linger = stackalloc int[2] { 1, 0 };
            _ = LibC.SetSocketOption(Fd, LibC.LevelSocket, LibC.SocketLinger, linger, 2 * sizeof(int));
            Close(inOrder: false);
        }
    }

    /// <summary>It may be possible to receive or send now: see <see cref="CanReceive"/>, <see cref="CanSend"/>, <see cref="PeerHungUp"/>.</summary>
    protected abstract void OnReady();

    /// <summary>It has just been closed, by either call.</summary>
    protected virtual void OnClosed()
    {
    }

    /// <inheritdoc />
    protected internal override void OnFault(Exception exception) => Abort();

    internal sealed override void OnEvents(uint events)
    {
        if ((events & (LibC.EpollReadHangUp | LibC.EpollHangUp | LibC.EpollError)) != 0)
        {
            _hungUp = true;
            CanReceive = true;
        }

        if ((events & (LibC.EpollHangUp | LibC.EpollError)) != 0)
        {
            IsBroken = true;
        }

        if ((events & LibC.EpollIn) != 0)
        {
            CanReceive = true;
        }

        if ((events & (LibC.EpollOut | LibC.EpollHangUp | LibC.EpollError)) != 0)
        {
            CanSend = true;
        }

        if (_tls is null)
        {
            OnReady();
        }
        else
        {
            OnSecureEvents(events);
        }
    }

    private protected int PendingError()
    {
        int error = 0;
        uint length = sizeof(int);
        return LibC.GetSocketOption(Fd, LibC.LevelSocket, LibC.SocketError, &error, &length) < 0 ? LibC.Errno : error;
    }

    private void Close(bool inOrder)
    {
        if (Fd < 0)
        {
            return;
        }

        if (_carrier is not null)
        {
            CloseCarried(inOrder);
        }
        else
        {
            if (_tls is not null)
            {
                EndSession(inOrder);
            }

            Loop.Unwatch(this, closing: true);
            _ = LibC.Close(Fd);
        }

        Fd = -1;
        CanReceive = CanSend = false;
        OnClosed();
    }

    private bool Sent(ref int sent, int wanted)
    {
        if (sent >= 0)
        {
            // A short write has filled the socket; room raises an event (epoll(7), question 9).
            CanSend = sent == wanted;
            return true;
        }

        switch (LibC.Errno)
        {
            case LibC.ErrorInterrupted:
                return false;
            case LibC.ErrorAgain:
                CanSend = false;
                sent = SocketResult.WouldBlock;
                return true;
            default:
                sent = SocketResult.Failed;
                return true;
        }
    }
}
