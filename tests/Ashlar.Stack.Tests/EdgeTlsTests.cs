namespace Ashlar.Stack.Tests;

/// <summary>What the file says about TLS.</summary>
public sealed class EdgeTlsTests : StackTest
{
    [Fact]
    public void Without_a_word_the_edge_speaks_no_TLS() => Assert.Null(Yaml("services: {web: {run: x}}").Require().Edge.Https);

    [Fact]
    public void All_its_keys_are_read()
    {
        var edge = Yaml("""
            domains: [example.org, www.example.org]
            services: {web: {run: x}}
            edge:
              listen: {http: 80, https: 127.0.0.1:8443}
              tls: {authority: "https://ca.example/directory", authority_ca: ca.pem, email: ops@example.org, hsts: 365d, redirect: false}
              canonical: www.example.org
            """).Require().Edge;
        Assert.Equal(new ListenAddress("127.0.0.1", 8443), edge.Https);
        Assert.Equal(
            new TlsDefinition
            {
                Authority = "https://ca.example/directory", AuthorityCa = "ca.pem", Email = "ops@example.org", Hsts = TimeSpan.FromDays(365), Redirect = false,
            },
            edge.Tls);
        Assert.Equal("www.example.org", edge.Canonical);
    }

    [Theory]
    [InlineData("{tls: {authority: http://ca.example/}}", "ASH1006")]
    [InlineData("{tls: {authority: zerossl}}", "ASH1006")]
    [InlineData("{tls: {email: nobody}}", "ASH1006")]
    [InlineData("{tls: {hsts: 1 year}}", "ASH1008")]
    [InlineData("{canonical: other.example}", "ASH1006")]
    public void A_mistake_is_told_in_its_line(string edge, string code)
    {
        var error = OneError(Yaml($"services: {{web: {{run: x}}}}\nedge: {edge}\n"));
        Assert.StartsWith("2:", Place(error), StringComparison.Ordinal);
        Assert.EndsWith(code, Place(error), StringComparison.Ordinal);
    }
}
