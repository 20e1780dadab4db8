using System.Diagnostics;
using Ashlar.Edge.Balancing;
using Ashlar.Edge.Logging;
using Ashlar.Http.Transport;
using Ashlar.Http.Upstream;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>What becomes of the client's connection after an exchange.</summary>
internal enum Ending
{
    /// <summary>It waits for the next request.</summary>
    KeepAlive,

    /// <summary>It is closed; both sides know.</summary>
    Close,

    /// <summary>It is closed while the client may still be sending.</summary>
    Linger,

    /// <summary>It is reset, so that the client does not take what it got for a whole answer.</summary>
    Abort,
}

/// <summary>
/// One request and its answer: parse → route → acquire an instance → connect → send and relay, both ways at once → give
/// everything back. An explicit state machine: each event calls <see cref="Advance"/>, which moves what can be moved and
/// returns when only another event helps. This file holds the course of it; the other parts hold the two directions.
/// </summary>
internal sealed partial class Exchange : IUpstreamUser
{
    private readonly EdgeLoop _edge;
    private readonly EventLoop _loop;
    private readonly ForwardingOptions _options;
    private readonly Place _place;
    private readonly byte[] _requestId = new byte[RequestIds.Length];

    private ClientConnection _client = null!;
    private ServiceTarget? _service;

    // The instance that is held, the one that was asked last, and the one that has just failed.
    private InstanceTarget? _instance;
    private InstanceTarget? _asked;
    private InstanceTarget? _failed;
    private UpstreamConnection? _upstream;
    private Stage _stage;
    private Ending _ending;
    private int _attempts;
    private int _retries;
    private bool _freshOnly;
    private bool _isCounted;

    public Exchange(EdgeLoop edge)
    {
        _edge = edge;
        _loop = edge.Loop;
        _options = edge.Options;
        _place = new Place(this);
        _toUpstream = new Outbox(_loop.Buffers);
        _toClient = new Outbox(_loop.Buffers);
        _requestBody = new BodyRelay(_options.Limits);
        _responseBody = new BodyRelay(_options.Limits);
    }

    private enum Stage
    {
        /// <summary>The head is being read.</summary>
        Head,

        /// <summary>In the waiting room of the service.</summary>
        Waiting,

        /// <summary>A connection to the instance is being made.</summary>
        Connecting,

        /// <summary>Request and answer flow.</summary>
        Relaying,

        /// <summary>Over; everything is given back.</summary>
        Over,
    }

    /// <summary>The request's head.</summary>
    public RequestHead Request { get; } = new();

    /// <summary>Reads on in what the client has sent.</summary>
    public ParseStatus ParseHead(ClientConnection client, PooledBuffer received)
    {
        if (_stage == Stage.Over)
        {
            _stage = Stage.Head;
        }

        _client = client;
        return Request.Parse(received.Data, _options.Limits);
    }

    /// <summary>The head is complete: begins to serve it.</summary>
    public void Start()
    {
        BeginRequest();
        if (Request.Body == BodyFraming.Length && Request.ContentLength > _options.MaxRequestBody)
        {
            Answer(HttpProblem.BodyTooLarge, Failure.BadRequest);
        }
        else if (Request.MaxForwards == 0 && !_fromHop)
        {
            AnswerOptions();
        }
        else
        {
            Route();
        }
    }

    /// <summary>The head is not acceptable, or did not come in time: answers so.</summary>
    public void Refuse(HttpProblem problem)
    {
        BeginRequest();
        _refused = true;
        Answer(problem, problem == HttpProblem.HeadTimeout ? Failure.ClientTimeout : Failure.BadRequest);
    }

    /// <summary>Moves what can be moved. True: the exchange is over; see <see cref="End"/>.</summary>
    public bool Advance()
    {
        if (_stage == Stage.Relaying)
        {
            Relay();
        }

        if (_stage != Stage.Over && _client.PeerHungUp)
        {
            ClientHungUp();
        }

        return _stage == Stage.Over;
    }

    /// <summary>Ends an exchange that is over: gives itself back to the loop, and says what becomes of the connection.</summary>
    public Ending End()
    {
        var ending = _ending;
        Recycle();
        return ending;
    }

    /// <summary>The client's connection has been closed under the exchange.</summary>
    public void ClientLost()
    {
        if (_stage == Stage.Head)
        {
            Recycle();
            return;
        }

        Finish(Ending.Abort, Failure.ClientGone);
        Recycle();
    }

