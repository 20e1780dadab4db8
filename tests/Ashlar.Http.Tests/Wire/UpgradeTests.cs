using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class UpgradeTests
{
    [Fact]
    public void A_WebSocket_handshake_is_passed_on()
    {
        var request = WireText.Get("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: x\r\n");
        var head = WireText.Accept(request);
        Assert.True(head.Upgrade);
        Assert.True(head.IsWebSocket);
        var forwarded = WireText.Forward(request);
        Assert.Contains("\r\nSec-WebSocket-Key: x\r\n", forwarded, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n", forwarded, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Upgrade: websocket\r\n")]
    [InlineData("Connection: upgrade\r\n")]
    [InlineData("Connection: upgrade\r\nUpgrade:\r\n")]
    [InlineData("Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n")]
    [InlineData("Connection: upgrade\r\nUpgrade: H2C\r\n")]
    [InlineData("Connection: upgrade\r\nUpgrade: HTTP/2.0\r\n")]
    [InlineData("Connection: upgrade\r\nUpgrade: TLS/1.0\r\n")]
    [InlineData("Connection: upgrade\r\nUpgrade: websocket, h2c\r\n")]
    [InlineData("Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n")]
    [InlineData("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n")]
    [InlineData("Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n")]
    public void Any_offer_that_is_not_plain_is_not_passed_on(string lines)
    {
        Assert.False(WireText.Accept(WireText.Get(lines)).Upgrade);
        var forwarded = WireText.Forward(WireText.Get(lines));
        Assert.DoesNotContain("pgrade", forwarded, StringComparison.Ordinal);
        Assert.DoesNotContain("HTTP2", forwarded, StringComparison.Ordinal);
    }

    [Fact]
    public void HTTP_1_0_offers_nothing() => Assert.False(
        WireText.Accept("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n").Upgrade);

    [Fact]
    public void Only_GET_makes_a_WebSocket() => Assert.False(
        WireText.Accept(WireText.Post("Connection: upgrade\r\nUpgrade: websocket\r\n")).IsWebSocket);

    [Fact]
    public void A_101_that_was_asked_for_is_relayed()
    {
        var relayed = WireText.Relay(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n",
            out var framing, upgradeAsked: true);
        Assert.Contains("\r\nSec-WebSocket-Accept: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n", relayed, StringComparison.Ordinal);
        Assert.Equal(new ClientFraming(BodyFraming.None, false), framing);
    }

    [Fact]
    public void A_101_that_was_not_asked_for_is_a_502() => Assert.Same(
        HttpProblem.UpgradeNotAsked,
        WireText.ResponseProblem("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"));

    [Fact]
    public void A_101_that_does_not_say_to_what_is_a_502() => Assert.Equal(
        502, WireText.ResponseProblem("HTTP/1.1 101 Switching Protocols\r\n\r\n", upgradeAsked: true)!.Status);

    [Fact]
    public void A_refused_offer_leaves_an_ordinary_exchange()
    {
        var head = WireText.AcceptResponse("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n", upgradeAsked: true);
        Assert.Equal((BodyFraming.Length, true), (head.Body, head.KeepAlive));
    }

    [Fact]
    public void A_426_says_what_to_upgrade_to() => Assert.Contains(
        "\r\nConnection: upgrade\r\nUpgrade: websocket\r\n",
        WireText.Relay("HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n"),
        StringComparison.Ordinal);
}
