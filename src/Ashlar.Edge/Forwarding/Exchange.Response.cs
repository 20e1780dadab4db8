using System.Diagnostics;
using Ashlar.Edge.Balancing;
using Ashlar.Edge.Caching;
using Ashlar.Edge.Gateways;
using Ashlar.Edge.Hopping;
using Ashlar.Edge.Logging;
using Ashlar.Http.Transport;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>The direction from the instance to the client, and what ends the exchange.</summary>
internal sealed partial class Exchange
{
    private readonly Outbox _toClient;
    private readonly BodyRelay _responseBody;

    // What the instance has sent and is not relayed yet.
    private PooledBuffer? _received;
    private bool _heardUpstream;
    private bool _answered;
    private bool _responseDone;
    private bool _keepAlive;
    private bool _isEventStream;
    private bool _clientEnded;
    private int _status;
    private long _sentToClient;

    /// <summary>The answer's head.</summary>
    public ResponseHead Response { get; } = new();

    private void ResetResponse()
    {
        _heardUpstream = _answered = _responseDone = _keepAlive = _isEventStream = _clientEnded = false;
        _status = 0;
        _sentToClient = 0;
        ResetGateway();
    }

    private void Relay()
    {
        var budget = FairShare;
        bool moved;
        var any = false;
        StopBodyClock();
        do
        {
            moved = SendRequest(ref budget);
            moved |= _stage == Stage.Relaying && RelayResponse(ref budget);
            any |= moved;
        }
        while (moved && _stage == Stage.Relaying && budget > 0);

        if (_stage != Stage.Relaying)
        {
            return;
        }

        if (_spool is not null && _answered && (_requestDone || _requestBroken))
        {
            // It is not sent once more: a client that takes its answer slowly needs no room for it.
            ResetSpool();
        }

        if (budget <= 0)
        {
            _client.Yield();
        }

        if (any)
        {
            _halfClosed = false;
            _client.SetDeadline(PatienceMs());
        }

        StartBodyClock();
    }

    /// <summary>Moves what it can from the instance to the client. True if anything moved.</summary>
    private bool RelayResponse(ref int budget)
    {
        var moved = false;
        while (_stage == Stage.Relaying)
        {
            if ((_fillsBody && !FillBody(ref budget)) || !Produce())
            {
                return true;
            }

            if (_isAlone)
            {
                _toClient.Clear();
                if (_fill is null)
                {
                    Finish(Ending.Abort, Failure.ClientGone);
                    return true;
                }
            }

            if (!_toClient.IsEmpty)
            {
                var flushed = _toClient.Flush(_client, out var sent);
                _sentToClient += sent;
                moved |= sent > 0;
                if (_responseDone)
                {
                    ReleaseUpstream();
                }

                if (flushed == FlushStatus.Failed)
                {
                    ClientIsGone(Failure.ClientGone);
                    return true;
                }

                if (flushed == FlushStatus.Blocked || budget <= 0)
                {
                    return moved;
                }

                continue;
            }

            if (_responseDone)
            {
                return CompleteResponse() || moved;
            }

            if (SendsFile)
            {
                if (!SendFile(ref budget))
                {
                    return moved;
                }

                moved = true;
                if (budget <= 0)
                {
                    return moved;
                }

                continue;
            }

            if (_upstream is null || !ReceiveAnswer(ref budget))
            {
                return moved;
            }

            // A script that says errors and nothing else has not begun its answer.
            moved |= !_isGateway || _answered || _received is { Length: > 0 } || _records.Status != RecordStatus.More;
        }

        return moved;
    }

    /// <summary>Moves received bytes into the outbox, as far as there is room. False: the exchange has taken another course.</summary>
    private bool Produce()
    {
        if (_servesStored && (!ProduceStored() || _servesStored))
        {
            return _stage == Stage.Relaying;
        }

        while (_received is { Length: > 0 } && !_responseDone && _toClient.Room > 0)
        {
            if (!_answered)
            {
                if (_isGateway && !_isTranslated && TranslateHead() is var translated and not ParseStatus.Done)
                {
                    return translated == ParseStatus.NeedMore || BrokenScript(HttpProblem.ScriptHead);
                }

                var status = Response.Parse(_received.Data, _options.Limits, Request.Method, Request.Upgrade);
                if (status == ParseStatus.Bad)
                {
                    AnswerBroken(Response.Problem!);
                    return false;
                }

                if (status == ParseStatus.NeedMore)
                {
                    break;
                }

                if (IsOfHop())
                {
                    if (!FollowHop())
                    {
                        return false;
                    }

                    continue;
                }

                if (_cache is not null && !_judged && !Response.IsInterim && TakeAnswer())
                {
                    return true;
                }

                if (!WriteHead())
                {
                    break;
                }

                if (_servesStored)
                {
                    return ProduceStored();
                }

                continue;
            }

            var moved = _responseBody.Move(_received, _toClient);
            if (moved == RelayStatus.Bad)
            {
                AnswerBroken(_responseBody.Problem!);
                return false;
            }

            _responseDone = moved == RelayStatus.Done;
            if (!_responseDone)
            {
                break;
            }
        }

        return true;
    }

