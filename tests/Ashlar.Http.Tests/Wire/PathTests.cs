using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

/// <summary>The bytes that are routed are the bytes that are forwarded; what an app could read as another path is refused.</summary>
public class PathTests
{
    [Theory]
    [InlineData("/..")]
    [InlineData("/../")]
    [InlineData("/a/../b")]
    [InlineData("/a/..")]
    [InlineData("/%2e%2e/b")]
    [InlineData("/a/%2E./b")]
    [InlineData("/a/.%2e")]
    [InlineData("/a%2f..%2fb")]
    [InlineData("/a/..%2fb")]
    [InlineData("/a/..%5cb")]
    [InlineData("/a/..;/b")]
    [InlineData("/a/%2e%2e;x=y/b")]
    [InlineData("/a/..;")]
    public void A_path_that_climbs_is_refused(string path) =>
        Assert.Same(HttpProblem.PathClimbs, WireText.ProblemOf($"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));

    [Theory]
    [InlineData("/a\\b")]
    [InlineData("/\\..\\b")]
    [InlineData("/a%00")]
    [InlineData("/a%0d%0ab")]
    [InlineData("/a%0D")]
    [InlineData("/a%0A")]
    [InlineData("/%")]
    [InlineData("/%4")]
    [InlineData("/%zz")]
    [InlineData("/%%41")]
    [InlineData("/%u0041")]
    [InlineData("/%c0%af")]
    [InlineData("/%C1%9c")]
    [InlineData("/%e0%80%af")]
    [InlineData("/%f0%80%80%af")]
    public void What_decodes_to_a_trick_is_refused(string path) =>
        Assert.Same(HttpProblem.PathEncoding, WireText.ProblemOf($"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));

    [Theory]
    [InlineData("/")]
    [InlineData("//a")]
    [InlineData("/a//b")]
    [InlineData("/./a")]
    [InlineData("/a/.")]
    [InlineData("/.well-known/x")]
    [InlineData("/...")]
    [InlineData("/..a")]
    [InlineData("/a..")]
    [InlineData("/a/..b/c")]
    [InlineData("/;..")]
    [InlineData("/a%2fb")]
    [InlineData("/a%5cb")]
    [InlineData("/%41%e9")]
    [InlineData("/%c3%a9")]
    [InlineData("/%e0%a0%80")]
    [InlineData("/%f0%90%80%80")]
    [InlineData("/%C0")]
    [InlineData("/%252e%252e/")]
    [InlineData("/a?b/../c%00%0d%0a%zz\\")]
    public void All_else_is_forwarded_as_the_same_bytes(string target)
    {
        var request = $"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n";
        var path = WireText.Text(WireText.Accept(request).PathRange.Of(WireText.Bytes(request)));
        Assert.Equal(target.Split('?')[0], path);
        Assert.StartsWith($"GET {target} HTTP/1.1\r\n", WireText.Forward(request), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://b/../x")]
    [InlineData("http://b/%2e%2e")]
    public void The_path_of_a_URL_is_held_to_the_same_rules(string target) =>
        Assert.Same(HttpProblem.PathClimbs, WireText.ProblemOf($"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
}
