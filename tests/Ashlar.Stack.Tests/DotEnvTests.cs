namespace Ashlar.Stack.Tests;

public sealed class DotEnvTests : StackTest
{
    private StackLoadResult Env(string text)
    {
        Folder.Write(".env", text);
        return Yaml("services: {web: {run: x}}");
    }

    [Theory]
    [InlineData("A=b", "b")]
    [InlineData("export A=b", "b")]
    [InlineData("  A = b c  ", "b c")]
    [InlineData("A=", "")]
    [InlineData("A= # a comment", "")]
    [InlineData("A=b # a comment", "b")]
    [InlineData("A=b#c", "b#c")]
    [InlineData("A='b # c' # d", "b # c")]
    [InlineData("A='\\n$X'", "\\n$X")]
    [InlineData("A=\"x\\ny\\t\\\"\\\\\\q\"", "x\ny\t\"\\\\q")]
    [InlineData("A=\"line 1\r\nline 2\"\nB=c", "line 1\nline 2")]
    [InlineData("A=$HOME/${X}$", "$HOME/${X}$")]
    [InlineData("A=\"\\$x $y\"", "$x $y")]
    [InlineData("A=b=c==", "b=c==")]
    [InlineData("A=it's", "it's")]
    [InlineData("\uFEFF# comment\r\n\r\nA=b\r\n", "b")]
    [InlineData("A=ü€😀", "ü€😀")]
    [InlineData("export=1\nA=x", "x")]
    public void A_value_is_what_it_says(string text, string value) => Assert.Equal(value, WithoutDiagnostics(Env(text)).DotEnv["A"]);

    [Theory]
    [InlineData("topsecret", "1:1 ASH1028")]
    [InlineData("A=1\n  topsecret", "2:3 ASH1028")]
    [InlineData("top-secret=1", "1:1 ASH1019")]
    [InlineData("1A=topsecret", "1:1 ASH1019")]
    [InlineData("A=\"topsecret", "1:3 ASH1028")]
    [InlineData("A='topsecret\nB=1", "1:3 ASH1028")]
    [InlineData("A=\"x\" topsecret", "1:7 ASH1028")]
    [InlineData("=topsecret", "1:1 ASH1019")]
    public void A_mistake_has_its_place_and_tells_no_secret(string text, string place)
    {
        var error = OneError(Env(text));

        Assert.Equal(place, Place(error));
        Assert.DoesNotContain("secret", error.ToString());
    }

    [Fact]
    public void Lines_after_an_open_quote_are_still_checked() =>
        Assert.Equal(["1:3 ASH1028", "2:1 ASH1019"], Env("A=\"x\n1B=y\n").Errors.Select(Place));

    [Fact]
    public void The_last_of_two_counts_and_is_warned_of()
    {
        var result = Env("A=1\nA=2\n");

        Assert.Equal("2", result.Stack!.DotEnv["A"]);
        Assert.Equal("2:1 ASH1035", Place(Assert.Single(result.Diagnostics)));
    }
}