    /// <summary>Nothing has moved for as long as it may.</summary>
    public void OnDeadline()
    {
        if (_stage == Stage.Waiting)
        {
            // The room has its own clock; this one runs only for a client that has half-closed.
            Finish(Ending.Abort, Failure.ClientGone);
        }
        else if (_stage is Stage.Connecting or Stage.Relaying)
        {
            RelayTimedOut();
        }
    }

    void IUpstreamUser.OnUpstreamConnected()
    {
        BeginRelay();
        _client.Advance();
    }

    void IUpstreamUser.OnUpstreamConnectFailed(bool refused)
    {
        _upstream = null;
        NotConnected(refused ? Outcome.Refused : Outcome.ConnectFailed);
        _client.Advance();
    }

    void IUpstreamUser.OnUpstreamReady() => _client.Advance();

    void IUpstreamUser.OnUpstreamFault()
    {
        _upstream = null;
        _client.Abort();
    }

    private void Route()
    {
        var buffer = _client.Received!.Slice(_headStart, Request.Consumed);
        var routes = _edge.Server.Routes;
        if (_client.Listener.IsHop || _client.Listener.Forward is not null)
        {
            RouteBetweenMachines(routes, buffer);
            return;
        }

        _service = _client.Listener.Service is { } name
            ? routes.ByName(name)
            : routes.Match(Request.HostRange.Of(buffer), Request.PathRange.Of(buffer));
        if (_service is null)
        {
            Answer(HttpProblem.NoRoute, Failure.NoRoute);
            return;
        }

        _isCounted = true;
        _edge.Metrics.RequestBegan(_service.Series);
        if (_service.Maintenance)
        {
            Answer(HttpProblem.Maintenance, Failure.Maintenance);
        }
        else
        {
            Acquire();
        }
    }

    private void Acquire()
    {
        var result = _fromHop
            ? _service!.AcquireHere(_meant.Of(_client.Received!.Slice(_headStart, Request.Consumed)), _failed, out var instance)
            : _service!.Acquire(_failed, out instance);
        switch (result)
        {
            case AcquireResult.Acquired:
                Connect(instance!);
                break;
            case AcquireResult.Full:
                Wait();
                break;
            default:
                AnswerNoInstance();
                break;
        }
    }

    private void AnswerNoInstance()
    {
        if (_failed is null)
        {
            Answer(HttpProblem.NoInstance, Failure.NoInstance);
        }
        else
        {
            Answer(HttpProblem.ConnectFailed, Failure.ConnectFailed);
        }
    }

    private void Wait()
    {
        _stage = Stage.Waiting;
        NoDeadline();
        _waitedFrom = Stopwatch.GetTimestamp();
        _edge.Metrics.WaitBegan(_service!.Series);
        if (!_place.Enter(_service!, _fromHop))
        {
            EndWait();
            Answer(HttpProblem.QueueFull, Failure.QueueFull);
        }
    }

    private void EndWait()
    {
        _waited += Stopwatch.GetTimestamp() - _waitedFrom;
        _edge.Metrics.WaitEnded(_service!.Series);
    }

    /// <summary>The wait has ended. On the loop; the exchange is still the one that waited.</summary>
    private void WaitEnded(WaitResult result, InstanceTarget? instance)
    {
        if (_stage != Stage.Waiting)
        {
            // The client has left meanwhile, and the exchange stayed out of use only for this.
            if (instance is not null)
            {
                _service!.Release(instance, Outcome.Abandoned);
            }

            Reset();
            return;
        }

        EndWait();
        switch (result)
        {
            case WaitResult.Granted:
                Connect(instance!);
                break;
            case WaitResult.TimedOut:
                Answer(HttpProblem.QueueTimeout, Failure.QueueTimeout);
                break;
            default:
                AnswerNoInstance();
                break;
        }

        _client.Advance();
    }

    private void Connect(InstanceTarget instance)
    {
        _instance = _asked = instance;
        _attempts++;
        var upstreams = _edge.Upstreams;
        var mustBeQuiet = !Request.Method.IsIdempotent();
        _upstream = _freshOnly ? null
            : instance.Machine is { } way ? upstreams.Take(way.Peer, this, mustBeQuiet)
            : upstreams.Take(instance.EndPoint, this, mustBeQuiet);
        if (_upstream is not null)
        {
            BeginRelay();
            return;
        }

        Connecting(instance.Machine is { } machine
            ? upstreams.Connect(machine.Peer, this, out _upstream)
            : upstreams.Connect(instance.EndPoint, this, out _upstream));
    }

