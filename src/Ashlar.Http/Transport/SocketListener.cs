using System.Net;

namespace Ashlar.Http.Transport;

/// <summary>Makes connections of accepted sockets.</summary>
public interface IConnectionAcceptor
{
    /// <summary>
    /// Takes over <paramref name="fd"/> (non-blocking, TCP_NODELAY), on the thread of <paramref name="loop"/>: makes a
    /// <see cref="SocketConnection"/> of it and opens it, or refuses it.
    /// </summary>
    /// <param name="loop">The loop the connection stays on.</param>
    /// <param name="fd">The socket.</param>
    /// <param name="peer">The client's address.</param>
    /// <param name="tag">What the listener was registered with.</param>
    void Accept(EventLoop loop, int fd, IPAddress peer, object tag);

    /// <summary>
    /// The process or the system has no descriptor or memory left for another connection: clients wait in the socket's queue, and
    /// accepting is tried again 100 ms later. Called on any loop, at every attempt; must not throw.
    /// </summary>
    /// <param name="tag">What the listener was registered with.</param>
    /// <param name="error">The errno.</param>
    void CannotAccept(object tag, int error);
}

/// <summary>
/// A listening socket as one loop watches it. Loops and processes share the socket; EPOLLEXCLUSIVE wakes few of them for
/// a connection. Level-triggered, so that what one turn leaves is told again.
/// </summary>
internal sealed unsafe class SocketListener(EventLoop loop, int fd, EventLoopGroup group, IConnectionAcceptor acceptor, object tag)
    : Pollable(loop, fd)
{
    private const int AcceptedAtOnce = 16;

    private readonly byte[] _lastAddress = new byte[SocketAddress.MaxLength];
    private int _lastLength;
    private IPAddress? _lastPeer;

    /// <summary>Begins to accept. Returns 0 or an errno.</summary>
    public int Start() => Loop.Watch(this, LibC.EpollIn | LibC.EpollExclusive);

    /// <summary>
    /// Ceases to accept, and never touches the shared socket itself. What is queued is accepted first: this loop may have
    /// swallowed the wake-up of a connection that nobody else would then be told of.
    /// </summary>
    public void Stop()
    {
        Loop.Unwatch(this, closing: false);
        while (AcceptOne())
        {
        }
    }

    protected internal override void OnFault(Exception exception)
    {
    }

    internal override void OnEvents(uint events)
    {
        for (var i = 0; i < AcceptedAtOnce && AcceptOne(); i++)
        {
        }
    }

    private bool AcceptOne()
    {
        Span<byte> address = stackalloc byte[SocketAddress.MaxLength];
        int accepted;
        fixed (byte* pointer = address)
        {
            uint length = SocketAddress.MaxLength;
            accepted = LibC.Accept(Fd, pointer, &length, LibC.NonBlocking | LibC.CloseOnExec);
        }

        if (accepted < 0)
        {
            return AfterError(LibC.Errno);
        }

        var peer = PeerOf(address);
        var home = group.HomeFor(Loop);
        if (home == Loop)
        {
            acceptor.Accept(Loop, accepted, peer, tag);
        }
        else
        {
            home.Expect(1);
            home.Post(() =>
            {
                home.Expect(-1);
                acceptor.Accept(home, accepted, peer, tag);
            });
        }

        return true;
    }

    // One client often opens many connections.
    private IPAddress PeerOf(ReadOnlySpan<byte> address)
    {
        var key = SocketAddress.AddressBytes(address);
        if (_lastPeer is null || !key.SequenceEqual(_lastAddress.AsSpan(0, _lastLength)))
        {
            key.CopyTo(_lastAddress);
            _lastLength = key.Length;
            _lastPeer = SocketAddress.ReadAddress(address);
        }

        return _lastPeer;
    }

    private bool AfterError(int error)
    {
        switch (error)
        {
            case LibC.ErrorInterrupted:
            case LibC.ErrorConnectionAborted:
                return true;
            case LibC.ErrorTooManyFiles:
            case LibC.ErrorTooManyFilesInSystem:
            case LibC.ErrorNoBuffers:
            case LibC.ErrorNoMemory:
                // Level-triggered, the loop would spin on what it cannot accept: look away for a moment.
                acceptor.CannotAccept(tag, error);
                group.PauseAccepting(this);
                return false;
            default:
                return false;
        }
    }
}
