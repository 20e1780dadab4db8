using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class InterimResponseTests
{
    [Theory]
    [InlineData("100 Continue", true)]
    [InlineData("103 Early Hints", true)]
    [InlineData("199 What", true)]
    [InlineData("101 Switching Protocols", false)]
    [InlineData("200 OK", false)]
    public void Another_head_follows_every_1xx_but_101(string status, bool interim) => Assert.Equal(
        interim, WireText.AcceptResponse($"HTTP/1.1 {status}\r\nUpgrade: websocket\r\n\r\n", upgradeAsked: true).IsInterim);

    [Fact]
    public void It_is_relayed_as_it_came() => Assert.Equal(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n",
        WireText.Relay("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: close\r\n\r\n", keepAlive: false));

    [Fact]
    public void An_HTTP_1_0_client_gets_none_of_it() =>
        Assert.Equal("", WireText.Relay("HTTP/1.1 100 Continue\r\n\r\n", clientVersion: 10));

    [Fact]
    public void The_final_head_is_read_behind_it()
    {
        var bytes = WireText.Bytes("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        var head = new ResponseHead();
        Assert.Equal(ParseStatus.Done, head.Parse(bytes, HttpLimits.Default, KnownMethod.Post));
        Assert.True(head.IsInterim);
        var rest = bytes.AsSpan(head.Consumed);
        head.Reset();
        Assert.Equal(ParseStatus.Done, head.Parse(rest, HttpLimits.Default, KnownMethod.Post));
        Assert.Equal((200, rest.Length), (head.Status, head.Consumed));
    }
}
