using System.Text;
using Ashlar.Edge.Certificates.Acme;

namespace Ashlar.Edge.Tests.Certificates;

/// <summary>What an authority says is read strictly where it is used, and nothing of it does harm.</summary>
public sealed class AcmeJsonTests
{
    private const string Order = """{"status":"pending","authorizations":["https://ca.example/a/1"],"finalize":"https://ca.example/f","identifiers":[{"type":"dns","value":"a.example"}]}""";
    private const string Authorization = """{"status":"pending","challenges":[{"type":"dns-01"},{"type":"http-01","url":"https://ca.example/c","token":"abc_-9","status":"pending"}]}""";

    [Fact]
    public void What_is_needed_is_read_and_the_rest_passed_over()
    {
        Assert.Equal("https://ca.example/a/1", Assert.Single(AcmeJson.Order(Bytes(Order)).Authorizations));
        Assert.Equal("abc_-9", AcmeJson.Authorization(Bytes(Authorization)).Challenge!.Token);
    }

    [Theory]
    [InlineData("https://ca.example/f", "http://ca.example/f")]
    [InlineData("https://ca.example/f", "file:///etc/passwd")]
    [InlineData("\"pending\"", "7")]
    [InlineData("[\"https://ca.example/a/1\"]", "\"x\"")]
    public void An_order_of_another_form_is_refused(string what, string instead) =>
        Assert.Throws<FormatException>(() => AcmeJson.Order(Bytes(Order.Replace(what, instead, StringComparison.Ordinal))));

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("a b")]
    [InlineData("")]
    public void A_token_that_is_none_is_refused(string token) =>
        Assert.Throws<FormatException>(() => AcmeJson.Authorization(Bytes(Authorization.Replace("abc_-9", token, StringComparison.Ordinal))));

    [Fact]
    public void A_problem_becomes_one_line_of_bounded_length()
    {
        var problem = AcmeJson.Problem(Bytes($$"""{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too\r\nmany\u0007 {{new string('x', 5000)}}"}"""), 429);
        Assert.Equal("rateLimited", problem.Type);
        Assert.StartsWith("too  many", problem.Detail, StringComparison.Ordinal);
        Assert.InRange(problem.Detail.Length, 1, 310);
        Assert.Equal("it answered 503", AcmeJson.Problem(Bytes("<html>"), 503).Detail);
    }

    [Fact]
    public void Whatever_comes_is_read_or_refused()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 20_000; round++)
        {
            var json = Bytes(random.Next(2) == 0 ? Order : Authorization);
            for (var i = random.Next(1, 6); i > 0; i--)
            {
                json[random.Next(json.Length)] = (byte)random.Next(256);
            }

            try
            {
                _ = random.Next(3) switch
                {
                    0 => (object)AcmeJson.Order(json),
                    1 => AcmeJson.Authorization(json),
                    _ => AcmeJson.Problem(json, 400),
                };
            }
            catch (FormatException)
            {
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}: {e} for {Encoding.UTF8.GetString(json)}");
            }
        }
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
