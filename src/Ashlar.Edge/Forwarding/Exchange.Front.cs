using System.Globalization;
using System.Text;
using Ashlar.Edge.Logging;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>What the public listeners answer themselves: redirects to HTTPS and to the canonical host, ACME's questions, 421.</summary>
internal sealed partial class Exchange
{
    /// <summary>True: the request needs no service.</summary>
    private bool AnsweredByListener(FrontRules rules, ReadOnlySpan<byte> head)
    {
        var listener = _client.Listener;
        if (listener.Service is not null || (!rules.HasAny && !listener.IsSecure))
        {
            return false;
        }

        var host = Request.HostRange.Of(head);
        if (listener.IsSecure)
        {
            if (!_client.IsFor(host))
            {
                Answer(HttpProblem.Misdirected, Failure.NoRoute);
                return true;
            }
        }
        else if (rules.AnswerTo(Request.PathRange.Of(head)) is { IsEmpty: false } answer)
        {
            AnswerShort("200 OK", $"Content-Type: text/plain\r\nContent-Length: {answer.Length}\r\n", answer);
            return true;
        }

        // A proxy that we trust may have spoken TLS with the client in our stead.
        var isSecure = listener.IsSecure || (_client.Peer.Trusted && IsClientSecure(head));
        if (!rules.Moves(host, isSecure, out var name, out var port))
        {
            return false;
        }

        var scheme = isSecure || rules.IsRedirected(name) ? "https" : "http";
        var location = Encoding.ASCII.GetString([.. name, .. port, .. Request.PathRange.Of(head), .. Request.QueryRange.Of(head)]);

        // 301 is what everybody understands for GET; 308 keeps any other method and its body (RFC 9110 section 15.4.9).
        var status = Request.Method is KnownMethod.Get or KnownMethod.Head ? "301 Moved Permanently" : "308 Permanent Redirect";
        AnswerShort(status, $"Location: {scheme}://{location}\r\nContent-Length: 0\r\n", default);
        return true;
    }

    private void AnswerShort(string status, string lines, ReadOnlySpan<byte> body)
    {
        BeginOwnAnswer(int.Parse(status.AsSpan(0, 3), CultureInfo.InvariantCulture));
        var persistence = _keepAlive == (Request.Version == 11) ? "" : _keepAlive ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
        byte[] answer =
        [
            .. Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\n"), .. _edge.DateLine, .. Encoding.ASCII.GetBytes(lines), .. HstsLine, .. EditLines,
            .. Encoding.ASCII.GetBytes($"Via: 1.1 ashlar\r\n{persistence}\r\n"), .. Request.Method == KnownMethod.Head ? default : body,
        ];
        if (answer.Length > _toClient.Room)
        {
            _toClient.EnsureLarge();
        }

        _toClient.Copy(answer);
    }

    /// <summary>Line for the client's answer that holds browsers to HTTPS; empty where nothing is said.</summary>
    private ReadOnlySpan<byte> HstsLine => _client.Listener.IsSecure || IsSecuredByProxy ? _edge.Server.Routes.Front.HstsLine : default;

    // A proxy that we trust has spoken TLS with the client in our stead.
    private bool IsSecuredByProxy =>
        _client.Peer.Trusted && Request.Consumed > 0 && !_fromHop && IsClientSecure(_client.Received!.Slice(_headStart, Request.Consumed));
}
