using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class RequestLineTests
{
    [Theory]
    [InlineData("GET  / HTTP/1.1")]
    [InlineData("GET /  HTTP/1.1")]
    [InlineData("GET / HTTP/1.1 ")]
    [InlineData(" GET / HTTP/1.1")]
    [InlineData("GET\t/ HTTP/1.1")]
    [InlineData("GET /\tHTTP/1.1")]
    [InlineData("GET / http/1.1")]
    [InlineData("GET / HTTP/1.10")]
    [InlineData("GET / HTTP/01.1")]
    [InlineData("GET / HTTP/1")]
    [InlineData("GET / HTTP/1,1")]
    [InlineData("GET / HTTP/1.1x")]
    [InlineData("GET / HTTPS/1.1")]
    [InlineData("GET / ")]
    [InlineData("GET /")]
    [InlineData("GET")]
    [InlineData("GET HTTP/1.1")]
    [InlineData("/ HTTP/1.1")]
    [InlineData("G{}T / HTTP/1.1")]
    [InlineData("G\xc9T / HTTP/1.1")]
    [InlineData("GET:/ / HTTP/1.1")]
    public void It_is_method_space_target_space_version_and_nothing_else(string line) =>
        Assert.Equal(400, WireText.StatusOf($"{line}\r\nHost: a\r\n\r\n"));

    [Theory]
    [InlineData("GET / HTTP/2.0")]
    [InlineData("GET / HTTP/1.2")]
    [InlineData("GET / HTTP/0.9")]
    [InlineData("GET / HTTP/3.0")]
    [InlineData("PRI * HTTP/2.0")]
    public void Another_version_is_a_505(string line) =>
        Assert.Equal(505, WireText.StatusOf($"{line}\r\nHost: a\r\n\r\n"));

    [Theory]
    [InlineData("GET", KnownMethod.Get)]
    [InlineData("HEAD", KnownMethod.Head)]
    [InlineData("POST", KnownMethod.Post)]
    [InlineData("PUT", KnownMethod.Put)]
    [InlineData("DELETE", KnownMethod.Delete)]
    [InlineData("OPTIONS", KnownMethod.Options)]
    [InlineData("PATCH", KnownMethod.Patch)]
    [InlineData("get", KnownMethod.Other)]
    [InlineData("Get", KnownMethod.Other)]
    [InlineData("PROPFIND", KnownMethod.Other)]
    [InlineData("M-SEARCH", KnownMethod.Other)]
    public void A_method_is_forwarded_as_it_is_spelled(string method, KnownMethod known)
    {
        Assert.Equal(known, WireText.Accept($"{method} / HTTP/1.1\r\nHost: a\r\n\r\n").Method);
        Assert.StartsWith($"{method} / HTTP/1.1\r\n", WireText.Forward($"{method} / HTTP/1.1\r\nHost: a\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_method_longer_than_32_bytes_is_a_501() =>
        Assert.Equal(501, WireText.StatusOf($"{new string('A', 33)} / HTTP/1.1\r\nHost: a\r\n\r\n"));

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\r\n\r\n")]
    public void An_empty_line_or_two_before_it_are_passed_over(string before)
    {
        var request = before + "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
        Assert.Equal(request.Length, WireText.Accept(request).Consumed);
        Assert.StartsWith("GET /x HTTP/1.1\r\nHost: a\r\n", WireText.Forward(request), StringComparison.Ordinal);
    }

    [Fact]
    public void Three_empty_lines_before_it_are_refused() =>
        Assert.Same(HttpProblem.TooManyEmptyLines, WireText.ProblemOf("\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"));

    [Fact]
    public void The_app_is_always_asked_in_HTTP_1_1() => Assert.StartsWith(
        "GET /x HTTP/1.1\r\nHost: a\r\n", WireText.Forward("GET /x HTTP/1.0\r\nHost: a\r\n\r\n"), StringComparison.Ordinal);
}
