using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class ConnectionHeaderTests
{
    [Theory]
    [InlineData("Keep-Alive: timeout=5\r\n")]
    [InlineData("Proxy-Connection: keep-alive\r\n")]
    [InlineData("Connection: X-Hop\r\nX-Hop: 1\r\n")]
    [InlineData("X-Hop: 1\r\nConnection: close, x-HOP\r\n")]
    [InlineData("X-Hop: 1\r\nConnection: close\r\nConnection: X-Hop\r\n")]
    [InlineData("X-Hop: 1\r\nX-Hop: 2\r\nConnection: ,, X-Hop ,\r\n")]
    [InlineData("TE: gzip\r\n")]
    [InlineData("Trailer: X-Hop\r\n")]
    [InlineData("Upgrade: websocket\r\n")]
    [InlineData("HTTP2-Settings: AAMAAABkAAQAAP\r\nConnection: HTTP2-Settings\r\n")]
    [InlineData("Proxy-Authorization: Basic c2VjcmV0\r\n")]
    [InlineData("Proxy: http://evil/\r\n")]
    public void What_belongs_to_one_hop_is_not_passed_on(string lines)
    {
        var forwarded = WireText.Forward(WireText.Get(lines));
        Assert.Equal(WireText.Forward(WireText.Get("")), forwarded);
    }

    [Theory]
    [InlineData("Keep-Alive: timeout=5\r\n")]
    [InlineData("Proxy-Connection: keep-alive\r\n")]
    [InlineData("Connection: X-Hop\r\nX-Hop: 1\r\n")]
    [InlineData("Upgrade: h2c\r\n")]
    [InlineData("Proxy-Authenticate: Basic\r\n")]
    [InlineData("TE: x\r\n")]
    [InlineData("Trailer: X-Hop\r\n")]
    public void Nor_back(string lines) => Assert.Equal(
        WireText.Relay("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        WireText.Relay($"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{lines}\r\n"));

    [Theory]
    [InlineData("host", "Host: a")]
    [InlineData("content-length", "Content-Length: 3")]
    [InlineData("authorization", "Authorization: Basic x")]
    [InlineData("cookie", "Cookie: x=y")]
    [InlineData("x-forwarded-for", "X-Forwarded-For: 192.0.2.7")]
    [InlineData("x-real-ip", "X-Real-IP: 192.0.2.7")]
    [InlineData("forwarded", "Forwarded: for=192.0.2.7;proto=http;host=\"a\"")]
    [InlineData("x-request-id", "X-Request-Id: 01ARZ3NDEKTSV4RRFFQ69G5FAV")]
    [InlineData("via", "Via: 1.0 other")]
    [InlineData("content-type", "Content-Type: text/plain")]
    [InlineData("cache-control", "Cache-Control: no-store")]
    public void Naming_a_field_meant_for_everybody_does_not_delete_it(string named, string line)
    {
        var forwarded = WireText.Forward(WireText.Post(
            $"Connection: close, {named}\r\nContent-Length: 3\r\nAuthorization: Basic x\r\nCookie: x=y\r\nVia: 1.0 other\r\n"
            + "Content-Type: text/plain\r\nCache-Control: no-store\r\n",
            "abc"));
        Assert.Contains($"\r\n{line}\r\n", forwarded, StringComparison.Ordinal);
    }

    [Fact]
    public void Naming_Transfer_Encoding_does_not_unframe_the_body() => Assert.Contains(
        "\r\nTransfer-Encoding: chunked\r\n",
        WireText.Forward(WireText.Post("Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n")),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("HTTP/1.1", "", true)]
    [InlineData("HTTP/1.1", "Connection: close\r\n", false)]
    [InlineData("HTTP/1.1", "Connection: CLOSE\r\n", false)]
    [InlineData("HTTP/1.1", "Connection: keep-alive, close\r\n", false)]
    [InlineData("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n", false)]
    [InlineData("HTTP/1.1", "Connection:\r\n", true)]
    [InlineData("HTTP/1.0", "", false)]
    [InlineData("HTTP/1.0", "Connection: Keep-Alive\r\n", true)]
    [InlineData("HTTP/1.0", "Connection: keep-alive, close\r\n", false)]
    public void It_says_whether_the_connection_lives_on(string version, string lines, bool keepAlive) =>
        Assert.Equal(keepAlive, WireText.Accept($"GET / {version}\r\nHost: a\r\n{lines}\r\n").KeepAlive);

    [Theory]
    [InlineData("a b")]
    [InlineData("close;x")]
    [InlineData("\"close\"")]
    [InlineData("clos\xe9")]
    public void What_is_no_list_of_tokens_is_refused(string value) =>
        Assert.Same(HttpProblem.ConnectionOptions, WireText.ProblemOf(WireText.Get($"Connection: {value}\r\n")));

    [Fact]
    public void More_than_32_options_are_refused() => Assert.Same(
        HttpProblem.ConnectionOptions,
        WireText.ProblemOf(WireText.Get($"Connection: {string.Join(',', Enumerable.Range(0, 33).Select(i => $"x{i}"))}\r\n")));

    [Fact]
    public void A_client_that_takes_trailers_is_vouched_for() => Assert.Contains(
        "\r\nConnection: TE\r\nTE: trailers\r\n",
        WireText.Forward(WireText.Get("TE: gzip;q=0.5, Trailers\r\nConnection: TE\r\n")),
        StringComparison.Ordinal);

    [Theory]
    [InlineData(11, true, "")]
    [InlineData(11, false, "Connection: close\r\n")]
    [InlineData(10, true, "Connection: keep-alive\r\n")]
    [InlineData(10, false, "")]
    public void The_client_is_told_what_becomes_of_its_connection(int version, bool keepAlive, string line) => Assert.Equal(
        $"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: x\r\n{line}Via: 1.1 ashlar\r\n\r\n",
        WireText.Relay("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: x\r\nConnection: close\r\n\r\n", version, keepAlive));
}
