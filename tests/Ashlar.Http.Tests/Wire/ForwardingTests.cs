using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class ForwardingTests
{
    private const string Ours =
        "X-Forwarded-For: 192.0.2.7\r\nX-Real-IP: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 8080\r\n"
        + "Via: 1.1 ashlar\r\nForwarded: for=192.0.2.7;proto=http;host=\"a\"\r\nX-Forwarded-Host: a\r\n"
        + "X-Request-Id: 01ARZ3NDEKTSV4RRFFQ69G5FAV\r\nX-Request-Start: t=1700000000000\r\n\r\n";

    [Fact]
    public void A_request_goes_on_as_it_came_with_what_the_proxy_says_behind_it() =>
        Assert.Equal(
            "GET /a%20b?c=d HTTP/1.1\r\nHost: a\r\nAccept:  x \r\n" + Ours,
            WireText.Forward("GET /a%20b?c=d HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nAccept:  x \r\n\r\n"));

    [Fact]
    public void A_response_goes_on_as_it_came_with_Via_and_Date() =>
        Assert.Equal(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.1 ashlar\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
            WireText.Relay("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n"));

    [Fact]
    public void A_chunked_body_is_framed_anew()
    {
        var relay = new ChunkedRelay(HttpLimits.Default);
        var destination = new byte[ChunkedRelay.MinimumDestination(HttpLimits.Default)];
        var input = "3;a=b\r\nabc\r\n002\r\nde\r\n0\r\nX-Sum: 1\r\nHost: b\r\n\r\nGET"u8;
        var status = relay.Relay(input, destination, out var consumed, out var written);
        Assert.Equal(ChunkedStatus.Done, status);
        Assert.Equal(input.Length - 3, consumed);
        Assert.Equal("0005\r\nabcde\r\n0\r\nX-Sum: 1\r\n\r\n", WireText.Text(destination.AsSpan(0, written)));
    }
}
