using System.IO.Pipelines;
using System.Net;
using Ashlar.Edge.Http2;
using Ashlar.Http.Transport;
using Ashlar.Http.Transport.Tls;
using Ashlar.Http.Wire;

#pragma warning disable CA1001 // what speaks HTTP/2 is disposed of by its server

namespace Ashlar.Edge.Forwarding;

/// <summary>
/// A client's connection: waits for requests, has one <see cref="Exchange"/> at a time serve them in their order, and
/// closes so that the last answer arrives. While idle it holds no buffer and no exchange.
/// </summary>
internal sealed partial class ClientConnection : SocketConnection, ILoopTimerOwner
{
    // Time that a client has to close its side after we have closed ours; what it still sends is thrown away.
    private const int LingerMs = 2000;
    private const int LingerBytes = 4 * 1024 * 1024;

    // Requests that the edge answers itself come to an end without an event in between.
    private const int ExchangesAtOnce = 16;

    private readonly EdgeLoop _edge;
    private readonly LoopTimer _timer;
    private Exchange? _exchange;
    private Action? _resume;
    private State _state = State.Fresh;
    private int _lingered;

    // What the client asked for in its handshake, and the certificate it was shown.
    private Http2Connection? _http2;
    private string? _asked;
    private TlsCertificate? _shown;

    // The socket is closed, or there never was one: what it asked for is awaited by others.
    private bool _isAlone;

    internal ClientConnection? IdleBefore;
    internal ClientConnection? IdleAfter;
    internal bool IsListedIdle;

    public ClientConnection(EdgeLoop edge, int fd, IPAddress peer, EdgeListener listener)
        : base(edge.Loop, fd)
    {
        _edge = edge;
        _timer = new LoopTimer(this);
        Listener = listener;
        Peer = edge.PeerOf(peer, listener);
    }

    /// <summary>A connection for one request that came by a connection which has many at once; its other end is in this process.</summary>
    public ClientConnection(ClientConnection over, IDuplexPipe carrier)
        : base(over.Loop, carrier)
    {
        _edge = over._edge;
        _timer = new LoopTimer(this);
        (Listener, Peer) = (over.Listener, over.Peer);
        (_asked, _shown) = (over._asked, over._shown);
        IsCarried = true;
    }

    private enum State
    {
        /// <summary>No byte has come yet.</summary>
        Fresh,

        /// <summary>Between two requests.</summary>
        Idle,

        /// <summary>A request's head is arriving.</summary>
        Head,

        /// <summary>A request is being served.</summary>
        Exchange,

        /// <summary>It speaks HTTP/2: each of its requests is a connection of its own to the edge.</summary>
        Http2,

        /// <summary>Our side is closed; the client's is awaited.</summary>
        Lingering,
    }

    /// <summary>Where it was accepted.</summary>
    public EdgeListener Listener { get; }

    /// <summary>True: its other end is in this process, and it serves one request.</summary>
    public bool IsCarried { get; }

    /// <summary>What requests are told of the client.</summary>
    public ForwardedPeer Peer { get; }

    /// <summary>Bytes received and not consumed; null while there are none and none are awaited.</summary>
    public PooledBuffer? Received { get; set; }

    /// <summary>Begins to serve.</summary>
    public void Begin()
    {
        if (!_edge.Admit(this))
        {
            Abort();
        }
        else
        {
            BeginSecurely();
        }
    }

    /// <summary>The other end has gone. From any thread.</summary>
    public void LoseSoon() => Loop.Post(Lose);

    /// <summary>Goes on with whatever is possible now.</summary>
    public void Advance()
    {
        if (_isAlone)
        {
            AdvanceAlone();
            return;
        }

        var exchanges = 0;
        while (IsOpen)
        {
            switch (_state)
            {
                case State.Exchange:
                    if (!_exchange!.Advance())
                    {
                        return;
                    }

                    AfterExchange(_exchange.End());
                    if (++exchanges == ExchangesAtOnce)
                    {
                        Yield();
                        return;
                    }

                    break;
                case State.Lingering:
                    Linger();
                    return;
                case State.Http2:
                    _http2!.Advance();
                    if (_state == State.Http2)
                    {
                        return;
                    }

                    break;
                default:
                    if (!ReadHead())
                    {
                        return;
                    }

                    break;
            }
        }
    }

    /// <summary>Lets the loop's other connections have a turn before <see cref="Advance"/> goes on.</summary>
    public void Yield() => Loop.Post(_resume ??= Advance);

    /// <summary>Wakes it in <paramref name="ms"/> milliseconds unless that is moved.</summary>
    public void SetDeadline(long ms) => Loop.Timers.Set(_timer, Loop.Now + ms);

    /// <summary>Takes the deadline back.</summary>
    public void ClearDeadline() => TimerWheel.Clear(_timer);

    /// <summary>The edge drains: what speaks HTTP/2 is told to ask for nothing more.</summary>
    public void Drain()
    {
        if (_http2 is not null)
        {
            _ = _http2.DrainAsync(_edge.Options.DrainIdleWindow);
        }
    }

