using Ashlar.Edge.Balancing;
using Ashlar.Edge.Gateways;
using Ashlar.Edge.Gateways.Cgi;
using Ashlar.Edge.Logging;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>
/// An instance that speaks FastCGI instead of HTTP. Only the two ends differ: the request goes out as records, and what comes back is
/// taken out of its records and given an HTTP head, so that all between is the same.
/// </summary>
internal sealed partial class Exchange
{
    private bool _isGateway;
    private bool _isTranslated;
    private RecordDecoder _records;
    private ErrorLines? _errors;

    // Whether the connection leads straight to an instance that speaks no HTTP: on another machine its edge is the gateway.
    private bool IsForGateway => !_isBytes && _instance is { Machine: null } && _service!.Scripts is not null;

    private ErrorLines Errors => _errors ??= new ErrorLines(_edge.Server.Say);

    private void ResetGateway()
    {
        if (_isGateway)
        {
            _isGateway = _isTranslated = false;
            _records = default;
            _errors?.End();
        }
    }

    private void BeginGateway()
    {
        var instance = _instance!;
        _records = default;
        _isGateway = true;
        _isTranslated = false;
        Errors.Begin(instance.Name);
        _toUpstream.EnsureLarge();
        var head = _client.Received!.Slice(_headStart, Request.Consumed);
        var path = PathOf(head);
        Span<byte> room = stackalloc byte[4 * path.Length + 8192];
        if (!_service!.Scripts!.In(instance.Folder).Find(path, room, out var script))
        {
            AnswerWithout(HttpProblem.NoFile, Failure.NoRoute);
            return;
        }

        var free = _toUpstream.Free;
        FastCgi.BeginRequest.CopyTo(free);
        var begin = FastCgi.BeginRequest.Length;
        var most = Math.Min(free.Length - begin - 3 * FastCgi.HeaderLength, FastCgi.MaxContent);
        var variables = new ParamsWriter(free.Slice(begin + FastCgi.HeaderLength, most));
        var context = new CgiContext
        {
            Script = script,
            Client = ClientAddress(head),
            Secure = IsClientSecure(head),
            Port = _client.Listener.Port,
            DefaultHost = _client.Listener.DefaultHost,
            RequestId = _requestId,
            UnixMilliseconds = _requestMs,
            BodyLength = _spool?.Length ?? (Request.Body == BodyFraming.Length ? Request.ContentLength : -1),
            Lines = CacheLines(out var ownConditions),
            OwnConditions = ownConditions,
            TrustsFields = _fromHop || _client.Peer.Trusted,
        };
        if (!CgiRequest.Write(ref variables, head, Request, context))
        {
            AnswerWithout(HttpProblem.VariablesTooLarge, Failure.BadRequest);
            return;
        }

        FastCgi.WriteHeader(free[begin..], RecordType.Params, variables.Written);
        _toUpstream.Advance(begin + FastCgi.HeaderLength + variables.Written);
        _toUpstream.Copy(FastCgi.EndOfParams);
        BeginStdin();
    }

    private void BeginStdin()
    {
        var length = _spool?.Length ?? Request.ContentLength;
        if (length == 0)
        {
            _toUpstream.Copy(FastCgi.EndOfStdin);
            _requestBody.Begin(BodyFraming.None, 0, toChunked: false);
            return;
        }

        _requestBody.BeginRecords(length);
        if (Request.ExpectContinue && _client.Received!.Length == 0 && _spool is null && _sentToClient == 0)
        {
            // No script says it, so we do: it is about to be given the body.
            _toClient.Copy("HTTP/1.1 100 Continue\r\n\r\n"u8);
        }
    }

    /// <summary>Nothing has been sent to the instance, and nothing will be.</summary>
    private void AnswerWithout(HttpProblem problem, Failure failure)
    {
        _toUpstream.Clear();
        _upstream!.GiveBack(reusable: true);
        _upstream = null;
        _isGateway = false;
        Answer(problem, failure);
    }

