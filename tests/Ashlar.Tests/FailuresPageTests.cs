using System.Text.RegularExpressions;
using Ashlar.Testing;

namespace Ashlar.Tests;

/// <summary>Every test that <c>docs/failures.md</c> names is there: <c>Class</c>, <c>Class.Name…</c>, or the name of a written history.</summary>
public sealed partial class FailuresPageTests
{
    [Fact]
    public void Every_test_that_the_page_names_is_there()
    {
        var sources = Directory.GetFiles(Path.Combine(Checkout.Root, "tests"), "*.cs", SearchOption.AllDirectories).ToLookup(path => Path.GetFileNameWithoutExtension(path)!);
        var histories = Directory.GetFiles(Path.Combine(Checkout.Root, "tests/Ashlar.Agent.Tests/Simulation/Histories")).Select(path => Path.GetFileNameWithoutExtension(path)!).ToHashSet();
        var rows = File.ReadLines(Path.Combine(Checkout.Root, "docs/failures.md")).Where(line => line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| what fails", StringComparison.Ordinal)).ToList();
        Assert.True(rows.Count > 30, "The page was not read.");
        Assert.All(rows, row => Assert.Matches(Marked(), row));
        var named = rows.SelectMany(row => Named().Matches(row.Split('|')[3]).Select(match => match.Groups["name"].Value)).Distinct().ToList();
        Assert.All(named, name => Assert.True(IsThere(name), name));

        bool IsThere(string name) => name.StartsWith("bench/", StringComparison.Ordinal) || histories.Contains(name)
            || (name.Split('.') is var parts && sources[parts[0]].Any(path => parts.Length == 1 || File.ReadAllText(path).Contains($" {parts[1].TrimEnd('…')}", StringComparison.Ordinal)));
    }

    [GeneratedRegex("[●◦∿]")]
    private static partial Regex Marked();

    [GeneratedRegex("`(?<name>[^`]+)`", RegexOptions.ExplicitCapture)]
    private static partial Regex Named();
}
