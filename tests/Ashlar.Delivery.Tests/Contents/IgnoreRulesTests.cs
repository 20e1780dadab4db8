using Ashlar.Delivery.Contents;

namespace Ashlar.Delivery.Tests.Contents;

public sealed class IgnoreRulesTests
{
    [Theory]
    [InlineData("*.log", "a.log", true)]
    [InlineData("*.log", "deep/down/a.log", true)]
    [InlineData("*.log", "a.logs", false)]
    [InlineData("/a.log", "a.log", true)]
    [InlineData("/a.log", "b/a.log", false)]
    [InlineData("docs/*.md", "docs/a.md", true)]
    [InlineData("docs/*.md", "docs/a/b.md", false)]
    [InlineData("docs/*.md", "x/docs/a.md", false)]
    [InlineData("docs/**/b.md", "docs/b.md", true)]
    [InlineData("docs/**/b.md", "docs/a/a/b.md", true)]
    [InlineData("**/b.md", "a/b.md", true)]
    [InlineData("a/**", "a/b/c", true)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "a/c", false)]
    [InlineData("[a-c].txt", "b.txt", true)]
    [InlineData("[!a-c].txt", "b.txt", false)]
    [InlineData("[!a-c].txt", "d.txt", true)]
    [InlineData("[", "[", true)]
    [InlineData("\\#a", "#a", true)]
    [InlineData("# a", "# a", false)]
    [InlineData("a.b", "axb", false)]
    [InlineData("*.log\n!keep.log", "keep.log", false)]
    [InlineData("*.log\n!keep.log", "x.log", true)]
    [InlineData("!keep.log\n*.log", "keep.log", true)]
    [InlineData("a\r\nb", "a", true)]
    public void A_pattern_means_what_it_means_to_git(string text, string path, bool ignored) =>
        Assert.Equal(ignored, IgnoreRules.Parse(text).Ignores(path, folder: false));

    [Fact]
    public void A_pattern_with_a_slash_behind_is_for_folders()
    {
        var rules = IgnoreRules.Parse("tmp/");
        Assert.True(rules.Ignores("a/tmp", folder: true));
        Assert.False(rules.Ignores("a/tmp", folder: false));
    }

    [Theory]
    [InlineData(".git", true)]
    [InlineData("module/.git", true)]
    [InlineData(".ashlar", true)]
    [InlineData("ashlar.yaml", true)]
    [InlineData("Procfile", true)]
    [InlineData(".env", true)]
    [InlineData("api/.env", false)]
    [InlineData("api/app.json", false)]
    [InlineData(".ashlarignore", false)]
    [InlineData(".github", false)]
    public void What_is_read_as_settings_and_what_is_not_the_apps_is_always_left_out(string path, bool ignored) =>
        Assert.Equal(ignored, IgnoreRules.Parse("").Ignores(path, folder: false));

    [Fact]
    public void Any_text_gives_rules_that_answer()
    {
        const int seed = 99;
        var random = new Random(seed);
        const string letters = "ab*?[]!/\\#-^. {}()+|$\r\n\t\u00fc";
        for (var round = 0; round < 2000; round++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(30)).Select(_ => letters[random.Next(letters.Length)])]);
            try
            {
                IgnoreRules.Parse(text).Ignores("a/b.c", folder: false);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}, round {round}: {text}", e);
            }
        }
    }
}
