using Ashlar.Edge.Balancing;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>How long the exchange waits for whom, and what follows when they do not come.</summary>
internal sealed partial class Exchange
{
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

        if (!_toClient.IsEmpty)
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
        var span = WaitsFor() switch
        {
            Awaited.ClientTakesAnswer => _options.SendTimeout,
            Awaited.ClientSendsBody => _options.RequestBodyTimeout,
            Awaited.InstanceAnswers => _options.ResponseHeadTimeout,
            Awaited.InstanceGoesOn => _options.ResponseBodyTimeout,
            _ => _options.TunnelTimeout,
        };
        return (long)span.TotalMilliseconds;
    }

    private void RelayTimedOut()
    {
        if (_halfClosed || _answerBegun)
        {
            Finish(Ending.Abort);
            return;
        }

        var awaited = WaitsFor();
        BreakOffUpstream();
        if (awaited == Awaited.ClientSendsBody)
        {
            ReleaseInstance(Outcome.Abandoned);
            _refused = true;
            Answer(HttpProblem.BodyTimeout);
        }
        else
        {
            ReleaseInstance(Outcome.Broken);
            Answer(HttpProblem.UpstreamTimeout);
        }
    }
}
