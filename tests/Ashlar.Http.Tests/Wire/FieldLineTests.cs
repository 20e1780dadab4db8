using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class FieldLineTests
{
    [Theory]
    [InlineData("X : a\r\n")]
    [InlineData("X\t: a\r\n")]
    [InlineData("Content-Length : 5\r\n")]
    [InlineData(": a\r\n")]
    [InlineData("X[]: a\r\n")]
    [InlineData("X(y): a\r\n")]
    [InlineData("X y: a\r\n")]
    [InlineData("X\xe9: a\r\n")]
    [InlineData("X\"y: a\r\n")]
    [InlineData("X@y: a\r\n")]
    public void A_name_is_a_token_right_before_its_colon(string line) =>
        Assert.Same(HttpProblem.FieldName, WireText.ProblemOf(WireText.Get(line)));

    [Fact]
    public void A_line_without_a_colon_is_refused() =>
        Assert.Same(HttpProblem.FieldWithoutColon, WireText.ProblemOf(WireText.Get("X\r\n")));

    [Theory]
    [InlineData("X: a\r\n b\r\n")]
    [InlineData("X: a\r\n\tb\r\n")]
    [InlineData("X: a\r\n \r\n")]
    [InlineData("X: a\r\n Host: b\r\n")]
    public void A_folded_line_is_refused(string lines) =>
        Assert.Same(HttpProblem.FoldedLine, WireText.ProblemOf(WireText.Get(lines)));

    [Fact]
    public void White_space_before_the_first_line_is_refused() =>
        Assert.Same(HttpProblem.FoldedLine, WireText.ProblemOf("GET / HTTP/1.1\r\n Host: a\r\n\r\n"));

    [Theory]
    [InlineData('\0')]
    [InlineData('\x01')]
    [InlineData('\b')]
    [InlineData('\v')]
    [InlineData('\f')]
    [InlineData('\x1b')]
    [InlineData('\x7f')]
    public void A_control_in_a_value_is_refused_wherever_it_stands(char control)
    {
        for (var before = 0; before < 70; before++)
        {
            var line = $"X: {new string('a', before)}{control}{new string('b', 70 - before)}\r\n";
            Assert.Same(HttpProblem.ControlCharacter, WireText.ProblemOf(WireText.Get(line)));
        }
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\nHost: a\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\n")]
    [InlineData("GET / HTTP/1.1\nHost: a\n\n")]
    [InlineData("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nX: a\nb\r\n\r\n")]
    public void A_bare_line_feed_is_refused(string request) =>
        Assert.Same(HttpProblem.BareLineFeed, WireText.ProblemOf(request));

    [Theory]
    [InlineData("GET / HTTP/1.1\rHost: a\r\r")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n")]
    [InlineData("GET /\r HTTP/1.1\r\nHost: a\r\n\r\n")]
    public void A_bare_carriage_return_is_refused(string request) =>
        Assert.Same(HttpProblem.BareCarriageReturn, WireText.ProblemOf(request));

    [Fact]
    public void White_space_around_a_value_is_no_part_of_it_and_all_else_is()
    {
        const string Request = "GET / HTTP/1.1\r\nHost: a\r\nX:\t a\tb \xe9\x80 \t\r\nY:\r\n\r\n";
        var head = WireText.Accept(Request);
        var bytes = WireText.Bytes(Request);
        Assert.Equal("a\tb \xe9\x80", WireText.Text(head.Fields[1].Value(bytes)));
        Assert.Equal("X", WireText.Text(head.Fields[1].Name(bytes)));
        Assert.Equal(0, head.Fields[2].ValueLength);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX : a\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX: \0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX\r\n\r\n")]
    [InlineData("HTTP/1.1 200\x01OK\r\n\r\n")]
    public void The_same_faults_in_a_response_are_a_502(string response) =>
        Assert.Equal(502, WireText.ResponseProblem(response)!.Status);
}
