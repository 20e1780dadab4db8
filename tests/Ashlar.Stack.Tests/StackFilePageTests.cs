using System.Text.RegularExpressions;
using Ashlar.Testing;

namespace Ashlar.Stack.Tests;

/// <summary>Every stack file in the documentation loads.</summary>
public sealed partial class StackFilePageTests : StackTest
{
    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/stack-file.md")]
    [InlineData("docs/database.md")]
    [InlineData("docs/engines.md")]
    public void Every_example_on_the_page_loads_without_a_word(string path)
    {
        var page = File.ReadAllText(Path.Combine(Checkout.Root, path));
        var examples = Example().Matches(page).Select(m => m.Groups["yaml"].Value).ToList();
        Folder.Write("Procfile", "web: ./web\n");

        Assert.NotEmpty(examples);
        Assert.All(examples, e => Valid(e));
    }

    [Fact]
    public void The_examples_of_the_repository_load_without_a_word() => Assert.All(
        Directory.EnumerateDirectories(Path.Combine(Checkout.Root, "examples")),
        folder => WithoutDiagnostics(StackLoader.Load(folder)));

    [GeneratedRegex("^```yaml\n(?<yaml>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Example();
}
