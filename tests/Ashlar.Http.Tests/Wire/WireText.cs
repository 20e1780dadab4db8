using System.Net;
using System.Text;
using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

/// <summary>Short ways to parse and forward messages written as text; bytes above 127 by Latin-1.</summary>
internal static class WireText
{
    public static readonly ForwardedPeer Peer = new(IPAddress.Parse("192.0.2.7"), secure: false, port: 8080);

    public static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    public static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    /// <summary>A GET with these header lines, each ending with CRLF, and a Host.</summary>
    public static string Get(string lines) => $"GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n";

    /// <summary>A POST with these header lines, each ending with CRLF, and a Host.</summary>
    public static string Post(string lines, string body = "") => $"POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n{body}";

    /// <summary>The status that refuses a request, or 0 when it is accepted.</summary>
    public static int StatusOf(string request) => ProblemOf(request)?.Status ?? 0;

    public static HttpProblem? ProblemOf(string request)
    {
        var head = new RequestHead();
        var status = head.Parse(Bytes(request), HttpLimits.Default);
        Assert.NotEqual(ParseStatus.NeedMore, status);
        return head.Problem;
    }

    public static RequestHead Accept(string request)
    {
        var head = new RequestHead();
        var status = head.Parse(Bytes(request), HttpLimits.Default);
        Assert.True(status == ParseStatus.Done, $"{status}: {head.Problem}");
        return head;
    }

    public static HttpProblem? ResponseProblem(string response, KnownMethod method = KnownMethod.Get, bool upgradeAsked = false)
    {
        var head = new ResponseHead();
        var status = head.Parse(Bytes(response), HttpLimits.Default, method, upgradeAsked);
        Assert.NotEqual(ParseStatus.NeedMore, status);
        return head.Problem;
    }

    public static ResponseHead AcceptResponse(string response, KnownMethod method = KnownMethod.Get, bool upgradeAsked = false)
    {
        var head = new ResponseHead();
        var status = head.Parse(Bytes(response), HttpLimits.Default, method, upgradeAsked);
        Assert.True(status == ParseStatus.Done, $"{status}: {head.Problem}");
        return head;
    }

    /// <summary>The head that goes to the app.</summary>
    public static string Forward(string request, ForwardedPeer? peer = null, string defaultHost = "127.0.0.1:8080")
    {
        var bytes = Bytes(request);
        var head = Accept(request);
        var context = new ForwardContext
        {
            Peer = peer ?? Peer,
            RequestId = "01ARZ3NDEKTSV4RRFFQ69G5FAV"u8,
            UnixMilliseconds = 1_700_000_000_000,
            DefaultHost = Bytes(defaultHost),
        };
        var destination = new byte[ForwardWriter.RequestBound(head, in context)];
        return Text(destination.AsSpan(0, ForwardWriter.WriteRequest(destination, bytes, head, in context)));
    }

    /// <summary>The head that goes to the client.</summary>
    public static string Relay(string response, out ClientFraming framing, int clientVersion = 11, bool keepAlive = true,
        KnownMethod method = KnownMethod.Get, bool upgradeAsked = false)
    {
        var bytes = Bytes(response);
        var head = AcceptResponse(response, method, upgradeAsked);
        var context = new ResponseContext
        {
            ClientVersion = clientVersion,
            KeepAlive = keepAlive,
            DateLine = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"u8,
        };
        var destination = new byte[ForwardWriter.ResponseBound(head, in context)];
        return Text(destination.AsSpan(0, ForwardWriter.WriteResponse(destination, bytes, head, in context, out framing)));
    }

    public static string Relay(string response, int clientVersion = 11, bool keepAlive = true,
        KnownMethod method = KnownMethod.Get, bool upgradeAsked = false) =>
        Relay(response, out _, clientVersion, keepAlive, method, upgradeAsked);
}
