using Ashlar.Edge.Balancing;
using Ashlar.Edge.Logging;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>How long the exchange waits for whom, and what follows when they do not come.</summary>
internal sealed partial class Exchange
{
    private const long Forever = 10L * 365 * 24 * 3600 * 1000;

    // Milliseconds in which nothing but the client's body was awaited, and since when it is (0: it is not); what was received meanwhile.
    private long _bodyAwaited;
    private long _bodyAwaitedFrom;
    private long _bodyReceived;

    private enum Awaited
    {
        ClientTakesAnswer,
        ClientSendsBody,
        InstanceAnswers,
        InstanceGoesOn,
        Either,
    }

    private Awaited WaitsFor()
    {
        if (_isTunnel)
        {
            return Awaited.Either;
        }

        if (!_toClient.IsEmpty || SendsFile)
        {
            return Awaited.ClientTakesAnswer;
        }

        if (_answered)
        {
            return _isEventStream ? Awaited.Either : Awaited.InstanceGoesOn;
        }

        // A client that expects 100 Continue waits, as we do, for the instance.
        var clientsTurn = !_requestDone && !_requestBroken && _toUpstream.IsEmpty
            && !(Request.ExpectContinue && !_heardUpstream && _requestBody.Bytes == 0);
        return clientsTurn ? Awaited.ClientSendsBody : Awaited.InstanceAnswers;
    }

    private long PatienceMs()
    {
        if (_isBytes && _isTunnel)
        {
            // Whether the other side is still there is for the kernel to find out.
            return Forever;
        }

        var span = WaitsFor() switch
        {
            Awaited.ClientTakesAnswer => _options.SendTimeout,
            Awaited.ClientSendsBody => _options.RequestBodyTimeout,
            Awaited.InstanceAnswers => _options.ResponseHeadTimeout,
            Awaited.InstanceGoesOn => _options.ResponseBodyTimeout,
            _ => _options.TunnelTimeout,
        };
        return span == _options.ResponseHeadTimeout && _answerTimeoutMs > 0 ? _answerTimeoutMs : (long)span.TotalMilliseconds;
    }

    /// <summary>What is awaited now has a clock of its own.</summary>
    private void NoDeadline()
    {
        _halfClosed = false;
        _client.ClearDeadline();
    }

    /// <summary>What is awaited now is done by the edge itself, off the loop.</summary>
    private void LookDeadline()
    {
        _halfClosed = false;
        _client.SetDeadline((long)_options.LookTimeout.TotalMilliseconds);
    }

    private void StopBodyClock()
    {
        if (_bodyAwaitedFrom != 0)
        {
            _bodyAwaited += _loop.Now - _bodyAwaitedFrom;
            _bodyAwaitedFrom = 0;
        }
    }

    /// <summary>
    /// A body that trickles holds as much as one that has stopped does; only it shows no silence. Judged span by span, so that no
    /// haste at the beginning makes up for it.
    /// </summary>
    private void StartBodyClock()
    {
        if (_stage != Stage.Spooling && (_stage != Stage.Relaying || _requestDone || _answered || WaitsFor() != Awaited.ClientSendsBody))
        {
            return;
        }

        _bodyAwaitedFrom = _loop.Now;
        if (_bodyAwaited <= _options.RequestBodyTimeout.TotalMilliseconds)
        {
            return;
        }

        if (_bodyReceived < _bodyAwaited * _options.MinRequestBodyRate / 1000)
        {
            RefuseBody(HttpProblem.BodyTimeout, Failure.ClientTimeout);
            Relay();
        }

        _bodyAwaited = _bodyReceived = 0;
    }

    private void RelayTimedOut()
    {
        var awaited = WaitsFor();
        if (_halfClosed)
        {
            Finish(Ending.Abort, Failure.ClientGone);
        }
        else if (awaited == Awaited.ClientTakesAnswer)
        {
            ClientIsGone(Failure.ClientTimeout);
        }
        else if (_answered)
        {
            Finish(Ending.Abort, Failure.Truncated);
        }
        else if (awaited == Awaited.ClientSendsBody)
        {
            RefuseBody(HttpProblem.BodyTimeout, Failure.ClientTimeout);
        }
        else
        {
            BreakOffUpstream();
            ReleaseInstance(Outcome.Broken);
            Answer(HttpProblem.UpstreamTimeout, Failure.UpstreamTimeout);
        }
    }
}