    private void Connecting(ConnectStatus status)
    {
        switch (status)
        {
            case ConnectStatus.Connected:
                BeginRelay();
                break;
            case ConnectStatus.Connecting:
                _stage = Stage.Connecting;
                NoDeadline();
                break;
            case ConnectStatus.Refused:
                NotConnected(Outcome.Refused);
                break;
            case ConnectStatus.Failed:
                NotConnected(Outcome.ConnectFailed);
                break;
            default:
                ReleaseInstance(Outcome.Abandoned);
                Answer(HttpProblem.ConnectFailed, Failure.ConnectFailed);
                break;
        }
    }

    private void NotConnected(Outcome outcome)
    {
        if (_isBytes)
        {
            BytesNotConnected();
        }
        else
        {
            TryAnother(_instance!.Machine is null ? outcome : Outcome.MachineFailed);
        }
    }

    /// <summary>No connection to this instance came about, so nothing was sent: any request may go to another.</summary>
    private void TryAnother(Outcome outcome)
    {
        _failed = _instance;
        ReleaseInstance(outcome);
        if (_attempts >= _options.MaxAttempts)
        {
            Answer(HttpProblem.ConnectFailed, Failure.ConnectFailed);
            return;
        }

        _retries++;
        Acquire();
    }

    private void ReleaseInstance(Outcome outcome)
    {
        if (_instance is { } instance)
        {
            _instance = null;
            _service!.Release(instance, outcome);
        }
    }

    private void ClientHungUp()
    {
        if (_client.IsBroken)
        {
            Finish(Ending.Abort, Failure.ClientGone);
        }
        else if (!_halfClosed && !_isTunnel)
        {
            // It may only have half-closed and wait for the answer; or it has left, and will never take it.
            _halfClosed = true;
            _client.SetDeadline((long)_options.HalfClosedTimeout.TotalMilliseconds);
        }
    }

    /// <summary>Gives back what is still held, and writes the record. The first call decides.</summary>
    private void Finish(Ending ending, Failure failure = Failure.None)
    {
        if (_stage == Stage.Over)
        {
            return;
        }

        _failure = failure == Failure.None ? _failure : failure;

        var waiting = _stage == Stage.Waiting;
        _stage = Stage.Over;
        _ending = ending;
        if (waiting)
        {
            EndWait();
            _place.Leave();
        }

        if (_upstream is { } upstream)
        {
            _upstream = null;
            upstream.BreakOff();
        }

        ReleaseInstance(_answered ? Outcome.Answered : Outcome.Abandoned);
        if (!_fromHop && !_isBytes)
        {
            // What came from another machine has been counted and written down there.
            Report();
        }
    }

    /// <summary>Puts the exchange back into use by others, unless a wake-up is still on its way to it.</summary>
    private void Recycle()
    {
        _toUpstream.Clear();
        _toClient.Clear();
        ReturnAnswerBuffer();
        Request.Reset();
        Response.Reset();
        _client = null!;
        if (!_place.IsAwaited)
        {
            Reset();
        }
    }

    private void Reset()
    {
        _service = null;
        _failed = _asked = null;
        _stage = Stage.Over;
        _attempts = _retries = 0;
        _freshOnly = _isCounted = false;
        _waited = 0;
        _failure = Failure.None;
        ResetRequest();
        ResetResponse();
        ResetHop();
        _edge.Return(this);
    }

    /// <summary>The exchange's place in a waiting room; brings the wake-up to the loop.</summary>
    private sealed class Place : Waiter
    {
        private readonly Exchange _exchange;
        private readonly Action _arrive;
        private WaitResult _result;
        private InstanceTarget? _granted;

        public Place(Exchange exchange)
        {
            _exchange = exchange;
            _arrive = Arrive;
        }

        /// <summary>True: a wake-up will come, or is on its way.</summary>
        public bool IsAwaited { get; private set; }

        public bool Enter(ServiceTarget service, bool here)
        {
            IsAwaited = true;
            IsAwaited = service.Enqueue(this, here);
            return IsAwaited;
        }

        public new void Leave() => IsAwaited = !base.Leave();

        protected internal override void Wake(WaitResult result, InstanceTarget? instance)
        {
            _result = result;
            _granted = instance;
            _exchange._loop.Post(_arrive);
        }

        private void Arrive()
        {
            IsAwaited = false;
            var granted = _granted;
            _granted = null;
            try
            {
                _exchange.WaitEnded(_result, granted);
            }
            catch
            {
                _exchange._client?.Abort();
                throw;
            }
        }
    }
}
