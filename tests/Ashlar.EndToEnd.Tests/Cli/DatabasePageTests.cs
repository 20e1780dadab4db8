using System.Text.RegularExpressions;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.Cli;

/// <summary>What docs/database.md shows can be done as it stands there.</summary>
public sealed partial class DatabasePageTests
{
    [Fact]
    [Trait("Length", "Full")]
    public async Task Every_command_of_the_page_does_what_it_says()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Checkout.Root, "docs/database.md"));
        var commands = Command().Matches(page).Select(m => m.Groups["words"].Value.Trim()).ToArray();
        Assert.Contains("pg psql -- -c 'select 1'", commands);
        await using var rig = new StackRig($$"""
            name: shop
            dashboard: off
            services:
              worker: {run: sleep 1000}
            edge:
              listen: {http: "127.0.0.1:@PORT@"}
            {{Yaml().Match(page).Groups["yaml"].Value}}
            """);
        await rig.UpAsync();
        await DoAsync(rig, ["pg", "psql", "--", "-qc", "CREATE TABLE kept AS SELECT 42 AS answer"]);
        var backup = "";
        foreach (var command in commands)
        {
            string[] words = [.. Word().Matches(command.Replace("[FILE] [--drill]", "--drill", StringComparison.Ordinal)).Select(m => m.Value.Trim('\'')).Select(word => word == "FILE" ? backup : word)];
            var said = await DoAsync(rig, words);
            switch (words is ["pg", var second, ..] ? second : words[0])
            {
                case "psql" when command.Contains("select", StringComparison.Ordinal):
                    Assert.Contains("(1 row)", said, StringComparison.Ordinal);
                    break;
                case "info":
                    Assert.Contains("primary", said, StringComparison.Ordinal);
                    break;
                case "backup":
                    backup = Assert.Single(Directory.GetFiles(Path.Combine(rig.Folder, ".ashlar/backups")));
                    break;
                case "restore":
                    Assert.Contains("shop is restored", said, StringComparison.Ordinal);
                    break;
                case "scale":
                    Assert.Equal("Healthy", (await rig.InstanceAsync("database.3")).GetProperty("state").GetString());
                    break;
            }
        }

        Assert.NotEmpty(backup);
    }

    // In front of the verb: behind "pg psql --" it would be psql's.
    private static async Task<string> DoAsync(StackRig rig, string[] words)
    {
        var result = await ProgramRun.RunAsync(Checkout.Ashlar, ["--stack", rig.Folder, .. words], environment: new Dictionary<string, string?> { ["NO_COLOR"] = "1" });
        Assert.True(result.ExitCode == 0, $"ashlar {string.Join(' ', words)}: {result}");
        return result.Output;
    }

    [GeneratedRegex(@"'[^']*'|\S+", RegexOptions.None, 1000)]
    private static partial Regex Word();

    [GeneratedRegex("^    ashlar (?<words>[^#\n]+)(#.*)?$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Command();

    [GeneratedRegex("^```yaml\n(?<yaml>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Yaml();
}
