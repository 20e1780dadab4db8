using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class LimitsTests
{
    private static HttpProblem? Parse(string request, HttpLimits? limits = null)
    {
        var head = new RequestHead();
        head.Parse(WireText.Bytes(request), limits ?? HttpLimits.Default);
        return head.Problem;
    }

    [Fact]
    public void A_target_that_is_too_long_is_a_414_as_soon_as_that_is_known()
    {
        var start = "GET /" + new string('a', 16 * 1024 - 4);
        Assert.Same(HttpProblem.TargetTooLong, Parse(start));
        Assert.Same(HttpProblem.TargetTooLong, Parse(start + " HTTP/1.1\r\nHost: a\r\n\r\n"));
        Assert.Null(Parse(start[..^10] + " HTTP/1.1\r\nHost: a\r\n\r\n"));
    }

    [Fact]
    public void A_head_that_is_too_large_is_a_431_as_soon_as_that_is_known()
    {
        var start = "GET / HTTP/1.1\r\nHost: a\r\nX: " + new string('a', 32 * 1024 - 29);
        Assert.Same(HttpProblem.HeadTooLarge, Parse(start));
        Assert.Same(HttpProblem.HeadTooLarge, Parse(start + "\r\n\r\n"));
        var fits = start[..(32 * 1024 - 4)] + "\r\n\r\n";
        Assert.Equal(32 * 1024, fits.Length);
        Assert.Null(Parse(fits));
    }

    [Fact]
    public void The_hundred_and_first_header_line_is_a_431()
    {
        static string Request(int lines) =>
            "GET / HTTP/1.1\r\nHost: a\r\n" + string.Concat(Enumerable.Repeat("X: y\r\n", lines - 1)) + "\r\n";
        Assert.Null(Parse(Request(100)));
        Assert.Same(HttpProblem.TooManyFields, Parse(Request(101)));
    }

    [Fact]
    public void A_name_longer_than_1024_bytes_is_a_431()
    {
        Assert.Null(Parse(WireText.Get(new string('x', 1024) + ": y\r\n")));
        Assert.Same(HttpProblem.FieldNameTooLong, Parse(WireText.Get(new string('x', 1025) + ": y\r\n")));
    }

    [Fact]
    public void Limits_can_be_set()
    {
        Assert.Equal(414, Parse("GET /abc HTTP/1.1", new HttpLimits { MaxRequestLine = 16 })?.Status);
        Assert.Equal(431, Parse(WireText.Get("X: y\r\n"), new HttpLimits { MaxHeaders = 1 })?.Status);
        Assert.Equal(431, Parse(WireText.Get("X: y\r\n"), new HttpLimits { MaxHeadBytes = 30 })?.Status);
    }

    [Fact]
    public void A_response_head_that_is_too_large_is_a_502() => Assert.Equal(
        502, WireText.ResponseProblem($"HTTP/1.1 200 OK\r\nX: {new string('a', 33_000)}\r\n\r\n")!.Status);
}
