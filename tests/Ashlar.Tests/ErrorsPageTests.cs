using System.Text.RegularExpressions;
using Ashlar.Testing;

namespace Ashlar.Tests;

/// <summary>Holds <c>docs/errors.md</c> to the codes that the sources define.</summary>
public sealed partial class ErrorsPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Checkout.Root, "docs/errors.md"));

    // A room defines its codes in its *Errors.cs; the wire in HttpProblem.cs, the launcher in itself.
    private static readonly List<string> Defined =
    [
        .. Sources().Where(file => file.EndsWith("Errors.cs", StringComparison.Ordinal) || Path.GetFileName(file) == "HttpProblem.cs")
            .SelectMany(file => Codes(QuotedCode(), file)),
        .. Codes(SpokenCode(), Path.Combine(Checkout.Root, "ashlar")),
    ];

    [Fact]
    public void Every_code_has_a_section_and_every_section_a_code()
    {
        var sections = Section().Matches(Page).Select(match => match.Groups["code"].Value).ToList();

        Assert.True(Defined.Count > 100, "The sources were not read.");
        Assert.Equal(Defined.Order(), sections.Order());
        Assert.Equal(sections.Order(), sections);
    }

    [Fact]
    public void No_two_errors_have_the_same_code() =>
        Assert.Empty(Defined.GroupBy(code => code).Where(group => group.Count() > 1).Select(group => group.Key));

    [Fact]
    public void No_code_is_named_that_no_error_has() =>
        Assert.Empty(Sources().SelectMany(file => Codes(QuotedCode(), file))
            .Concat(Documentation.Pages.SelectMany(page => Codes(SpokenCode(), page))).Except(Defined));

    [Fact]
    public void Every_section_shows_the_message_and_says_what_to_do() => Assert.All(Section().Matches(Page), section =>
    {
        var code = section.Groups["code"].Value;
        Assert.Contains(section.Groups["body"].Value.Split('\n'), line => line.StartsWith("    ", StringComparison.Ordinal) && line.Contains(code));
        Assert.Contains("\n**Do:** ", section.Groups["body"].Value);
    });

    private static IEnumerable<string> Sources() =>
        Directory.EnumerateFiles(Path.Combine(Checkout.Root, "src"), "*.cs", SearchOption.AllDirectories).Where(file => !file.Contains("/obj/"));

    private static IEnumerable<string> Codes(Regex written, string file) =>
        written.Matches(File.ReadAllText(file)).Select(match => match.Groups["code"].Value);

    [GeneratedRegex("\"(?<code>ASH[0-9]{4})\"", RegexOptions.ExplicitCapture)]
    private static partial Regex QuotedCode();

    [GeneratedRegex(@"\b(?<code>ASH[0-9]{4})\b", RegexOptions.ExplicitCapture)]
    private static partial Regex SpokenCode();

    [GeneratedRegex(@"^### (?<code>ASH[0-9]{4}): (?<body>.*?)(?=^##|\z)", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Section();
}
