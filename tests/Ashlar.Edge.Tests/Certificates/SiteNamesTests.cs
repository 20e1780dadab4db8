using Ashlar.Edge.Certificates;
using Ashlar.Stack;

namespace Ashlar.Edge.Tests.Certificates;

/// <summary>Which hosts get which certificate.</summary>
public sealed class SiteNamesTests
{
    [Theory]
    [InlineData("example.org", true)]
    [InlineData("a.b.example", true)]
    [InlineData("shop.test", false)]
    [InlineData("test", false)]
    [InlineData("latest", false)]
    [InlineData("my.latest", true)]
    [InlineData("x.home.arpa", false)]
    [InlineData("db.internal", false)]
    [InlineData("10.0.0.1", false)]
    public void A_public_authority_is_asked_only_for_what_can_be_owned(string host, bool isPublic) => Assert.Equal(isPublic, SiteNames.IsPublic(host));

    [Fact]
    public void Domains_come_first_then_routes_and_localhost_is_always_there()
    {
        var stack = new StackDefinition
        {
            Name = "x",
            Directory = "/",
            Domains = ["a.test"],
            Services = [new ServiceDefinition { Name = "web", Run = "x", Routes = [new RouteDefinition("b.test", "/"), new RouteDefinition("a.test", "/x"), new RouteDefinition(null, "/")] }],
            Edge = new EdgeDefinition { Https = new ListenAddress("::", 443) },
        };
        Assert.Equal(["a.test", "b.test", "localhost"], SiteNames.Of(stack).Select(site => site.Name));
        Assert.Empty(SiteNames.Of(stack with { Edge = new EdgeDefinition() }));
    }
}
