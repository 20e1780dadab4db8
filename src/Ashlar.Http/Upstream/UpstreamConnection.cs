using System.Net;
using Ashlar.Http.Transport;
using SocketAddress = Ashlar.Http.Transport.SocketAddress;

namespace Ashlar.Http.Upstream;

/// <summary>Whoever has an <see cref="UpstreamConnection"/> for an exchange. Called on its loop.</summary>
public interface IUpstreamUser
{
    /// <summary>It is connected; the request can be sent.</summary>
    void OnUpstreamConnected();

    /// <summary>It could not be connected, and is closed.</summary>
    /// <param name="refused">True: nothing listens there. False: unreachable, or no answer in time.</param>
    void OnUpstreamConnectFailed(bool refused);

    /// <summary>It may be possible to receive or send.</summary>
    void OnUpstreamReady();

    /// <summary>A handler threw while the connection was used; it is closed.</summary>
    void OnUpstreamFault();
}

/// <summary>How <see cref="UpstreamConnection.Connect"/> went.</summary>
public enum ConnectStatus
{
    /// <summary>Connected already.</summary>
    Connected,

    /// <summary>Under way: the user is told.</summary>
    Connecting,

    /// <summary>Nothing listens there.</summary>
    Refused,

    /// <summary>No way there.</summary>
    Failed,

    /// <summary>This process has no descriptor, port or memory left: no fault of the endpoint.</summary>
    Exhausted,
}

/// <summary>
/// A connection to an endpoint: used by one exchange at a time, in between kept in its <see cref="UpstreamPool"/>. While
/// kept, anything the endpoint sends closes it (nothing was asked, so no answer can be told from a stolen one).
/// </summary>
public sealed class UpstreamConnection : SocketConnection, ILoopTimerOwner
{
    private readonly UpstreamPool _pool;
    private readonly LoopTimer _timer;
    private bool _connecting;
    private bool _securing;
    private IUpstreamUser? _user;

    internal EndpointPool? Home;
    internal long IdleSince;

    private UpstreamConnection(UpstreamPool pool, EndpointPool home, int fd)
        : base(pool.Loop, fd)
    {
        _pool = pool;
        Home = home;
        _timer = new LoopTimer(this);
    }

    /// <summary>Where it leads.</summary>
    public EndPoint EndPoint => Home!.EndPoint;

    /// <summary>True: an exchange before this one has used it, so the endpoint may be about to close it.</summary>
    public bool IsReused { get; private set; }

    internal static unsafe ConnectStatus Connect(UpstreamPool pool, EndpointPool home, IUpstreamUser user, out UpstreamConnection? connection)
    {
        connection = null;
        Span<byte> address = stackalloc byte[SocketAddress.MaxLength];
        var length = SocketAddress.Write(home.EndPoint, address);
        var fd = LibC.Socket(SocketAddress.Family(address), LibC.SocketStream | LibC.NonBlocking | LibC.CloseOnExec, 0);
        if (fd < 0)
        {
            return ConnectStatus.Exhausted;
        }

        if (home.EndPoint is IPEndPoint)
        {
            var on = 1;
            _ = LibC.SetSocketOption(fd, LibC.LevelTcp, LibC.TcpNoDelay, &on, sizeof(int));
        }

        if (home.Peer is { } peer)
        {
            SocketPatience.Set(fd, peer.SilenceTimeout);
        }

        int result;
        fixed (byte* pointer = address)
        {
            result = LibC.Connect(fd, pointer, (uint)length);
        }

        var error = result < 0 ? LibC.Errno : 0;
        if (error is not (0 or LibC.ErrorInProgress))
        {
            _ = LibC.Close(fd);

            // A Unix socket whose queue is full says so at once, where TCP would wait.
            return error == LibC.ErrorAgain && home.EndPoint is not IPEndPoint ? ConnectStatus.Failed : StatusOf(error);
        }

        var made = new UpstreamConnection(pool, home, fd) { _connecting = error != 0 || home.Peer is not null, _user = user };
        home.Open++;
        if (!made.Open())
        {
            return ConnectStatus.Exhausted;
        }

        if (made._connecting)
        {
            made.Loop.Timers.Set(made._timer, made.Loop.Now + (long)(home.Peer?.ConnectTimeout ?? pool.Options.ConnectTimeout).TotalMilliseconds);
        }

        connection = made;
        return made._connecting ? ConnectStatus.Connecting : ConnectStatus.Connected;
    }

