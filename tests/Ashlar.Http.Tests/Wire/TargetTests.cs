using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class TargetTests
{
    private static string Line(string request) => WireText.Forward(request).Split("\r\n")[0];

    [Theory]
    [InlineData("http://b/x?y", "/x?y", "b", "b")]
    [InlineData("http://b", "/", "b", "b")]
    [InlineData("http://b?y", "/?y", "b", "b")]
    [InlineData("HTTPS://B:8443/x", "/x", "B:8443", "B")]
    [InlineData("http://[::1]:80/", "/", "[::1]:80", "[::1]")]
    public void A_URL_target_overrides_Host_and_is_forwarded_as_a_path(string target, string path, string host, string name)
    {
        var request = $"GET {target} HTTP/1.1\r\nHost: other\r\nX: y\r\n\r\n";
        var head = WireText.Accept(request);
        Assert.Equal(TargetForm.Absolute, head.TargetForm);
        Assert.Equal(name, WireText.Text(head.HostNameRange.Of(WireText.Bytes(request))));
        var forwarded = WireText.Forward(request);
        Assert.StartsWith($"GET {path} HTTP/1.1\r\nHost: {host}\r\nX: y\r\n", forwarded, StringComparison.Ordinal);
        Assert.DoesNotContain("other", forwarded, StringComparison.Ordinal);
        Assert.Contains($"X-Forwarded-Host: {host}\r\n", forwarded, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://")]
    [InlineData("http:///x")]
    [InlineData("http://user@b/")]
    [InlineData("http://user:secret@b/")]
    [InlineData("http://b:x/")]
    [InlineData("http://b,c/")]
    [InlineData("http:/b/")]
    [InlineData("http:b")]
    [InlineData("ftp://b/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("b:80")]
    [InlineData("b/x")]
    [InlineData("?x")]
    [InlineData("httpx://b/")]
    public void Any_other_URL_is_refused(string target) =>
        Assert.Equal(400, WireText.StatusOf($"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));

    [Fact]
    public void OPTIONS_may_ask_for_the_server_as_a_whole()
    {
        Assert.Equal(TargetForm.Asterisk, WireText.Accept("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").TargetForm);
        Assert.Equal("OPTIONS * HTTP/1.1", Line("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"));
        Assert.Equal("OPTIONS * HTTP/1.1", Line("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n"));
        Assert.Equal("OPTIONS / HTTP/1.1", Line("OPTIONS http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"));
    }

    [Theory]
    [InlineData("GET *")]
    [InlineData("POST *")]
    [InlineData("OPTIONS **")]
    [InlineData("OPTIONS */x")]
    public void An_asterisk_is_for_OPTIONS_alone(string start) =>
        Assert.Same(HttpProblem.TargetFormNotAllowed, WireText.ProblemOf($"{start} HTTP/1.1\r\nHost: a\r\n\r\n"));

    [Theory]
    [InlineData("CONNECT a:443")]
    [InlineData("CONNECT /")]
    [InlineData("TRACE /")]
    public void CONNECT_and_TRACE_are_not_implemented(string start) =>
        Assert.Equal(501, WireText.StatusOf($"{start} HTTP/1.1\r\nHost: a\r\n\r\n"));

    [Theory]
    [InlineData("/#x")]
    [InlineData("#")]
    [InlineData("/a\tb")]
    [InlineData("/\x01")]
    [InlineData("/\x7f")]
    [InlineData("/\xe9")]
    [InlineData("/?\xc3\xa9")]
    [InlineData("http://a/#x")]
    public void A_fragment_a_control_or_what_is_not_ASCII_is_refused(string target) =>
        Assert.Equal(400, WireText.StatusOf($"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));

    [Fact]
    public void A_raw_space_is_refused() =>
        Assert.Equal(400, WireText.StatusOf("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"));

    [Fact]
    public void What_browsers_send_bare_is_accepted()
    {
        const string Request = "GET /a|b?c={d}^`\"<>\\[] HTTP/1.1\r\nHost: a\r\n\r\n";
        var head = WireText.Accept(Request);
        Assert.Equal("/a|b", WireText.Text(head.PathRange.Of(WireText.Bytes(Request))));
        Assert.Equal("?c={d}^`\"<>\\[]", WireText.Text(head.QueryRange.Of(WireText.Bytes(Request))));
        Assert.Equal("GET /a|b?c={d}^`\"<>\\[] HTTP/1.1", Line(Request));
    }
}