    /// <summary>Writes the head that was parsed. False: the outbox has to be flushed first.</summary>
    private bool WriteHead()
    {
        var interim = Response.IsInterim;
        Span<byte> cacheLine = stackalloc byte[CacheStatus.Longest];
        cacheLine = _cacheWord == CacheWord.None || interim ? default : cacheLine[..CacheStatus.WriteForwarded(cacheLine, _cacheWord, _storeRule)];
        Span<byte> hopLine = stackalloc byte[HopField.LongestLoad];
        hopLine = _fromHop && !interim && Response.Status != 503 ? HopField.WriteLoad(hopLine, _instance!.InFlight) : default;
        var context = new ResponseContext
        {
            ClientVersion = Request.Version,
            KeepAlive = Request.KeepAlive && !_edge.IsDraining && (_requestDone || interim),
            DateLine = _edge.DateLine,
            ToHop = _fromHop,
            HopLine = hopLine,
            HstsLine = HstsLine,
            CacheLine = cacheLine,
            Edits = _edits,
        };
        var bound = ForwardWriter.ResponseBound(Response, in context);
        if (_toClient.Room < bound)
        {
            if (!_toClient.IsEmpty)
            {
                return false;
            }

            _toClient.EnsureLarge();
        }

        if (_instance is { Machine: not null } && !interim)
        {
            HearLoad();
        }

        _toClient.Advance(ForwardWriter.WriteResponse(_toClient.Free, _received!.Data, Response, in context, out var framing));
        _received.Start += Response.Consumed;
        if (interim)
        {
            Response.Reset();
            return true;
        }

        _answered = true;
        _answeredAt = Stopwatch.GetTimestamp();
        _status = Response.Status;
        _instance!.Succeeded();
        if (_status == 101)
        {
            BeginTunnel();
            return true;
        }

        _keepAlive = framing.KeepAlive;
        _isEventStream = IsEventStream();
        _responseBody.Begin(
            Response.Body, Response.ContentLength, toChunked: framing.Body == BodyFraming.Chunked);
        _responseDone = _responseBody.IsDone;
        if (_fillsBody)
        {
            BeginFilling(framing.Body);
        }

        return true;
    }

    private void BeginTunnel()
    {
        _isTunnel = true;
        _requestDone = false;
        _requestBody.Begin(BodyFraming.UntilClose, 0, toChunked: false);
        _responseBody.Begin(BodyFraming.UntilClose, 0, toChunked: false);
    }

    private bool IsEventStream() =>
        Response.Has(KnownHeader.ContentType)
        && Response.Find(KnownHeader.ContentType).Of(_received!.Slice(_received.Start - Response.Consumed, Response.Consumed))
            is { Length: >= 17 } type
        && System.Text.Ascii.EqualsIgnoreCase(type[..17], "text/event-stream"u8);

    /// <summary>Receives more from the instance; everything before is sent. False: nothing there now, or another course.</summary>
    private bool ReceiveAnswer(ref int budget)
    {
        if (_isGateway && _records.Status != RecordStatus.More)
        {
            RecordsEnded();
            return _stage == Stage.Relaying;
        }

        if (!_upstream!.CanReceive)
        {
            if (_received is { Length: 0 })
            {
                ReturnAnswerBuffer();
            }

            return false;
        }

        MakeRoomForAnswer();
        // The head of a script is written anew, which takes some room.
        var free = _received!.Free;
        var received = _upstream.Receive(_isGateway && !_isTranslated ? free[..Math.Min(free.Length, BufferPool.Small)] : free);
        if (received > 0)
        {
            budget -= received;
            _heardUpstream = true;
            _received.End += _isGateway ? _records.Decode(_received.Free[..received], Errors) : received;
            return true;
        }

        if (received == SocketResult.WouldBlock)
        {
            return false;
        }

        UpstreamEnded(inOrder: received == SocketResult.Closed);
        return _stage == Stage.Relaying;
    }

