using System.Text.Json;

namespace Ashlar.Stack.Tests;

public sealed class StackJsonTests : StackTest
{
    [Fact]
    public void A_stack_comes_back_as_it_was()
    {
        Folder.Write(".env", "SECRET='a \"b\" $c'\n");
        var stack = Valid("""
            name: a
            domains: [a.test]
            env: {X: "1"}
            edge: {listen: 80}
            services:
              web: {run: x, route: [/, b.test/c], limits: {memory: 1GB, cpu: 0.25}, balance: round-robin, stop: {grace: 1500ms}}
            """);

        var json = StackJson.Serialize(stack);
        var back = StackJson.Deserialize(json);

        Assert.Equal(json, StackJson.Serialize(back));
        Assert.Equal(stack.Services[0].Routes.ToArray(), back.Services[0].Routes.ToArray());
        Assert.Equal("a \"b\" $c", back.DotEnv["SECRET"]);
        Assert.Equal(TimeSpan.FromSeconds(1.5), back.Services[0].StopGrace);
    }

    [Fact]
    public void What_an_older_version_did_not_know_has_its_default()
    {
        var stack = StackJson.Deserialize("""{"name":"a","directory":"/a","services":[{"name":"web","run":"x","health":{"rise":2}}]}""");

        Assert.Equal(8080, stack.Edge.Http.Port);
        Assert.Equal(1, stack.Services[0].Instances);
        Assert.Equal(TimeSpan.FromSeconds(30), stack.Services[0].StopGrace);
        Assert.Equal(new HealthDefinition { Rise = 2 }, stack.Services[0].Health);
        Assert.Empty(stack.AddOns);
    }

    [Fact]
    public void What_a_newer_version_knows_is_left_out() =>
        Assert.Equal("a", StackJson.Deserialize("""{"name":"a","directory":"/a","moon":{"phase":1}}""").Name);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"name":"a","directory":"/a","services":[{"name":"web"}]}""")]
    [InlineData("""{"name":"a","directory":"/a","services":7}""")]
    public void What_is_no_stack_is_refused(string json) => Assert.ThrowsAny<JsonException>(() => StackJson.Deserialize(json));
}
