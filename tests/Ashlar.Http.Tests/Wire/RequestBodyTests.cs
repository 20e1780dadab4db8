using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class RequestBodyTests
{
    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("OPTIONS")]
    [InlineData("DELETE")]
    public void A_body_is_framed_whatever_the_method_so_that_the_next_request_stays_intact(string method)
    {
        const string Body = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
        var request = $"{method} /x HTTP/1.1\r\nHost: a\r\nContent-Length: {Body.Length}\r\n\r\n";
        var head = WireText.Accept(request + Body);
        Assert.Equal((request.Length, BodyFraming.Length, (long)Body.Length), (head.Consumed, head.Body, head.ContentLength));
        Assert.Contains($"Content-Length: {Body.Length}\r\n", WireText.Forward(request), StringComparison.Ordinal);
        Assert.Equal(BodyFraming.Chunked, WireText.Accept($"{method} / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").Body);
    }

    [Fact]
    public void Without_a_length_a_request_has_no_body() =>
        Assert.Equal(BodyFraming.None, WireText.Accept(WireText.Post("")).Body);

    [Fact]
    public void Pipelined_requests_are_read_one_behind_the_other()
    {
        var bytes = WireText.Bytes("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\nGET /3 HTTP/1.1\r\n\r\n");
        var head = new RequestHead();
        Assert.Equal(ParseStatus.Done, head.Parse(bytes, HttpLimits.Default));
        Assert.Equal("/1", WireText.Text(head.PathRange.Of(bytes)));
        var rest = bytes.AsSpan(head.Consumed);
        head.Reset();
        Assert.Equal(ParseStatus.Done, head.Parse(rest, HttpLimits.Default));
        Assert.Equal("/2", WireText.Text(head.PathRange.Of(rest)));
        Assert.Equal("b", WireText.Text(head.HostRange.Of(rest)));
        rest = rest[head.Consumed..];
        head.Reset();
        Assert.Equal(ParseStatus.Bad, head.Parse(rest, HttpLimits.Default));
        Assert.Equal(ParseStatus.Bad, head.Parse(rest, HttpLimits.Default));
    }

    [Theory]
    [InlineData("Content-Length: 5\r\nExpect: 100-continue\r\n", true)]
    [InlineData("Transfer-Encoding: chunked\r\nExpect: 100-Continue\r\n", true)]
    [InlineData("Expect: 100-continue\r\n", false)]
    [InlineData("Content-Length: 0\r\nExpect: 100-continue\r\n", false)]
    public void An_expectation_is_passed_on_where_there_is_a_body_to_wait_for(string lines, bool expects)
    {
        Assert.Equal(expects, WireText.Accept(WireText.Post(lines)).ExpectContinue);
        Assert.Equal(expects, WireText.Forward(WireText.Post(lines)).Contains("Expect", StringComparison.Ordinal));
    }

    [Fact]
    public void An_HTTP_1_0_client_expects_nothing() => Assert.False(
        WireText.Accept("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n").ExpectContinue);

    [Theory]
    [InlineData("Expect: 200-ok\r\n")]
    [InlineData("Expect:\r\n")]
    [InlineData("Expect: 100-continue, x\r\n")]
    [InlineData("Expect: 100-continue\r\nExpect: 100-continue\r\n")]
    public void Another_expectation_is_a_417(string lines) =>
        Assert.Equal(417, WireText.StatusOf(WireText.Post("Content-Length: 5\r\n" + lines)));
}
