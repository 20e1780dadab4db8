namespace Ashlar.Http.Tests.Wire;

public class UnderscoreTests
{
    [Theory]
    [InlineData("X_Forwarded_For: 1.1.1.1\r\n")]
    [InlineData("X-Forwarded_Anything: 1.1.1.1\r\n")]
    [InlineData("X_Real_IP: 1.1.1.1\r\n")]
    [InlineData("content_length: 5\r\n")]
    [InlineData("Transfer_Encoding: chunked\r\n")]
    [InlineData("HOST_: a\r\nHost-: a\r\nConnection: Host-\r\n")]
    [InlineData("a_b-c: 1\r\nA-b_c: 2\r\n")]
    public void A_name_that_a_gateway_would_take_for_another_is_dropped(string lines) =>
        Assert.Equal(WireText.Forward(WireText.Get("")), WireText.Forward(WireText.Get(lines)));

    [Fact]
    public void The_name_with_hyphens_stays()
    {
        var forwarded = WireText.Forward(WireText.Get("X_User: evil\r\nX-User: good\r\nx_USER: evil\r\n"));
        Assert.Contains("\r\nX-User: good\r\n", forwarded, StringComparison.Ordinal);
        Assert.DoesNotContain("evil", forwarded, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("stripe_signature: x\r\n")]
    [InlineData("a_b: 1\r\na_b: 2\r\n")]
    [InlineData("a_b: 1\r\na-bc: 2\r\n")]
    public void Without_a_clash_it_passes(string lines) =>
        Assert.Contains("\r\n" + lines, WireText.Forward(WireText.Get(lines)), StringComparison.Ordinal);
}