    internal void BeUsedBy(IUpstreamUser user)
    {
        _user = user;
        IsReused = true;
    }

    internal void BeKept(long untilMs)
    {
        _user = null;
        IdleSince = Loop.Now;
        RememberSession();
        Loop.Timers.Set(_timer, untilMs);
    }

    /// <summary>Gives it back after a complete exchange: it is kept for the next, or closed.</summary>
    /// <param name="reusable">True: the answer was read to its end, nothing more has come, and both sides keep it alive.</param>
    public void GiveBack(bool reusable)
    {
        // Bytes that are there already will raise no event, and must not become the answer to the next request.
        if (reusable && IsOpen && !PeerHungUp && (!CanReceive || IsQuiet()))
        {
            _pool.Keep(this);
        }
        else
        {
            _user = null;
            Close();
        }
    }

    /// <summary>Breaks it off: the endpoint sees a reset at once, not a request that ended well.</summary>
    public void BreakOff()
    {
        _user = null;
        Abort();
    }

    /// <inheritdoc />
    protected override void OnReady()
    {
        if (_connecting && !_securing)
        {
            FinishConnect();
        }
        else if (_user is not null)
        {
            _user.OnUpstreamReady();
        }
        else if (CanReceive && !(IsSecure && IsQuiet()))
        {
            // TLS says things of its own at any time, such as a ticket for the next session.
            _pool.Lost(this);
        }
    }

    /// <inheritdoc />
    protected internal override void OnFault(Exception exception)
    {
        var user = _user;
        BreakOff();
        user?.OnUpstreamFault();
    }

    /// <inheritdoc />
    protected override void OnClosed()
    {
        Loop.Timers.Remove(_timer);
        _pool.Forget(this);
    }

    /// <inheritdoc />
    void ILoopTimerOwner.OnTimer(LoopTimer timer)
    {
        if (_connecting)
        {
            ConnectFailed(refused: false);
        }
        else if (_user is null)
        {
            Close();
        }
    }

    private void FinishConnect()
    {
        var error = PendingError();
        if (error != 0)
        {
            ConnectFailed(StatusOf(error) == ConnectStatus.Refused);
        }
        else if (CanSend)
        {
            if (Home!.Peer is { } peer)
            {
                _securing = true;
                ConnectSecurely(peer.Tls, peer.Name, Home.Resumption);
            }
            else
            {
                Connected();
            }
        }
    }

    /// <inheritdoc />
    protected override void OnSecured() => Connected();

    /// <inheritdoc />
    protected override void OnNotSecured(string reason)
    {
        Home!.Peer!.NotSecured(reason);
        ConnectFailed(refused: false);
    }

    private void Connected()
    {
        _connecting = _securing = false;
        TimerWheel.Clear(_timer);
        _user!.OnUpstreamConnected();
    }

    private void ConnectFailed(bool refused)
    {
        var user = _user!;
        _user = null;
        Close();
        user.OnUpstreamConnectFailed(refused);
    }

    private static ConnectStatus StatusOf(int error) => error switch
    {
        LibC.ErrorConnectionRefused or LibC.ErrorNoEntry => ConnectStatus.Refused,
        LibC.ErrorNoMemory or LibC.ErrorNoBuffers or LibC.ErrorAddressNotAvailable or LibC.ErrorAgain => ConnectStatus.Exhausted,
        _ => ConnectStatus.Failed,
    };
}
