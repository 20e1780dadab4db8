using System.Collections.Immutable;
using System.Text;
using Ashlar.Edge.Web;
using Ashlar.Edge.Tests.Forwarding;
using Ashlar.Stack;

namespace Ashlar.Edge.Tests.WebServer;

public sealed class RuleTests
{
    // "open sesame"
    private const string Hash = "$5$rounds=1000$salt$fn6nUx.sE0fgz/VX03yrwL05pkenQ/0yTOmQ37f3fd4";

    [Theory]
    [InlineData("/old", "302 Found", "/new?a=1")]
    [InlineData("/old/deep", "302 Found", "/new?a=1")]
    [InlineData("/blog/2024/hello", "308 Permanent Redirect", "https://blog.test/2024/hello?a=1")]
    [InlineData("/item/17", "301 Moved Permanently", "/items?id=17&a=1")]
    public async Task A_redirect_says_where_with_what_the_pattern_found_and_the_query(string path, string status, string location)
    {
        await using var rig = await WebRig.StartAsync(new WebDefinition
        {
            Rules =
            [
                new RuleDefinition { Paths = ["/old"], Redirect = "/new" },
                new RuleDefinition { Paths = ["/blog/*/**"], Redirect = "https://blog.test/$1/$2", Status = 308 },
                new RuleDefinition { Match = "^/item/([0-9]+)$", Redirect = "/items?id=$1", Status = 301 },
            ],
        });
        var (head, _) = await rig.GetAsync(path + "?a=1");
        Assert.StartsWith($"HTTP/1.1 {status}\r\n", head);
        Assert.Contains($"\r\nLocation: {location}\r\n", head);
    }

    [Fact]
    public async Task A_redirect_leads_to_no_other_site_than_the_rule_says()
    {
        await using var rig = await WebRig.StartAsync(new RuleDefinition { Match = "^/go(/.*)$", Redirect = "/$1" });
        var (head, _) = await rig.GetAsync("/go//evil.test/x");
        Assert.DoesNotContain("Location: //", head);
        (head, _) = await rig.GetAsync("/go/%0d%0aSet-Cookie:x");
        Assert.StartsWith("HTTP/1.1 400 ", head);
    }

    [Theory]
    [InlineData("/app/users", "GET /users?q HTTP/1.1")]
    [InlineData("/app/a%20b", "GET /a%20b?q HTTP/1.1")]
    [InlineData("/other", "GET /other?q HTTP/1.1")]
    public async Task A_rewritten_path_is_what_the_app_is_asked_for(string path, string line)
    {
        await using var rig = await WebRig.StartAsync(new RuleDefinition { Paths = ["/app/**"], Rewrite = "/$1" });
        Assert.Equal(line, (await rig.GetAsync(path + "?q")).Body);
    }

    [Theory]
    [InlineData("/admin")]
    [InlineData("/admin/x")]
    [InlineData("/%61dmin")]
    [InlineData("//admin")]
    [InlineData("/./admin")]
    [InlineData("/x%2f%2fadmin/y")]
    [InlineData("/admin;a=b")]
    [InlineData("/admin%2fx")]
    [InlineData("/%2e/admin")]
    [InlineData("/;x/admin")]
    [InlineData("/.;x/admin")]
    [InlineData("/;x/.;y/;/admin;z/w")]
    [InlineData("/%3bx/admin")]
    [InlineData("/x;/;y%2fadmin")]
    public async Task A_denied_path_is_denied_in_every_spelling(string path)
    {
        await using var rig = await WebRig.StartAsync(new RuleDefinition { Paths = ["/admin", "/x/admin"], Deny = ["all"] });
        Assert.StartsWith("HTTP/1.1 403 ", (await rig.GetAsync(path)).Head);
    }

    [Theory]
    [InlineData("/administration")]
    [InlineData("/;admin")]
    [InlineData("/y;/admin")]
    [InlineData("/index.php/admin")]
    [InlineData("/x")]
    public async Task Other_paths_are_open(string path)
    {
        await using var rig = await WebRig.StartAsync(new RuleDefinition { Paths = ["/admin"], Deny = ["all"] });
        Assert.StartsWith("HTTP/1.1 200 ", (await rig.GetAsync(path)).Head);
    }

    [Theory]
    [InlineData("127.0.0.0/8", "200")]
    [InlineData("127.0.0.1", "200")]
    [InlineData("10.0.0.0/8", "403")]
    [InlineData("::/0", "403")]
    public async Task Only_allowed_addresses_come(string allowed, string status)
    {
        await using var rig = await WebRig.StartAsync(new RuleDefinition { Allow = [allowed] });
        Assert.StartsWith($"HTTP/1.1 {status} ", (await rig.GetAsync("/")).Head);
    }

