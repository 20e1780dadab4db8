using Ashlar.Edge.Balancing;
using Ashlar.Edge.Caching.Store;
using Ashlar.Edge.Logging;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>Answers that the edge gives itself.</summary>
internal sealed partial class Exchange
{
    /// <summary>Answers with the page of a problem.</summary>
    private void Answer(HttpProblem problem, Failure failure)
    {
        ReleaseInstance(Outcome.Abandoned);
        if (AnsweredByStale(problem))
        {
            return;
        }

        _failure = failure;
        LetGoStored();
        EndFill(FillState.Given);
        if ((_fromHop || _isBytes) && AnswerBetweenMachines(problem))
        {
            return;
        }

        BeginOwnAnswer(problem.Status);
        var answer = ErrorPage.Response(
            problem,
            _requestId,
            _edge.DateLine,
            _service?.Name,
            _keepAlive,
            Request.Version == 10 ? 10 : 11,
            bodiless: Request.Method == KnownMethod.Head,
            retryAfter: problem.Status == 503 ? _service?.RetryAfterSeconds ?? 1 : 0,
            json: Request.Consumed > 0 && ErrorPage.PrefersJson(Request, _client.Received!.Slice(_headStart, Request.Consumed)),
            page: _edge.Server.Routes.Web?.PageFor(problem),
            lines: [.. _moreLines, .. HstsLine, .. EditLines]);
        if (answer.Length > _toClient.Room)
        {
            _toClient.EnsureLarge();
        }

        // A page of the team's may be larger than a buffer.
        var first = Math.Min(answer.Length, _toClient.Room);
        _toClient.Copy(answer.AsSpan(0, first));
        if (first < answer.Length)
        {
            (_content, _fileAt, _fileEnd) = (answer, first, answer.Length);
            _responseDone = false;
        }
    }

    private void AnswerOptions()
    {
        BeginOwnAnswer(200);
        _toClient.Copy(OptionsAnswer.Response);
    }

    private void BeginOwnAnswer(int status)
    {
        _stage = Stage.Relaying;
        _status = status;
        _answered = _responseDone = true;

        // What is left of a body is not read: the connection ends with this answer.
        _requestDone |= Request.Body == BodyFraming.None;
        _requestBroken = true;
        _keepAlive = _requestDone && !_refused && Request.KeepAlive && !_edge.IsDraining;
        _toUpstream.Clear();
    }
}