    /// <summary>The edge drains: an idle connection is listened to for one more window.</summary>
    public void ShortenIdle()
    {
        if (_state != State.Head)
        {
            SetDeadline((long)_edge.Options.DrainIdleWindow.TotalMilliseconds);
        }
    }

    void ILoopTimerOwner.OnTimer(LoopTimer timer)
    {
        switch (_state)
        {
            case State.Exchange:
                _exchange!.OnDeadline();
                Advance();
                break;
            case State.Head:
                StartWork();
                _exchange!.Refuse(HttpProblem.HeadTimeout);
                Advance();
                break;
            default:
                Close();
                break;
        }
    }

    protected override void OnReady() => Advance();

    protected override void OnClosed()
    {
        if (_isAlone)
        {
            return;
        }

        _http2?.Closed();
        if (_exchange is { } exchange)
        {
            if (_state == State.Exchange && exchange.GoesOnAlone())
            {
                _isAlone = true;
                Loop.Post(_resume ??= Advance);
                return;
            }

            _exchange = null;
            exchange.ClientLost();
        }

        LetGo();
    }

    private void LetGo()
    {
        Loop.Timers.Remove(_timer);
        if (Received is not null)
        {
            Loop.Buffers.Return(Received);
            Received = null;
        }

        _edge.Forget(this);
    }

    /// <summary>True: a request is complete enough to be served, or refused. False: wait.</summary>
    private bool ReadHead()
    {
        while (true)
        {
            if (Received is { Length: > 0 })
            {
                _exchange ??= _edge.RentExchange();
                switch (_exchange.ParseHead(this, Received))
                {
                    case ParseStatus.Done:
                        StartWork();
                        _exchange.Start();
                        return true;
                    case ParseStatus.Bad:
                        StartWork();
                        _exchange.Refuse(_exchange.Request.Problem!);
                        return true;
                    default:
                        if (_state != State.Head)
                        {
                            // Still listed as idle: at the limit of connections a half-sent head gives way too.
                            _state = State.Head;
                            SetDeadline((long)_edge.Options.HeadTimeout.TotalMilliseconds);
                        }

                        break;
                }
            }

            if (!CanReceive)
            {
                if (_state != State.Head)
                {
                    Rest();
                }

                return false;
            }

            var received = Receive(RoomForHead());
            if (received <= 0 && received != SocketResult.WouldBlock)
            {
                // Also in the midst of a head: nobody is there to be told.
                Close();
                return false;
            }

            Received!.End += Math.Max(received, 0);
        }
    }

    private Span<byte> RoomForHead()
    {
        Received ??= Loop.Buffers.Rent();
        if (Received.Length == 0)
        {
            Received.Clear();
        }
        else if (Received.Free.IsEmpty)
        {
            if (Received.Start > 0)
            {
                Received.Compact();
            }
            else
            {
                GrowReceived();
            }
        }

        return Received.Free;
    }

    /// <summary>Moves what was received to a large buffer; offsets stay.</summary>
    public void GrowReceived()
    {
        var large = Loop.Buffers.RentLarge();
        var small = Received!;
        small.Slice(0, small.End).CopyTo(large.Free);
        (large.Start, large.End) = (small.Start, small.End);
        Loop.Buffers.Return(small);
        Received = large;
    }

    private void AfterExchange(Ending ending)
    {
        _exchange = null;
        switch (ending)
        {
            case Ending.KeepAlive:
                // The next request may lie in the buffer already; ReadHead rests when there is none.
                _state = State.Idle;
                break;
            case Ending.Close when !CanReceive || PeerHungUp:
                Close();
                break;
            case Ending.Close:
            case Ending.Linger:
                BeginLingering();
                break;
            default:
                Abort();
                break;
        }
    }

    /// <summary>
    /// Closes our side first. Closed at once with bytes of the client unread, the connection would be reset, and the
    /// reset may overtake the answer.
    /// </summary>
    private void BeginLingering()
    {
        EndSending();
        _state = State.Lingering;
        SetDeadline(LingerMs);
    }

    private void Linger()
    {
        Received ??= Loop.Buffers.Rent();
        while (CanReceive)
        {
            Received.Clear();
            var received = Receive(Received.Free);
            _lingered += Math.Max(received, 0);
            if (received is SocketResult.Closed or SocketResult.Failed || _lingered > LingerBytes)
            {
                Close();
                return;
            }
        }

        Loop.Buffers.Return(Received);
        Received = null;
    }

    private void StartWork()
    {
        _edge.BecameBusy(this);
        _state = State.Exchange;
    }

    private void Rest()
    {
        if (Received is not null)
        {
            Loop.Buffers.Return(Received);
            Received = null;
        }

        if (!IsListedIdle)
        {
            _edge.BecameIdle(this);
            WaitForRequest();
        }
    }

    private void WaitForRequest()
    {
        var wait = _edge.IsDraining ? _edge.Options.DrainIdleWindow : _edge.Options.KeepAliveTimeout;
        SetDeadline((long)wait.TotalMilliseconds);
    }
}
