using System.Net;
using Ashlar.Edge.Gateways;
using Ashlar.Edge.Tests.Forwarding;
using Ashlar.Processes;
using Ashlar.Testing;
using static Ashlar.Edge.Tests.Gateways.FastCgiServer;

namespace Ashlar.Edge.Tests.Gateways;

public sealed class GatewayHealthTests
{
    private static async Task<HealthAnswer> AskAsync(ScriptedApp app, string path, string? root = "public", int timeoutMilliseconds = 30_000)
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "public"));
        File.WriteAllText(Path.Combine(folder.Path, "public/up.php"), "");
        var question = new HealthQuestion { Endpoint = new IPEndPoint(IPAddress.Loopback, app.Port), Path = path, Host = "shop.test", Timeout = TimeSpan.FromMilliseconds(timeoutMilliseconds) };
        return await GatewayHealth.AskAsync(question, new GatewayScripts(folder.Path, root, [], IsCgi: false));
    }

    [Theory]
    [InlineData("Content-Type: text/plain\r\n\r\nwell", true, "status 200")]
    [InlineData("Status: 503 Busy\nContent-Type: text/plain\n\nno", false, "status 503")]
    [InlineData("Location: /other\r\n\r\n", true, "status 302")]
    [InlineData("no head", false, "what it answered is not FastCGI")]
    [InlineData("\r\n\r\n", false, "what it answered is not FastCGI")]
    public async Task The_script_says_how_it_is(string said, bool good, string text)
    {
        FastCgiRequest? got = null;
        await using var app = Answering(request =>
        {
            got = request;
            return [.. Stderr("warned\n"), .. Stdout(said[..(said.Length / 2)], padding: 3), .. Stdout(said[(said.Length / 2)..]), .. End()];
        });
        var answer = await AskAsync(app, "/up.php?deep=1");
        Assert.Equal((good, text), (answer.Good, answer.Text));
        Assert.Equal(
            ("GET", "/up.php", "/up.php?deep=1", "deep=1", "shop.test"),
            (got!.Variables["REQUEST_METHOD"], got.Variables["SCRIPT_NAME"], got.Variables["REQUEST_URI"], got.Variables["QUERY_STRING"], got.Variables["HTTP_HOST"]));
    }

    [Fact]
    public async Task What_no_script_answers_is_said_and_one_app_is_told_the_path()
    {
        await using var app = Answering(request => [.. Stdout($"Status: {(request.Variables["PATH_INFO"] == "/up" ? 204 : 500)}\r\nX: y\r\n\r\n"), .. End()]);
        Assert.Equal("no script answers /none", (await AskAsync(app, "/none")).Text);
        Assert.Equal(204, (await AskAsync(app, "/up", root: null)).Status);
    }

    [Fact]
    public async Task Who_talks_otherwise_closes_or_says_nothing_is_not_well()
    {
        await using var http = new ScriptedApp(async connection => await connection.SendAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray()));
        Assert.Equal("what it answered is not FastCGI", (await AskAsync(http, "/up.php")).Text);
        await using var closing = new ScriptedApp(async connection => await ReadAsync(connection));
        Assert.Equal("connection closed without an answer", (await AskAsync(closing, "/up.php")).Text);
        await using var endless = Answering(_ => [.. Stdout(new string('x', 40_000)), .. Stdout(new string('x', 40_000))]);
        Assert.Equal("what it answered is not FastCGI", (await AskAsync(endless, "/up.php")).Text);
        await using var silent = Answering(_ => []);
        Assert.Equal("no answer within 0.2 s", (await AskAsync(silent, "/up.php", timeoutMilliseconds: 200)).Text);
    }
}
