using System.Text;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>Answers that the edge gives itself.</summary>
internal sealed partial class Exchange
{
    /// <summary>Answers with a problem: status, reason, and the request's id to find it in the log by.</summary>
    private void Answer(HttpProblem problem)
    {
        ReleaseInstance(Balancing.Outcome.Abandoned);
        var id = Encoding.ASCII.GetString(_requestId);
        var body = $"{problem.Status} {problem.Title}\n{problem.Reason}\n{problem.Code}, request {id}\n";
        var retryAfter = problem.Status == 503 ? $"Retry-After: {_service?.RetryAfterSeconds ?? 1}\r\n" : "";
        WriteOwn(
            problem.Status,
            $"{problem.Title}\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nX-Request-Id: {id}\r\n{retryAfter}",
            body);
    }

    /// <summary>OPTIONS with Max-Forwards: 0 is for us (RFC 9110 section 7.6.2).</summary>
    private void AnswerOptions() =>
        WriteOwn(200, "OK\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n", "");

    private void WriteOwn(int status, string reasonAndFields, string body)
    {
        _stage = Stage.Relaying;
        _status = status;
        _answerBegun = _answered = _responseDone = true;
        _requestDone |= Request.Body == BodyFraming.None;
        _requestBroken = true;
        _keepAlive = _requestDone && !_refused && Request.KeepAlive && !_edge.IsDraining;
        _toClient.Clear();
        var connection = Request.Version == 10
            ? _keepAlive ? "Connection: keep-alive\r\n" : ""
            : _keepAlive ? "" : "Connection: close\r\n";
        _toClient.Copy(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {status} {reasonAndFields}Content-Length: {body.Length}\r\n{connection}Via: 1.1 ashlar\r\n"));
        _toClient.Copy(_edge.DateLine);
        _toClient.Copy("\r\n"u8);
        if (Request.Method != KnownMethod.Head)
        {
            _toClient.Copy(Encoding.ASCII.GetBytes(body));
        }
    }
}