    /// <summary>Puts an HTTP head in the place of the script's.</summary>
    private ParseStatus TranslateHead()
    {
        var status = CgiHead.Find(_received!.Data, _options.Limits, out var length);
        if (status != ParseStatus.Done)
        {
            return status;
        }

        // A head cannot grow beyond a large buffer: a byte a line, a line for the status, and what was received with it.
        var buffer = _loop.Buffers.RentLarge();
        if (!CgiHead.Translate(_received.Data[..length], buffer) || buffer.Free.Length < _received.Length - length)
        {
            _loop.Buffers.Return(buffer);
            return ParseStatus.Bad;
        }

        buffer.Append(_received.Data[length..]);
        ReturnAnswerBuffer();
        _received = buffer;
        _isTranslated = true;
        return ParseStatus.Done;
    }

    /// <summary>The server has ended the request, or says what is no answer; all that it has said before is relayed.</summary>
    private void RecordsEnded()
    {
        if (_records.Status == RecordStatus.Bad)
        {
            BrokenScript(HttpProblem.ScriptRecords);
        }
        else if (_answered && _records.Ended == ProtocolStatus.Complete && _responseBody.End(_toClient))
        {
            _responseDone = true;
        }
        else if (_answered)
        {
            Finish(Ending.Abort, Failure.Truncated);
        }
        else if (_records.Ended == ProtocolStatus.Overloaded)
        {
            ScriptOverloaded();
        }
        else if (_records.Ended == ProtocolStatus.Complete)
        {
            Unanswered();
        }
        else
        {
            BrokenScript(HttpProblem.ScriptRefused);
        }
    }

    /// <summary>The request has ended without an answer: our own host of scripts says more of it than FastCGI has words for.</summary>
    private void Unanswered()
    {
        var problem = !_service!.IsCgi ? null : (CgiStatus)_records.AppStatus switch
        {
            CgiStatus.TimedOut => HttpProblem.ScriptTimeout,
            CgiStatus.NotStarted => HttpProblem.ScriptNotStarted,
            CgiStatus.NotFound => HttpProblem.NoFile,
            _ => null,
        };
        if (problem is null)
        {
            BrokenScript(HttpProblem.ScriptUnfinished);
            return;
        }

        BreakOffUpstream();
        ReleaseInstance(Outcome.Answered);
        Answer(problem, problem == HttpProblem.ScriptTimeout ? Failure.UpstreamTimeout : problem == HttpProblem.NoFile ? Failure.NoRoute : Failure.BadAnswer);
    }

    /// <summary>The server has not begun with the request: another may take it.</summary>
    private void ScriptOverloaded()
    {
        BreakOffUpstream();
        _heardUpstream = false;
        if (_replayable && _attempts < _options.MaxAttempts)
        {
            Rewind();
            TryAnother(Outcome.Abandoned);
        }
        else
        {
            Answer(HttpProblem.Overloaded, Failure.BadAnswer);
        }
    }

    // Always false: the exchange has taken another course.
    private bool BrokenScript(HttpProblem problem)
    {
        AnswerBroken(problem);
        return false;
    }

    /// <summary>
    /// A worker of a FastCGI server serves one connection, idle or not: those that other loops keep give way to a new one, which would
    /// wait for them in vain.
    /// </summary>
    private void FreeWorkers(InstanceTarget instance)
    {
        if (Volatile.Read(ref instance.KeptAt) is var kept and > 0 && _loop.Now - kept < _options.Upstream.IdleTimeout.TotalMilliseconds)
        {
            _edge.Server.CloseIdle(instance.EndPoint);
        }
    }

    /// <summary>The connection is at the beginning of another request. A worker that is kept by an edge that ends serves nobody.</summary>
    private bool IsGatewayReusable()
    {
        var isReusable = _records is { Status: RecordStatus.Ended, IsClean: true } && !_edge.IsDraining;
        if (isReusable)
        {
            Volatile.Write(ref _instance!.KeptAt, _loop.Now);
        }

        return isReusable;
    }
}
