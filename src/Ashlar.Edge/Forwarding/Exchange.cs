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
/// returns when only another event helps. This file holds the course of it; the other parts hold the way to an instance and the two
/// directions.
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
    private int _routeLength;

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

        /// <summary>Another request asks for the same; its answer is awaited.</summary>
        AwaitingFill,

        /// <summary>A file is looked for, or a password checked, elsewhere.</summary>
        Looking,

        /// <summary>A body that is received before an instance is taken.</summary>
        Spooling,

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
        if (_stage == Stage.Spooling && !_isAwaiting)
        {
            Spool();
        }

        if (_stage == Stage.Relaying)
        {
            Relay();
        }

        if (_stage != Stage.Over && _client.PeerHungUp && !_isAlone)
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
        if (_stage == Stage.Looking && !_halfClosed)
        {
            AnswerUnawaited(HttpProblem.LookTimeout, Failure.QueueTimeout);
        }
        else if (_stage is Stage.Waiting or Stage.Looking)
        {
            // The room has its own clock; this one runs only for a client that has half-closed.
            Finish(Ending.Abort, Failure.ClientGone);
        }
        else if (_stage == Stage.AwaitingFill)
        {
            FillTimedOut();
        }
        else if (_stage == Stage.Spooling)
        {
            SpoolTimedOut();
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
        if (_isAlone)
        {
            Finish(Ending.Abort, Failure.BadAnswer);
            _client.Advance();
        }
        else
        {
            _client.Abort();
        }
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

        if (AnsweredByListener(routes.Front, buffer)) return;
        var routeLength = 0;
        _service = _client.Listener.Service is { } name
            ? routes.ByName(name)
            : routes.Match(Request.HostRange.Of(buffer), Request.PathRange.Of(buffer), out routeLength);
        _routeLength = routeLength;
        if (routes.Web is not { } web || _client.Listener.Service is not null)
        {
            RouteToService();
        }
        else if (!AnsweredByRules(web, buffer))
        {
            RouteToFiles();
        }
    }

    /// <summary>The rules let the request pass: a folder may have what is asked for.</summary>
    private void RouteToFiles()
    {
        var buffer = _client.Received!.Slice(_headStart, Request.Consumed);
        var routes = _edge.Server.Routes;
        var host = Request.HostRange.Of(buffer);
        var mount = routes.KnowsHost(host) ? routes.Web?.MountFor(host, PathOf(buffer), _routeLength) : null;
        if (mount is null || !AnsweredByFile(mount.Folder, mount.Prefix.Length, static exchange => exchange.RouteToService()))
        {
            RouteToService();
        }
    }

    private void RouteToService()
    {
        if (_service is null)
        {
            Answer(HttpProblem.NoRoute, Failure.NoRoute);
            return;
        }

        if (!_refreshes)
        {
            _isCounted = true;
            _edge.Metrics.RequestBegan(_service.Series);
        }

        if (_service.Maintenance)
        {
            Answer(HttpProblem.Maintenance, Failure.Maintenance);
        }
        else if (_service.Files is not { } files || !AnsweredByFile(files, 0, static exchange => exchange.RouteToInstance()))
        {
            RouteToInstance();
        }
    }

    private void RouteToInstance()
    {
        if (!AnsweredFromCache(_client.Received!.Slice(_headStart, Request.Consumed)))
        {
            Acquire();
        }
    }

    private void ClientHungUp()
    {
        if (_client.IsBroken)
        {
            ClientIsGone(Failure.ClientGone);
        }
        else if (!_halfClosed && !_isTunnel && _stage != Stage.Spooling)
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

        LeaveCache();
        ReleaseInstance(_answered ? Outcome.Answered : Outcome.Abandoned);
        if (!_fromHop && !_isBytes && !_refreshes)
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
        ResetCache();
        ResetWeb();
        _edge.Return(this);
    }
}
