using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class ContentLengthTests
{
    [Fact]
    public void A_length_frames_the_body()
    {
        var head = WireText.Accept(WireText.Post("Content-Length: 5\r\n", "hello"));
        Assert.Equal(BodyFraming.Length, head.Body);
        Assert.Equal(5, head.ContentLength);
    }

    [Theory]
    [InlineData("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")]
    [InlineData("Transfer-Encoding: identity\r\nContent-Length: 5\r\n")]
    [InlineData("Transfer-Encoding:\r\nContent-Length: 5\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length:\r\n")]
    public void Together_with_Transfer_Encoding_it_is_refused(string lines) =>
        Assert.Same(HttpProblem.LengthAndEncoding, WireText.ProblemOf(WireText.Post(lines)));

    [Theory]
    [InlineData("Content-Length: 5\r\nContent-Length: 6\r\n")]
    [InlineData("Content-Length: 5\r\nContent-Length: 5\r\n")]
    [InlineData("Content-Length: 5\r\ncontent-length: 5\r\n")]
    public void Two_of_them_are_refused_even_when_equal(string lines) =>
        Assert.Same(HttpProblem.TwoLengths, WireText.ProblemOf(WireText.Post(lines)));

    [Theory]
    [InlineData("5, 5")]
    [InlineData("5,6")]
    [InlineData("+5")]
    [InlineData("-0")]
    [InlineData("-5")]
    [InlineData("0x5")]
    [InlineData("1_0")]
    [InlineData("5 5")]
    [InlineData("5Z")]
    [InlineData("5.0")]
    [InlineData("5;")]
    [InlineData("\"5\"")]
    [InlineData("")]
    [InlineData("9223372036854775808")]
    [InlineData("18446744073709551621")]
    [InlineData("99999999999999999999999999999")]
    [InlineData("\xb2")]
    public void Anything_but_plain_digits_below_2_to_the_63_is_refused(string value) =>
        Assert.Same(HttpProblem.Length, WireText.ProblemOf(WireText.Post($"Content-Length: {value}\r\n")));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("005", 5)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void Digits_are_taken_as_they_stand(string value, long length) =>
        Assert.Equal(length, WireText.Accept(WireText.Post($"Content-Length: {value}\r\n")).ContentLength);

    [Fact]
    public void A_length_of_zero_is_no_body_and_is_still_said_to_the_app()
    {
        Assert.Equal(BodyFraming.None, WireText.Accept(WireText.Post("Content-Length: 0\r\n")).Body);
        Assert.Contains("Content-Length: 0\r\n", WireText.Forward(WireText.Post("Content-Length: 0\r\n")), StringComparison.Ordinal);
    }
}
