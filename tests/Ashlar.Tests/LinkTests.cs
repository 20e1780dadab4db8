using System.Text.RegularExpressions;
using Ashlar.Testing;

namespace Ashlar.Tests;

/// <summary>The links between the pages of the repository.</summary>
public sealed partial class LinkTests
{
    [Fact]
    public void Every_relative_link_leads_to_a_file_or_heading()
    {
        var links = Documentation.Pages.SelectMany(page => Link().Matches(File.ReadAllText(page)).Select(match => (page, match.Groups["target"].Value)))
            .Where(link => !Uri.IsWellFormedUriString(link.Value, UriKind.Absolute)).ToList();

        Assert.True(links.Count > 10, "The pages were not read.");
        Assert.Empty(links.Where(link => !Leads(link.page, link.Value)).Select(link => $"{Path.GetRelativePath(Checkout.Root, link.page)}: {link.Value}"));
    }

    private static bool Leads(string page, string target)
    {
        var parts = target.Split('#', 2);
        var path = parts[0].Length == 0 ? page : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page)!, parts[0]));
        return Path.Exists(path)
            && (parts.Length == 1 || Heading().Matches(File.ReadAllText(path)).Any(match => Anchor(match.Groups["text"].Value) == parts[1]));
    }

    // As GitHub and GitLab make them: lower case, hyphens for spaces, no punctuation.
    private static string Anchor(string heading) => string.Concat(
        heading.ToLowerInvariant().Replace(' ', '-').Where(c => char.IsLetterOrDigit(c) || c is '-' or '_'));

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)|(src|href)=""(?<target>[^""]+)""", RegexOptions.ExplicitCapture)]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (?<text>.+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Heading();
}