    [Theory]
    [InlineData("X-Forwarded-For: 10.1.2.3", "403")]
    [InlineData("X-Forwarded-For: 10.1.2.3, 192.0.2.1", "200")]
    [InlineData("X-Forwarded-For: 10.1.2.3, 127.0.0.5", "403")]
    [InlineData("X-Forwarded-For: [2001:db8::1]:80", "200")]
    [InlineData("X-Forwarded-For: 192.0.2.1, 10.1.2.3:1234", "403")]
    public async Task A_trusted_proxys_word_on_the_client_counts(string field, string status)
    {
        await using var rig = await WebRig.StartAsync(new WebDefinition { TrustedProxies = ["127.0.0.0/8"], Rules = [new RuleDefinition { Deny = ["10.0.0.0/8"] }] });
        Assert.StartsWith($"HTTP/1.1 {status} ", (await rig.GetAsync("/", field)).Head);
    }

    [Fact]
    public async Task Nobody_elses_word_does()
    {
        await using var rig = await WebRig.StartAsync(new RuleDefinition { Deny = ["10.0.0.0/8"] });
        Assert.StartsWith("HTTP/1.1 200 ", (await rig.GetAsync("/", "X-Forwarded-For: 10.1.2.3")).Head);
    }

    [Fact]
    public async Task A_password_is_asked_for_checked_and_remembered()
    {
        var users = ImmutableSortedDictionary<string, string>.Empty.Add("ali", Hash);
        await using var rig = await WebRig.StartAsync(new RuleDefinition { Paths = ["/admin"], Auth = new AuthDefinition { Realm = "cave", Users = users } });
        var (head, _) = await rig.GetAsync("/admin");
        Assert.StartsWith("HTTP/1.1 401 ", head);
        Assert.Contains("\r\nWWW-Authenticate: Basic realm=\"cave\", charset=\"UTF-8\"\r\n", head);
        Assert.StartsWith("HTTP/1.1 401 ", (await rig.GetAsync("/admin", Basic("ali", "close"))).Head);
        Assert.StartsWith("HTTP/1.1 401 ", (await rig.GetAsync("/admin", Basic("bob", "open sesame"))).Head);
        for (var i = 0; i < 3; i++)
        {
            (head, _) = await rig.GetAsync("/admin", Basic("ali", "open sesame"));
            Assert.StartsWith("HTTP/1.1 200 ", head);
            Assert.DoesNotContain("WWW-Authenticate", head);
        }

        Assert.StartsWith("HTTP/1.1 401 ", (await rig.GetAsync("/admin", "Authorization: Basic %%%")).Head);
        Assert.StartsWith("HTTP/1.1 200 ", (await rig.GetAsync("/")).Head);
    }

    [Fact]
    public async Task Of_several_rules_that_ask_for_a_password_each_must_be_satisfied()
    {
        static RuleDefinition Asks(string realm, params string[] users) => new()
        {
            Paths = ["/own"], Auth = new AuthDefinition { Realm = realm, Users = users.ToImmutableSortedDictionary(user => user, _ => Hash) },
        };
        await using var rig = await WebRig.StartAsync(new WebDefinition { Rules = [Asks("first", "both", "ali"), Asks("second", "both", "bob")] });
        async Task<string> Of(string user) => (await rig.GetAsync("/own", Basic(user, "open sesame"))).Head;

        // Twice each: what is remembered opens no more than what is checked.
        for (var i = 0; i < 2; i++)
        {
            Assert.StartsWith("HTTP/1.1 200 ", await Of("both"));
            Assert.Contains("HTTP/1.1 401 Unauthorized", await Of("ali"));
            Assert.Contains("realm=\"second\"", await Of("ali"));
            Assert.Contains("realm=\"first\"", await Of("bob"));
        }

        Assert.Contains("realm=\"first\"", (await rig.GetAsync("/own")).Head);
    }

    [Fact]
    public async Task Who_has_logged_in_is_sent_where_the_page_has_gone_and_nobody_else_is_told()
    {
        var auth = new AuthDefinition { Users = ImmutableSortedDictionary<string, string>.Empty.Add("ali", Hash) };
        await using var rig = await WebRig.StartAsync(new WebDefinition
        {
            Rules = [new RuleDefinition { Paths = ["/own"], Auth = auth }, new RuleDefinition { Paths = ["/own/old"], Redirect = "/own/new" }],
        });
        var (head, _) = await rig.GetAsync("/own/old");
        Assert.StartsWith("HTTP/1.1 401 ", head);
        Assert.DoesNotContain("/own/new", head);
        for (var i = 0; i < 2; i++)
        {
            (head, _) = await rig.GetAsync("/own/old?a", Basic("ali", "open sesame"));
            Assert.StartsWith("HTTP/1.1 302 ", head);
            Assert.Contains("\r\nLocation: /own/new?a\r\n", head);
        }
    }

    [Fact]
    public async Task Fields_of_the_answer_are_set_and_taken_out()
    {
        var headers = ImmutableSortedDictionary<string, string>.Empty.Add("Server", "").Add("X-Frame-Options", "DENY");
        await using var rig = await WebRig.StartAsync(new WebDefinition
        {
            Rules = [new RuleDefinition { Headers = headers }, new RuleDefinition { Paths = ["/embed"], Headers = headers.SetItem("X-Frame-Options", "SAMEORIGIN") }],
        });
        var (head, _) = await rig.GetAsync("/");
        Assert.DoesNotContain("Server:", head);
        Assert.Contains("\r\nX-Frame-Options: DENY\r\n", head);
        (head, _) = await rig.GetAsync("/embed");
        Assert.Contains("\r\nX-Frame-Options: SAMEORIGIN\r\n", head);
        Assert.DoesNotContain("DENY", head);
    }

