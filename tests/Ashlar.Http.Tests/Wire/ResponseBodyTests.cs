using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class ResponseBodyTests
{
    [Theory]
    [InlineData("200 OK", "Content-Length: 5\r\n", BodyFraming.Length)]
    [InlineData("200 OK", "Content-Length: 0\r\n", BodyFraming.None)]
    [InlineData("200 OK", "Transfer-Encoding: chunked\r\n", BodyFraming.Chunked)]
    [InlineData("200 OK", "", BodyFraming.UntilClose)]
    [InlineData("204 No Content", "", BodyFraming.None)]
    [InlineData("204 No Content", "Content-Length: 5\r\n", BodyFraming.None)]
    [InlineData("204 No Content", "Transfer-Encoding: chunked\r\n", BodyFraming.None)]
    [InlineData("304 Not Modified", "Content-Length: 5\r\n", BodyFraming.None)]
    [InlineData("103 Early Hints", "Content-Length: 5\r\n", BodyFraming.None)]
    [InlineData("404 Not Found", "Content-Length: 5\r\n", BodyFraming.Length)]
    public void Status_and_fields_say_where_the_body_ends(string status, string lines, BodyFraming body) =>
        Assert.Equal(body, WireText.AcceptResponse($"HTTP/1.1 {status}\r\n{lines}\r\n").Body);

    [Theory]
    [InlineData("Content-Length: 5\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n")]
    [InlineData("")]
    public void An_answer_to_HEAD_has_no_body(string lines)
    {
        var head = WireText.AcceptResponse($"HTTP/1.1 200 OK\r\n{lines}\r\n", KnownMethod.Head);
        Assert.Equal((BodyFraming.None, true), (head.Body, head.KeepAlive));
    }

    [Fact]
    public void HEAD_and_304_keep_the_length_they_tell_of()
    {
        Assert.Contains("Content-Length: 5", WireText.Relay("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", method: KnownMethod.Head), StringComparison.Ordinal);
        Assert.Contains("Content-Length: 5", WireText.Relay("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("204 No Content", "Content-Length: 5\r\n")]
    [InlineData("204 No Content", "Transfer-Encoding: chunked\r\n")]
    [InlineData("103 Early Hints", "Content-Length: 5\r\n")]
    [InlineData("100 Continue", "Transfer-Encoding: chunked\r\n")]
    public void A_204_and_an_interim_response_tell_of_none(string status, string lines)
    {
        var relayed = WireText.Relay($"HTTP/1.1 {status}\r\n{lines}\r\n");
        Assert.DoesNotContain("Content-Length", relayed, StringComparison.Ordinal);
        Assert.DoesNotContain("Transfer-Encoding", relayed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")]
    [InlineData("Content-Length: 5\r\nContent-Length: 6\r\n")]
    [InlineData("Content-Length: 5\r\nContent-Length: 5\r\n")]
    [InlineData("Content-Length: 5, 6\r\n")]
    [InlineData("Content-Length: -5\r\n")]
    [InlineData("Transfer-Encoding: gzip\r\n")]
    [InlineData("Transfer-Encoding: gzip, chunked\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")]
    [InlineData("Connection: a b\r\n")]
    public void Unclear_framing_is_a_502(string lines)
    {
        Assert.Equal(502, WireText.ResponseProblem($"HTTP/1.1 200 OK\r\n{lines}\r\n")!.Status);
        Assert.Equal(502, WireText.ResponseProblem($"HTTP/1.1 200 OK\r\n{lines}\r\n", KnownMethod.Head)!.Status);
    }

    [Fact]
    public void Chunked_from_an_HTTP_1_0_server_is_a_502() =>
        Assert.Equal(502, WireText.ResponseProblem("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")!.Status);

    [Theory]
    [InlineData("", 11, BodyFraming.Chunked, true)]
    [InlineData("", 10, BodyFraming.UntilClose, false)]
    [InlineData("Transfer-Encoding: chunked\r\n", 11, BodyFraming.Chunked, true)]
    [InlineData("Transfer-Encoding: chunked\r\n", 10, BodyFraming.UntilClose, false)]
    [InlineData("Content-Length: 5\r\n", 11, BodyFraming.Length, true)]
    [InlineData("Content-Length: 5\r\n", 10, BodyFraming.Length, true)]
    public void The_client_gets_framing_that_its_version_knows(string lines, int version, BodyFraming body, bool keepAlive)
    {
        var relayed = WireText.Relay($"HTTP/1.1 200 OK\r\n{lines}\r\n", out var framing, version);
        Assert.Equal(new ClientFraming(body, keepAlive), framing);
        Assert.Equal(body == BodyFraming.Chunked, relayed.Contains("\r\nTransfer-Encoding: chunked\r\n", StringComparison.Ordinal));
        Assert.Equal(version == 11 && !keepAlive, relayed.Contains("\r\nConnection: close\r\n", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", true)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n", false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n", false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n", true)]
    [InlineData("HTTP/1.1 200 OK\r\n", false)]
    public void The_connection_to_the_app_lives_on_only_where_it_is_left_clean(string head, bool keepAlive) =>
        Assert.Equal(keepAlive, WireText.AcceptResponse(head + "\r\n").KeepAlive);

    [Theory]
    [InlineData("HTTP/1.1 200", "HTTP/1.1 200 \r\n")]
    [InlineData("HTTP/1.1 200 ", "HTTP/1.1 200 \r\n")]
    [InlineData("HTTP/1.1 299 Caf\xe9 ok", "HTTP/1.1 299 Caf\xe9 ok\r\n")]
    [InlineData("HTTP/1.0 200 OK", "HTTP/1.1 200 OK\r\n")]
    public void A_status_line_goes_on_as_HTTP_1_1(string line, string forwarded) => Assert.StartsWith(
        forwarded, WireText.Relay(line + "\r\nContent-Length: 0\r\n\r\n"), StringComparison.Ordinal);

    [Theory]
    [InlineData("HTTP/2.0 200 OK")]
    [InlineData("HTTP/1.2 200 OK")]
    [InlineData("http/1.1 200 OK")]
    [InlineData("HTTP/1.1  200 OK")]
    [InlineData("HTTP/1.1 20 OK")]
    [InlineData("HTTP/1.1 2000 OK")]
    [InlineData("HTTP/1.1 099 OK")]
    [InlineData("HTTP/1.1 200OK")]
    [InlineData("HTTP/1.1 +20 OK")]
    [InlineData("HTTP/1.1 OK")]
    [InlineData("ICY 200 OK")]
    [InlineData("")]
    [InlineData("<html>")]
    public void Another_status_line_is_a_502(string line) =>
        Assert.Equal(502, WireText.ResponseProblem(line + "\r\nContent-Length: 0\r\n\r\n")!.Status);

    [Fact]
    public void Via_is_added_and_Date_where_the_app_sent_none()
    {
        Assert.Contains("\r\nVia: 1.0 ashlar\r\n", WireText.Relay("HTTP/1.0 200 OK\r\n\r\n"), StringComparison.Ordinal);
        var relayed = WireText.Relay("HTTP/1.1 200 OK\r\nDate: its own\r\nVia: 1.1 other\r\n\r\n");
        Assert.Contains("\r\nDate: its own\r\nVia: 1.1 other\r\n", relayed, StringComparison.Ordinal);
        Assert.DoesNotContain("1994", relayed, StringComparison.Ordinal);
        Assert.Contains("\r\nVia: 1.1 ashlar\r\n", relayed, StringComparison.Ordinal);
    }
}
