namespace Ashlar.Stack.Tests;

/// <summary>What is no YAML, or too much of it.</summary>
public sealed class YamlTests : StackTest
{
    [Theory]
    [InlineData("services:\n\tweb: {run: x}\n", "2:1 ASH1030")]
    [InlineData("services:\n  web:\n  \trun: x\n", "3:3 ASH1030")]
    [InlineData("services:\n  web: {run: *cmd}\n", "2:14 ASH1011")]
    [InlineData("services: &a\n  web: *a\n", "2:8 ASH1036")]
    [InlineData("services: {web: {run: x}}\n---\nb: 1\n", "2:1 ASH1010")]
    [InlineData("services: !ruby/object {}\n", "1:11 ASH1010")]
    [InlineData("a: 'open\n", "2:1 ASH1010")]
    [InlineData("a: [1, 2\nb: 3\n", "1:6 ASH1010")]
    [InlineData("a: b: c\n", "1:5 ASH1010")]
    [InlineData("a: @x\n", "1:5 ASH1010")]
    [InlineData("? [a]\n: b\n", "1:3 ASH1005")]
    [InlineData("<<: 7\n", "1:5 ASH1005")]
    [InlineData("a: \"\\0\"\n", "1:4 ASH1025")]
    [InlineData("%YAML 9.9\n---\na: b\n", "1:1 ASH1010")]
    public void Malformed_text_is_answered_with_its_place(string yaml, string place)
    {
        var error = OneError(Yaml(yaml));

        Assert.Equal(place, Place(error));
    }

    [Fact]
    public void An_unknown_anchor_is_answered_with_the_nearest() =>
        Assert.Equal("did you mean \"*common\"?", OneError(Yaml("a: &common {}\nb: *comon\n")).Suggestion);

    [Fact]
    public void Aliases_that_multiply_are_refused()
    {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
            + string.Concat(Enumerable.Range(1, 20).Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));

        Assert.Equal("ASH1037", OneError(Yaml(bomb)).Code);
    }

    [Fact]
    public void Maps_merged_again_and_again_are_refused()
    {
        var keys = string.Join(", ", Enumerable.Range(0, 1000).Select(i => $"k{i}: v"));
        var aliases = string.Join(", ", Enumerable.Repeat("*a", 100_000));

        Assert.Equal("ASH1037", OneError(Yaml($"a: &a {{{keys}}}\nb:\n  <<: [{aliases}]\n")).Code);
    }

    [Theory]
    [InlineData("[", 500_000)]
    [InlineData("{a: ", 200_000)]
    [InlineData("- ", 500_000)]
    public void Depth_is_bounded(string opening, int times) =>
        Assert.Equal("ASH1012", OneError(Yaml(string.Concat(Enumerable.Repeat(opening, times)))).Code);
}
