using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class TransferEncodingTests
{
    [Theory]
    [InlineData("chunked")]
    [InlineData("Chunked")]
    [InlineData("CHUNKED")]
    [InlineData(" \tchunked\t ")]
    public void Chunked_frames_the_body(string value) =>
        Assert.Equal(BodyFraming.Chunked, WireText.Accept(WireText.Post($"Transfer-Encoding:{value}\r\n")).Body);

    [Fact]
    public void It_goes_on_in_our_own_spelling()
    {
        var forwarded = WireText.Forward(WireText.Post("transfer-encoding:\tCHUNKED\r\n"));
        Assert.Contains("\r\nTransfer-Encoding: chunked\r\n", forwarded, StringComparison.Ordinal);
        Assert.DoesNotContain("CHUNKED", forwarded, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_of_them_are_refused() => Assert.Same(
        HttpProblem.TwoEncodings,
        WireText.ProblemOf(WireText.Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")));

    [Theory]
    [InlineData(",chunked", 400)]
    [InlineData("chunked,", 400)]
    [InlineData("chunked;a=b", 400)]
    [InlineData("chunked, gzip", 400)]
    [InlineData("chunked, chunked", 400)]
    [InlineData("\"chunked\"", 400)]
    [InlineData("chun ked", 400)]
    [InlineData("", 400)]
    [InlineData("chunked\xa0", 400)]
    [InlineData("\xa0chunked", 400)]
    [InlineData("xchunked", 501)]
    [InlineData("gzip", 501)]
    [InlineData("gzip, chunked", 501)]
    [InlineData("identity", 501)]
    [InlineData("identity, chunked", 501)]
    public void Anything_but_the_one_word_is_refused(string value, int status) =>
        Assert.Equal(status, WireText.StatusOf(WireText.Post($"Transfer-Encoding: {value}\r\n")));

    [Theory]
    [InlineData("\r\n chunked")]
    [InlineData(" chunked\v")]
    [InlineData("\fchunked")]
    [InlineData(" chunked\0")]
    public void Folding_and_controls_in_it_are_refused(string value) =>
        Assert.Equal(400, WireText.StatusOf(WireText.Post($"Transfer-Encoding:{value}\r\n")));

    [Fact]
    public void In_HTTP_1_0_it_is_refused() => Assert.Same(
        HttpProblem.EncodingInOldVersion,
        WireText.ProblemOf("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));

    [Theory]
    [InlineData("Transfer_Encoding: chunked\r\n")]
    [InlineData("X-Transfer-Encoding: chunked\r\n")]
    [InlineData("Transfer.Encoding: chunked\r\n")]
    public void A_name_that_only_looks_like_it_frames_nothing(string lines) =>
        Assert.Equal(BodyFraming.None, WireText.Accept(WireText.Post(lines)).Body);
}
