using System.Text.Json.Nodes;
using Ashlar.Testing;

namespace Ashlar.Stack.Tests;

/// <summary>The schema in the documentation is the one that the table of keys gives, and the reader reads all of the table.</summary>
public sealed class StackSchemaTests : StackTest
{
    /// <summary>Set to 1 to write the documentation's copy anew instead of comparing it.</summary>
    private const string Rewrite = "ASHLAR_REWRITE_DOCS";

    [Fact]
    public void The_documentation_holds_the_schema()
    {
        var path = Path.Combine(Checkout.Root, "docs", "ashlar.schema.json");
        if (Environment.GetEnvironmentVariable(Rewrite) == "1")
        {
            File.WriteAllText(path, StackSchema.Generate());
        }

        Assert.True(
            File.ReadAllText(path) == StackSchema.Generate(),
            $"docs/ashlar.schema.json is not the schema any more: run this test with {Rewrite}=1");
    }

    [Fact]
    public void Every_key_of_the_table_is_documented_on_its_page()
    {
        var page = File.ReadAllText(Path.Combine(Checkout.Root, "docs", "stack-file.md"));

        Assert.All(Keys(StackKeys.Root, ""), k => Assert.Contains($"`{k}`", page));
    }

    [Fact]
    public void The_schema_names_every_key_with_its_meaning_and_default()
    {
        var root = JsonNode.Parse(StackSchema.Generate())!;
        var service = root["properties"]!["services"]!["additionalProperties"]!["properties"]!;

        Assert.False((bool)root["additionalProperties"]!);
        Assert.Equal(1, (int)service["instances"]!["default"]!);
        Assert.Equal("30s", (string)service["stop"]!["properties"]!["grace"]!["default"]!);
        Assert.StartsWith("Known, not built yet", (string)root["properties"]!["image"]!["description"]!);
        Assert.All(Keys(StackKeys.Root, ""), k => Assert.Contains($"\"{k.Split('.')[^1]}\": {{", StackSchema.Generate()));
    }

    [Theory]
    [InlineData("services.NAME.instances", "1")]
    [InlineData("services.NAME.balance", "least-requests")]
    [InlineData("services.NAME.health.interval", "5s")]
    [InlineData("services.NAME.waiting.room", "1000")]
    [InlineData("edge.listen.http", "127.0.0.1:8080")]
    [InlineData("services.NAME.stop.grace", "30s")]
    [InlineData("services.NAME.start.timeout", "60s")]
    public void A_default_that_is_written_out_changes_nothing(string key, string value)
    {
        const string Plain = "services: {web: {run: x}}";
        var steps = key.Replace("NAME", "web").Split('.');
        var inner = steps.Skip(1).Reverse().Aggregate(value, (yaml, step) => $"{{{step}: {(step == "web" ? "{run: x, " + yaml[1..] : yaml)}}}");
        var text = steps[0] == "services" ? $"services: {inner}" : $"{steps[0]}: {inner}\n{Plain}";
        var expected = StackJson.Serialize(Valid(Plain));

        Assert.Equal(expected, StackJson.Serialize(Valid(text)));
    }

    private static IEnumerable<string> Keys(MapShape map, string path) => map.Keys.SelectMany(key =>
    {
        var full = path + key.Name;
        return key.Shape switch
        {
            MapShape below => Keys(below, full + ".").Prepend(full),
            NamedShape { Value: MapShape below } => Keys(below, full + ".NAME.").Prepend(full),
            _ => [full],
        };
    });
}