    [Fact]
    public async Task A_rate_lets_so_many_through_and_says_when_to_come_again()
    {
        await using var rig = await WebRig.StartAsync(new RuleDefinition { Paths = ["/login"], Rate = new RateDefinition(3, TimeSpan.FromHours(1)) { By = "X-Key" } });
        for (var i = 0; i < 3; i++)
        {
            Assert.StartsWith("HTTP/1.1 200 ", (await rig.GetAsync("/login", "X-Key: a")).Head);
        }

        var (head, _) = await rig.GetAsync("/login", "X-Key: a");
        Assert.StartsWith("HTTP/1.1 429 ", head);
        Assert.Contains("\r\nRetry-After: ", head);
        Assert.StartsWith("HTTP/1.1 200 ", (await rig.GetAsync("/login", "X-Key: b")).Head);
        Assert.StartsWith("HTTP/1.1 200 ", (await rig.GetAsync("/", "X-Key: a")).Head);
    }

    [Fact]
    public void A_bucket_fills_evenly_and_no_fuller_than_its_burst()
    {
        var table = new RateTable(10, TimeSpan.FromSeconds(1), burst: 2);
        Assert.Equal((0, 0, 100), (table.Take(7, 0), table.Take(7, 0), table.Take(7, 0)));
        Assert.Equal((0, 50), (table.Take(7, 100), table.Take(7, 150)));
        Assert.Equal((0, 0, 100), (table.Take(7, 10_000), table.Take(7, 10_000), table.Take(7, 10_000)));
    }

    [Fact]
    public async Task A_body_may_be_as_large_as_its_path_allows()
    {
        await using var rig = await WebRig.StartAsync(new WebDefinition
        {
            Rules = [new RuleDefinition { MaxBody = 10 }, new RuleDefinition { Paths = ["/upload"], MaxBody = 100 }],
        });
        Assert.StartsWith("HTTP/1.1 413 ", (await rig.AskAsync("POST", "/", "Content-Length: 20")).Head);
        Assert.StartsWith("HTTP/1.1 413 ", (await rig.Edge.AskAsync("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n01234567890123456789\r\n0\r\n\r\n")).Head);
        Assert.Equal("POST /upload HTTP/1.1", (await rig.Edge.AskAsync("POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 20\r\n\r\n01234567890123456789")).Body);
    }

    [Fact]
    public async Task A_head_may_be_as_large_as_its_path_allows()
    {
        await using var rig = await WebRig.StartAsync(new RuleDefinition { Paths = ["/small"], MaxHead = 200 });
        var large = $"X-Large: {new string('x', 300)}";
        Assert.StartsWith("HTTP/1.1 431 ", (await rig.GetAsync("/small", large)).Head);
        Assert.Equal("GET /small HTTP/1.1", (await rig.GetAsync("/small")).Body);
        Assert.Equal("GET /other HTTP/1.1", (await rig.GetAsync("/other", large)).Body);
    }

    [Fact]
    public async Task An_answer_has_the_time_to_begin_that_its_path_gives_it()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            while (await connection.ReadRequestAsync() is var (head, _) && !head.StartsWith("GET /slow", StringComparison.Ordinal))
            {
                await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }

            await connection.ReadToEndAsync();
        });
        await using var rig = await WebRig.StartAsync(new WebDefinition { Rules = [new RuleDefinition { Paths = ["/slow"], Timeout = TimeSpan.FromMilliseconds(50) }] }, app: app);
        Assert.Equal("ok", (await rig.GetAsync("/")).Body);
        Assert.StartsWith("HTTP/1.1 504 ", (await rig.GetAsync("/slow")).Head);
        Assert.Equal("ok", (await rig.GetAsync("/")).Body);
    }

    [Fact]
    public async Task The_teams_own_pages_stand_in_for_the_edges()
    {
        var pages = ImmutableSortedDictionary<string, string>.Empty.Add("403", "403.html").Add("maintenance", "away.html");
        await using var rig = await WebRig.StartAsync(
            new WebDefinition { Pages = pages, Rules = [new RuleDefinition { Paths = ["/no"], Deny = ["all"] }] },
            folder =>
            {
                File.WriteAllText(Path.Combine(folder, "403.html"), "<h1>Not you</h1>");
                File.WriteAllText(Path.Combine(folder, "away.html"), new string('x', 100_000));
            },
            service => service with { Maintenance = true });
        Assert.Equal("<h1>Not you</h1>", (await rig.GetAsync("/no")).Body);
        var (head, body) = await rig.GetAsync("/");
        Assert.StartsWith("HTTP/1.1 503 ", head);
        Assert.Equal(100_000, body.Length);
        Assert.StartsWith("{\"error\"", (await rig.GetAsync("/no", "Accept: application/json")).Body);
    }

    private static string Basic(string user, string password) => $"Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))}";
}
