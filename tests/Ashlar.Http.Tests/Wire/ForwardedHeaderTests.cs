using System.Net;
using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class ForwardedHeaderTests
{
    private const string Claims =
        "X-Forwarded-For: 1.1.1.1\r\nx-forwarded-FOR: 2.2.2.2\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n"
        + "X-Forwarded-Prefix: /evil\r\nForwarded: for=3.3.3.3\r\nX-Real-IP: 4.4.4.4\r\n"
        + "X-Request-Id: mine\r\nX-Request-Start: t=1\r\n";

    [Fact]
    public void What_a_client_claims_of_itself_is_replaced() =>
        Assert.Equal(WireText.Forward(WireText.Get("")), WireText.Forward(WireText.Get(Claims)));

    [Fact]
    public void A_trusted_peers_word_is_kept_and_ours_added()
    {
        var forwarded = WireText.Forward(WireText.Get(Claims), new ForwardedPeer(IPAddress.Parse("192.0.2.7"), false, 80, trusted: true));
        Assert.Contains("X-Forwarded-For: 1.1.1.1\r\nx-forwarded-FOR: 2.2.2.2\r\n", forwarded, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-For: 192.0.2.7\r\n", forwarded, StringComparison.Ordinal);
        Assert.Contains("\r\nForwarded: for=3.3.3.3\r\n", forwarded, StringComparison.Ordinal);
        Assert.Contains("\r\nForwarded: for=192.0.2.7;proto=http;host=\"a\"\r\n", forwarded, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Request-Id: mine\r\n", forwarded, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Forwarded-Proto: http\r\n", forwarded, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Forwarded-Host: a\r\n", forwarded, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Real-IP: 192", forwarded, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Request-Start: t=1700000000000\r\n", forwarded, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("<script>")]
    public void A_trusted_peers_id_is_replaced_when_it_is_not_fit_for_a_log(string id) => Assert.Contains(
        "X-Request-Id: 01ARZ3NDEKTSV4RRFFQ69G5FAV\r\n",
        WireText.Forward(WireText.Get($"X-Request-Id: {id}\r\n"), new ForwardedPeer(IPAddress.Loopback, false, 80, trusted: true)),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("2001:db8::1", "2001:db8::1", "\"[2001:db8::1]\"")]
    [InlineData("fe80::1%2", "fe80::1", "\"[fe80::1]\"")]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7")]
    public void An_IPv6_address_is_quoted_in_Forwarded_alone(string address, string plain, string node)
    {
        var forwarded = WireText.Forward(
            "GET / HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", new ForwardedPeer(IPAddress.Parse(address), secure: true, port: 8443));
        Assert.Contains($"\r\nX-Forwarded-For: {plain}\r\n", forwarded, StringComparison.Ordinal);
        Assert.Contains($"\r\nForwarded: for={node};proto=https;host=\"[::1]:8443\"\r\n", forwarded, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Proto: https\r\n", forwarded, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Port: 8443\r\n", forwarded, StringComparison.Ordinal);
    }

    [Fact]
    public void An_HTTP_1_0_client_without_a_host_is_described_without_one()
    {
        var forwarded = WireText.Forward("GET / HTTP/1.0\r\n\r\n");
        Assert.Contains("\r\nForwarded: for=192.0.2.7;proto=http\r\n", forwarded, StringComparison.Ordinal);
        Assert.Contains("\r\nVia: 1.0 ashlar\r\n", forwarded, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Forwarded-Host", forwarded, StringComparison.Ordinal);
    }

    [Fact]
    public void Via_is_added_to_what_stands_there() => Assert.Contains(
        "\r\nVia: 1.0 other\r\nX: y\r\n",
        WireText.Forward(WireText.Get("Via: 1.0 other\r\nX: y\r\n")),
        StringComparison.Ordinal);
}