    private void MakeRoomForAnswer()
    {
        if (_received is null)
        {
            _received = _loop.Buffers.Rent();
            return;
        }

        if (_received.Length == 0)
        {
            // What filled a whole buffer will fill a larger one with fewer calls.
            if (_received.End == BufferPool.Small)
            {
                ReturnAnswerBuffer();
                _received = _loop.Buffers.RentLarge();
            }

            _received.Clear();
        }
        else if (_received.Free.Length < LeastRoom)
        {
            _received.Compact();
            if (_received.Free.Length < LeastRoom)
            {
                var large = _loop.Buffers.RentLarge();
                large.Append(_received.Data);
                ReturnAnswerBuffer();
                _received = large;
            }
        }
    }

    private void ReturnAnswerBuffer()
    {
        if (_received is not null)
        {
            _loop.Buffers.Return(_received);
            _received = null;
        }
    }

    private void UpstreamEnded(bool inOrder)
    {
        if (_isTunnel && inOrder)
        {
            _responseDone = true;
        }
        else if (_answered && inOrder && !_isGateway && _responseBody.End(_toClient))
        {
            // FastCGI says when an answer is over; that the connection is, says nothing.
            _responseDone = true;
        }
        else if (_answered)
        {
            Finish(Ending.Abort, Failure.Truncated);
        }
        else
        {
            EndedWithoutAnswer();
        }
    }

    /// <summary>
    /// The connection ended before an answer began. A request that never left is safe to send again; so is an idempotent one
    /// on a connection that had been kept, because such a one may be closed just as it is used (RFC 9110 section 9.2.2).
    /// </summary>
    private void EndedWithoutAnswer()
    {
        if (_upstream!.Refusal is { } refusal)
        {
            BreakOffUpstream();
            NotAccepted(refusal);
            return;
        }

        var wasKept = _upstream.IsReused;
        var safe = !_heardUpstream && (_sentUpstream == 0 || (wasKept && Request.Method.IsIdempotent()));
        BreakOffUpstream();
        if (!safe || !_replayable || _freshOnly || _isBytes)
        {
            ReleaseInstance(Outcome.Broken);
            Answer(HttpProblem.UpstreamClosed, Failure.BadAnswer);
            return;
        }

        ReleaseInstance(wasKept ? Outcome.Abandoned : Outcome.Broken);
        Rewind();
        _freshOnly = true;
        _retries++;
        Acquire();
    }

    private void AnswerBroken(HttpProblem problem)
    {
        if (_answered)
        {
            Finish(Ending.Abort, Failure.BadAnswer);
            return;
        }

        BreakOffUpstream();
        ReleaseInstance(Outcome.Broken);
        Answer(problem.AsUpstream, Failure.BadAnswer);
    }

    private void BreakOffUpstream()
    {
        ReturnAnswerBuffer();
        if (_upstream is { } upstream)
        {
            _upstream = null;
            upstream.BreakOff();
        }
    }

    /// <summary>The whole answer has been received: a slow client holds neither instance nor connection any longer.</summary>
    private void ReleaseUpstream()
    {
        if (_isTunnel || _upstream is not { } upstream || !(_requestDone || _requestBroken))
        {
            return;
        }

        _upstream = null;
        upstream.GiveBack(_requestDone && (_isGateway ? IsGatewayReusable() : Response.KeepAlive) && _received is not { Length: > 0 } && (_instance!.Machine is not null || _instance.IsAccepting));
        ReleaseInstance(Outcome.Answered);
    }

    /// <summary>The whole answer has been sent. True unless a direction of the tunnel still flows.</summary>
    private bool CompleteResponse()
    {
        if (_isTunnel)
        {
            if (!_clientEnded)
            {
                _clientEnded = true;
                _client.EndSending();
            }

            if (!_requestDone && !_requestBroken)
            {
                return false;
            }

            _upstream!.GiveBack(reusable: false);
            _upstream = null;
            Finish(Ending.Close);
            return true;
        }

        ReleaseUpstream();
        Finish(!_requestDone || _refused ? Ending.Linger : _keepAlive ? Ending.KeepAlive : Ending.Close);
        return true;
    }
}
