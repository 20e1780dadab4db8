using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class HostTests
{
    [Fact]
    public void HTTP_1_1_needs_one() =>
        Assert.Same(HttpProblem.NoHost, WireText.ProblemOf("GET / HTTP/1.1\r\n\r\n"));

    [Fact]
    public void HTTP_1_1_needs_one_even_with_a_URL_target() =>
        Assert.Same(HttpProblem.NoHost, WireText.ProblemOf("GET http://a/ HTTP/1.1\r\n\r\n"));

    [Theory]
    [InlineData("Host: a\r\nHost: b\r\n")]
    [InlineData("Host: a\r\nhost: a\r\n")]
    public void Two_are_refused(string lines) =>
        Assert.Same(HttpProblem.TwoHosts, WireText.ProblemOf($"GET / HTTP/1.1\r\n{lines}\r\n"));

    [Theory]
    [InlineData("")]
    [InlineData("user@a")]
    [InlineData("a/b")]
    [InlineData("a,b")]
    [InlineData("a, b")]
    [InlineData("a b")]
    [InlineData("http://a")]
    [InlineData("a?b")]
    [InlineData("a#b")]
    [InlineData("a\\b")]
    [InlineData("a%41")]
    [InlineData("a:b")]
    [InlineData("a:-1")]
    [InlineData("a:65536")]
    [InlineData("a:80:80")]
    [InlineData("a:080800")]
    [InlineData(":80")]
    [InlineData(".a")]
    [InlineData("a..b")]
    [InlineData("\xe9")]
    [InlineData("::1")]
    [InlineData("[]")]
    [InlineData("[::1")]
    [InlineData("[::1]a")]
    [InlineData("[::1%25eth0]")]
    [InlineData("[127.0.0.1]")]
    [InlineData("[12345::]")]
    [InlineData("[v1.a]")]
    public void What_is_not_a_name_or_address_with_a_port_is_refused(string host) =>
        Assert.Same(HttpProblem.Host, WireText.ProblemOf($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));

    [Theory]
    [InlineData("a", "a")]
    [InlineData("Shop.Example", "Shop.Example")]
    [InlineData("shop.example.", "shop.example.")]
    [InlineData("a_b-c.d", "a_b-c.d")]
    [InlineData("a:8080", "a")]
    [InlineData("a:", "a")]
    [InlineData("127.0.0.1:80", "127.0.0.1")]
    [InlineData("[::1]", "[::1]")]
    [InlineData("[2001:DB8::1]:65535", "[2001:DB8::1]")]
    [InlineData("[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.1]")]
    public void The_name_to_route_by_is_the_host_without_the_port(string host, string name)
    {
        var request = $"GET / HTTP/1.1\r\nHost:  {host} \r\n\r\n";
        var head = WireText.Accept(request);
        Assert.Equal(host, WireText.Text(head.HostRange.Of(WireText.Bytes(request))));
        Assert.Equal(name, WireText.Text(head.HostNameRange.Of(WireText.Bytes(request))));
    }

    [Fact]
    public void HTTP_1_0_may_name_none_and_the_app_is_told_the_default()
    {
        Assert.Equal(0, WireText.Accept("GET / HTTP/1.0\r\n\r\n").HostRange.Length);
        var forwarded = WireText.Forward("GET / HTTP/1.0\r\n\r\n", defaultHost: "127.0.0.1:8080");
        Assert.StartsWith("GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n", forwarded, StringComparison.Ordinal);
    }
}
