using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class MaxForwardsTests
{
    private static string Options(string lines) => $"OPTIONS / HTTP/1.1\r\nHost: a\r\n{lines}\r\n";

    [Fact]
    public void OPTIONS_is_passed_on_with_one_hop_less() => Assert.Contains(
        "\r\nMax-Forwards: 2\r\n", WireText.Forward(Options("Max-Forwards: 3\r\n")), StringComparison.Ordinal);

    [Fact]
    public void At_zero_the_edge_answers_itself()
    {
        Assert.Equal(0, WireText.Accept(Options("Max-Forwards: 0\r\n")).MaxForwards);
        Assert.Equal(-1, WireText.Accept(Options("")).MaxForwards);
        var head = WireText.AcceptResponse(WireText.Text(OptionsAnswer.Response), KnownMethod.Options);
        Assert.Equal((200, BodyFraming.None, true), (head.Status, head.Body, head.KeepAlive));
    }

    [Theory]
    [InlineData("Max-Forwards: -1\r\n")]
    [InlineData("Max-Forwards: x\r\n")]
    [InlineData("Max-Forwards:\r\n")]
    [InlineData("Max-Forwards: 1\r\nMax-Forwards: 2\r\n")]
    public void What_is_no_number_is_refused(string lines) =>
        Assert.Same(HttpProblem.MaxForwardsValue, WireText.ProblemOf(Options(lines)));

    [Fact]
    public void With_other_methods_it_means_nothing() =>
        Assert.Contains("\r\nMax-Forwards: 0\r\n", WireText.Forward(WireText.Get("Max-Forwards: 0\r\n")), StringComparison.Ordinal);
}
