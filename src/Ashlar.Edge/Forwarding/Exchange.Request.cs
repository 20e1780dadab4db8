using System.Diagnostics;
using Ashlar.Edge.Balancing;
using Ashlar.Edge.Logging;
using Ashlar.Http.Transport;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>The direction from the client to the instance.</summary>
internal sealed partial class Exchange
{
    // Less free space than this is not worth a receive of its own.
    private const int LeastRoom = 4096;

    // Bytes moved in one direction before other connections get their turn.
    private const int FairShare = 1024 * 1024;

    private readonly Outbox _toUpstream;
    private readonly BodyRelay _requestBody;
    private int _headStart;
    private int _bodyStart;
    private bool _refused;
    private bool _requestDone;
    private bool _requestBroken;
    private bool _replayable;
    private bool _halfClosed;
    private bool _isTunnel;
    private long _sentUpstream;

    private void BeginRequest()
    {
        _client.ClearDeadline();
        _startedAt = Stopwatch.GetTimestamp();
        _askedAt = _connectingFrom = _connected = _answeredAt = 0;
        _requestMs = _edge.UnixMilliseconds;
        _edge.RequestIds.Next(_requestMs, _requestId);
        BeginHop();
        var received = _client.Received!;
        _headStart = received.Start;
        received.Start += Request.Consumed;
        _bodyStart = received.Start;
        _replayable = true;
        (_maxBody, _maxHead) = (_options.MaxRequestBody, long.MaxValue);
        BeginRequestBody();
    }

    private void BeginRequestBody()
    {
        if (_spool is null)
        {
            _requestBody.Begin(Request.Body, Request.ContentLength, toChunked: Request.Body == BodyFraming.Chunked);
        }
        else
        {
            _requestBody.Begin(BodyFraming.Length, _spool.Length, toChunked: false);
        }
    }

    private void ResetRequest()
    {
        _refused = _requestDone = _requestBroken = _halfClosed = _isTunnel = false;
        _sentUpstream = _bodyAwaited = _bodyAwaitedFrom = _bodyReceived = 0;
    }

    /// <summary>The upstream is connected: sends the head, and lets both directions flow.</summary>
    private void BeginRelay()
    {
        _stage = Stage.Relaying;
        _askedAt = Stopwatch.GetTimestamp();
        if (_connectingFrom != 0)
        {
            _connected = _askedAt - _connectingFrom;
            _connectingFrom = 0;
        }

        _requestDone = _requestBroken = false;
        _sentUpstream = 0;
        if (_isBytes && _fromHop)
        {
            OpenToEngine();
            return;
        }

        if (IsForGateway)
        {
            BeginGateway();
            return;
        }

        var head = _client.Received!.Slice(_headStart, Request.Consumed);
        var context = new ForwardContext
        {
            Peer = _client.Peer,
            RequestId = _requestId,
            UnixMilliseconds = _requestMs,
            DefaultHost = _client.Listener.DefaultHost,
            FromHop = _fromHop,
            Lines = CacheLines(out var ownConditions),
            OwnConditions = ownConditions,
            Target = _rewritten is null ? default : (byte[])[.. _rewritten, .. Request.QueryRange.Of(head)],
            BodyLength = _spool?.Length ?? -1,
            HopLine = _engine is null ? _instance!.HopLine : _engine.HopLine,
        };
        if (ForwardWriter.RequestBound(Request, in context) > BufferPool.Small)
        {
            _toUpstream.EnsureLarge();
        }

        _toUpstream.Advance(ForwardWriter.WriteRequest(_toUpstream.Free, head, Request, in context));
    }

    /// <summary>Makes the request ready to be sent once more, on another connection.</summary>
    private void Rewind()
    {
        _toUpstream.Clear();
        _client.Received!.Start = _bodyStart;
        _spool?.Rewind();
        _spooled?.Clear();
        BeginRequestBody();
    }

    /// <summary>Moves what it can from the client to the instance. True if anything moved.</summary>
    private bool SendRequest(ref int budget)
    {
        var moved = false;
        while (!_requestDone && !_requestBroken && _stage == Stage.Relaying)
        {
            var status = _requestBody.Move(BodySource, _toUpstream);
            if (status == RelayStatus.Bad || (_requestBody.Bytes > _maxBody && !_isTunnel))
            {
                RefuseBody(status == RelayStatus.Bad ? _requestBody.Problem! : HttpProblem.BodyTooLarge, Failure.BadRequest);
                return true;
            }

            if (!_toUpstream.IsEmpty)
            {
                var flushed = _toUpstream.Flush(_upstream!, out var sent);
                _sentUpstream += sent;
                moved |= sent > 0;
                if (flushed == FlushStatus.Failed)
                {
                    // The answer may have come before the instance closed: it is still read.
                    _requestBroken = true;
                    return true;
                }

                if (flushed == FlushStatus.Blocked || budget <= 0)
                {
                    return moved;
                }

                continue;
            }

            if (status == RelayStatus.Done)
            {
                _requestDone = true;
                return true;
            }

            if (!ReceiveBody(ref budget))
            {
                return moved;
            }

            moved = true;
        }

        return moved;
    }

    /// <summary>Receives more of the body; everything before is sent. False: nothing there now, or the exchange is over.</summary>
    private bool ReceiveBody(ref int budget)
    {
        if (_spooled is not null)
        {
            return ReadSpool(ref budget);
        }

        if (!_client.CanReceive)
        {
            return false;
        }

        MakeRoomForBody();
        var received = _client.Receive(_client.Received!.Free);
        if (received > 0)
        {
            _client.Received!.End += received;
            _bodyReceived += received;
            budget -= received;
            return true;
        }

        if (received == SocketResult.WouldBlock)
        {
            return false;
        }

        if (_isTunnel && received == SocketResult.Closed)
        {
            _requestDone = true;
            _upstream!.EndSending();
            return false;
        }

        // The client left in the midst of its body: the instance must not take what it got for all of it.
        Finish(Ending.Abort, Failure.ClientGone);
        return false;
    }

    /// <summary>
    /// The head stays where it is, for the log and for a second attempt; the body behind it stays until its room is needed,
    /// and with it the possibility of a second attempt.
    /// </summary>
    private void MakeRoomForBody()
    {
        var received = _client.Received!;
        if (received.Free.Length >= LeastRoom)
        {
            return;
        }

        if (received.Capacity < BufferPool.Large)
        {
            _client.GrowReceived();
            return;
        }

        _replayable = false;
        var rest = received.Data;
        rest.CopyTo(received.Slice(_bodyStart, rest.Length));
        (received.Start, received.End) = (_bodyStart, _bodyStart + rest.Length);
    }

    private void RefuseBody(HttpProblem problem, Failure failure)
    {
        if (_answered)
        {
            Finish(Ending.Abort, failure);
            return;
        }

        BreakOffUpstream();
        ReleaseInstance(Outcome.Abandoned);
        _refused = true;
        Answer(problem, failure);
    }
}
