using System.Text;
using Ashlar.Edge.Tests.Forwarding;
using Ashlar.Edge.Tests.WebServer;
using Ashlar.Stack;
using Ashlar.Testing;
using static Ashlar.Edge.Tests.Gateways.FastCgiServer;

namespace Ashlar.Edge.Tests.Gateways;

public sealed class FastCgiTests
{
    private static Task<WebRig> StartAsync(ScriptedApp app, string? root = "public", WebDefinition? web = null) => WebRig.StartAsync(
        web ?? new WebDefinition(),
        static folder =>
        {
            Directory.CreateDirectory(Path.Combine(folder, "public/blog"));
            foreach (var file in (string[])["index.php", "info.php", "blog/index.php", "style.css"])
            {
                File.WriteAllText(Path.Combine(folder, "public", file), "body {}");
            }

            File.WriteAllText(Path.Combine(folder, "evil.php"), "");
            File.CreateSymbolicLink(Path.Combine(folder, "public/out.php"), "../evil.php");
        },
        service => service with
        {
            Interface = "fastcgi", Root = root, Instances = [.. service.Instances.Select(instance => instance with { Folder = service.Folder })],
        },
        app);

    private static ScriptedApp Telling(params string[] names) => Answering(request =>
        [.. Stdout("Content-Type: text/plain\r\n\r\n" + string.Join('|', names.Select(name => request.Variables.GetValueOrDefault(name, "-")))), .. End()]);

    [Theory]
    [InlineData("/", "/index.php||/?q=1")]
    [InlineData("/info.php/a%20b/c", "/info.php|/a b/c|/info.php/a%20b/c?q=1")]
    [InlineData("/blog/", "/blog/index.php||/blog/?q=1")]
    [InlineData("/page/x", "/index.php||/page/x?q=1")]
    [InlineData("/out.php", "/index.php||/out.php?q=1")]
    [InlineData("/style.css/x.php", "/index.php||/style.css/x.php?q=1")]
    [InlineData("/.git/info.php", "/index.php||/.git/info.php?q=1")]
    [InlineData("/%69nfo.php", "/info.php||/%69nfo.php?q=1")]
    public async Task The_script_is_found_and_told_the_rest(string path, string told)
    {
        await using var app = Telling("SCRIPT_NAME", "PATH_INFO", "REQUEST_URI");
        await using var rig = await StartAsync(app);
        Assert.Equal(told, (await rig.GetAsync(path + "?q=1")).Body);
    }

    [Fact]
    public async Task A_server_on_a_Unix_socket_is_asked_over_one_connection()
    {
        using var folder = new TempFolder();
        var path = Path.Combine(folder.Path, "php.sock");
        await using var app = Answering(request => [.. Stdout($"Content-Type: text/plain\r\n\r\n{request.Variables["SCRIPT_NAME"]} {request.Body.Length}"), .. End()], path);
        await using var rig = await WebRig.StartAsync(
            new WebDefinition(),
            folder => File.WriteAllText(Path.Combine(folder, "index.php"), ""),
            service => service with
            {
                Interface = "fastcgi", Root = ".", Instances = [.. service.Instances.Select(instance => instance with { Folder = service.Folder, Socket = path })],
            },
            app);
        using var client = await rig.Edge.ConnectAsync();
        for (var i = 1; i <= 3; i++)
        {
            await client.SendAsync($"POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: {i}\r\n\r\n{new string('b', i)}");
            Assert.Equal($"/index.php {i}", (await client.ReadResponseAsync()).Body);
        }

        Assert.Equal(1, app.Accepted);
    }

    [Fact]
    public async Task Files_beside_the_scripts_are_served_by_the_edge()
    {
        await using var app = Telling("SCRIPT_NAME");
        await using var rig = await StartAsync(app);
        Assert.Equal("body {}", (await rig.GetAsync("/style.css")).Body);
        Assert.Contains("\r\nLocation: /blog/?a\r\n", (await rig.GetAsync("/blog?a")).Head);
        Assert.Equal(0, app.Accepted);
    }

    [Fact]
    public async Task The_request_is_told_as_CGI_has_it()
    {
        FastCgiRequest? got = null;
        await using var app = Answering(request =>
        {
            got = request;
            return [.. Stdout("Content-Type: text/plain\r\n\r\nok"), .. End()];
        });
        await using var rig = await StartAsync(app);
        await rig.Edge.AskAsync("POST /info.php?a=b HTTP/1.1\r\nHost: shop.test:81\r\nContent-Type: x/y\r\nContent-Length: 3\r\nProxy: evil\r\nX_Real_IP: 1.1.1.1\r\n"
            + "Cookie: a=1\r\nX-List: 1\r\nCookie: b=2\r\nX-List: 2\r\nAuthorization: Basic eA==\r\nConnection: x-gone\r\nX-Gone: 1\r\nX-Forwarded-For: 9.9.9.9\r\n\r\nabc");
        var told = got!.Variables;
        Assert.Equal("abc", Encoding.ASCII.GetString(got.Body));
        Assert.Equal(
            ("POST", "a=b", "3", "x/y", "shop.test", "shop.test:81", "127.0.0.1", "127.0.0.1"),
            (told["REQUEST_METHOD"], told["QUERY_STRING"], told["CONTENT_LENGTH"], told["CONTENT_TYPE"], told["SERVER_NAME"], told["HTTP_HOST"],
                told["REMOTE_ADDR"], told["HTTP_X_FORWARDED_FOR"]));
        Assert.Equal(("a=1; b=2", "1, 2", "Basic eA=="), (told["HTTP_COOKIE"], told["HTTP_X_LIST"], told["HTTP_AUTHORIZATION"]));
        Assert.Equal(Path.Combine(rig.Folder, "public/info.php"), told["SCRIPT_FILENAME"]);
        Assert.Equal(Path.Combine(rig.Folder, "public"), told["DOCUMENT_ROOT"]);
        Assert.DoesNotContain("HTTP_PROXY", told.Keys);
        Assert.Equal(("127.0.0.1", "shop.test:81", rig.Edge.Port.ToString()), (told["HTTP_X_REAL_IP"], told["HTTP_X_FORWARDED_HOST"], told["HTTP_X_FORWARDED_PORT"]));
        Assert.DoesNotContain("HTTP_X_GONE", told.Keys);
        Assert.DoesNotContain("HTTPS", told.Keys);
    }

    [Theory]
    [InlineData("/admin", "403")]
    [InlineData("/index.php/admin", "403")]
    [InlineData("/info.php//%61dmin/x", "403")]
    [InlineData("/blog/index.php/;x/admin", "403")]
    [InlineData("/index.php/old", "200")]
    [InlineData("/index.php/other", "200")]
    [InlineData("/index.php", "200")]
    public async Task A_rule_about_a_path_holds_also_behind_the_front_controllers_name(string path, string status)
    {
        await using var app = Telling("PATH_INFO");
        await using var rig = await StartAsync(
            app, web: new WebDefinition { Rules = [new RuleDefinition { Paths = ["/admin"], Deny = ["all"] }, new RuleDefinition { Paths = ["/old"], Redirect = "/index.php/old" }] });
        Assert.StartsWith($"HTTP/1.1 {status} ", (await rig.GetAsync(path)).Head);
    }

    [Fact]
    public async Task A_field_whose_name_could_become_another_ones_variable_never_arrives()
    {
        FastCgiRequest? got = null;
        await using var app = Answering(request =>
        {
            got = request;
            return [.. Stdout("Content-Type: text/plain\r\n\r\nok"), .. End()];
        });
        await using var rig = await StartAsync(app);
        await rig.GetAsync("/info.php", "X.Forwarded.Host: evil", "X.Real.IP: evil", "X-Forwarded.Prefix: evil", "X.Authenticated.User: evil", "Surrogate.Capability: evil", "X+Y: evil", "X*Z: evil", "X-Plain-1: good");
        Assert.DoesNotContain("evil", got!.Variables.Values);
        Assert.Equal("good", got.Variables["HTTP_X_PLAIN_1"]);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(100_000)]
    [InlineData(1_500_000)]
    public async Task A_chunked_body_has_a_length_before_it_is_sent(int length)
    {
        FastCgiRequest? got = null;
        await using var app = Answering(request =>
        {
            got = request;
            return [.. Stdout("Content-Type: text/plain\r\n\r\nok"), .. End()];
        });
        await using var rig = await StartAsync(app);
        var chunk = new string('x', length / 10);
        var body = string.Concat(Enumerable.Repeat($"{chunk.Length:x}\r\n{chunk}\r\n", 10)) + "0\r\n\r\n";
        Assert.Equal("ok", (await rig.Edge.AskAsync($"POST /info.php HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n{body}")).Body);
        Assert.Equal(length.ToString(), got!.Variables["CONTENT_LENGTH"]);
        Assert.Equal(length, got.Body.Length);
    }

    [Theory]
    [InlineData("Status: 404 Not Found\r\nContent-Type: a/b\r\n\r\nx", "HTTP/1.1 404 Not Found\r\n")]
    [InlineData("Content-Type: a/b\nX-A: 1\n\nx", "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nX-A: 1\r\n")]
    [InlineData("Location: https://x.test/\r\n\r\n", "HTTP/1.1 302 Found\r\nLocation: https://x.test/\r\n")]
    [InlineData("Status: 201\r\nLocation: /x\r\n\r\n", "HTTP/1.1 201")]
    [InlineData("no head at all\r\n\r\n", "HTTP/1.1 502 ")]
    [InlineData("\r\n\r\n", "HTTP/1.1 502 ")]
    [InlineData("Status: 100\r\nA: b\r\n\r\n", "HTTP/1.1 502 ")]
    [InlineData("Status: 200\r\nStatus: 404\r\n\r\n", "HTTP/1.1 502 ")]
    [InlineData("Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\nx", "HTTP/1.1 200 OK\r\n")]
    public async Task A_head_of_CGI_becomes_one_of_HTTP(string answer, string head)
    {
        await using var app = Answering(_ => [.. Stdout(answer), .. End()]);
        await using var rig = await StartAsync(app);
        Assert.StartsWith(head, (await rig.GetAsync("/info.php")).Head);
    }

    [Fact]
    public async Task A_connection_serves_one_request_after_the_other()
    {
        await using var app = Telling("QUERY_STRING");
        await using var rig = await StartAsync(app);
        using var client = await rig.Edge.ConnectAsync();
        for (var i = 0; i < 5; i++)
        {
            await client.SendAsync($"GET /info.php?{i} HTTP/1.1\r\nHost: test\r\n\r\n");
            Assert.Equal($"{i}", (await client.ReadResponseAsync()).Body);
        }

        Assert.Equal(1, app.Accepted);
    }

    [Fact]
    public async Task An_answer_flows_while_it_is_made()
    {
        var seen = new TaskCompletionSource();
        await using var app = new ScriptedApp(async connection =>
        {
            await ReadAsync(connection);
            await connection.SendAsync(Stdout("Content-Type: text/plain\r\n\r\nfirst", padding: 7));
            await seen.Task;
            await connection.SendAsync([.. Stdout("second"), .. Stdout(""), .. End()]);
        });
        await using var rig = await StartAsync(app);
        using var client = await rig.Edge.ConnectAsync();
        await client.SendAsync("GET /info.php HTTP/1.1\r\nHost: test\r\n\r\n");
        await client.ReadHeadAsync();
        Assert.Equal("5\r\nfirst\r\n", await client.ReadAsync(10));
        seen.SetResult();
        Assert.Equal("6\r\nsecond\r\n0\r\n\r\n", await client.ReadAsync(16));
    }

    [Fact]
    public async Task What_a_script_says_on_its_error_stream_is_logged_line_by_line()
    {
        await using var app = Answering(_ => [.. Stderr("PHP Warning: a\nforged\u0007 line"), .. Stdout("A: b\r\n\r\n"), .. Stderr("\nlast"), .. End()]);
        await using var rig = await StartAsync(app);
        await rig.GetAsync("/info.php");
        Assert.Equal(["web.1: PHP Warning: a", "web.1: forged? line", "web.1: last"], rig.Edge.Said);
    }

    public static TheoryData<string, string> Faults => new()
    {
        { "nothing", "502" }, { "garbage", "502" }, { "version", "502" }, { "other request", "502" }, { "cut in head", "502" }, { "refused", "502" },
        { "overloaded", "503" }, { "no answer", "502" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_server_that_fails_is_a_502(string fault, string status)
    {
        byte[] answer = fault switch
        {
            "garbage" => Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\n\r\nthis is no FastCGI"),
            "version" => [2, .. Stdout("A: b\r\n\r\n")[1..]],
            "other request" => [1, 6, 0, 9, 0, 0, 0, 0],
            "cut in head" => Stdout("Content-Type: text/plain\r\n"),
            "refused" => End(3),
            "overloaded" => End(2),
            "no answer" => End(),
            _ => [],
        };
        await using var app = new ScriptedApp(async connection =>
        {
            await ReadAsync(connection);
            await connection.SendAsync(answer);
        });
        await using var rig = await StartAsync(app);
        Assert.StartsWith($"HTTP/1.1 {status} ", (await rig.GetAsync("/info.php")).Head);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_that_is_cut_off_is_not_taken_for_whole(bool garbage)
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await ReadAsync(connection);
            await connection.SendAsync([.. Stdout("Content-Type: text/plain\r\n\r\nhalf"), .. garbage ? "garbage!"u8 : default]);
        });
        await using var rig = await StartAsync(app);
        using var client = await rig.Edge.ConnectAsync();
        await client.SendAsync("GET /info.php HTTP/1.1\r\nHost: test\r\n\r\n");
        await client.ReadHeadAsync();
        Assert.False((await client.EndAsync()).EndsWith("0\r\n\r\n", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("GET", "200")]
    [InlineData("POST", "502")]
    public async Task A_kept_connection_that_closes_as_it_is_used_is_tried_again_where_that_is_safe(string method, string status)
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await ReadAsync(connection);
            if (connection.Number > 1)
            {
                await connection.SendAsync([.. Stdout("A: b\r\n\r\nanew"), .. End()]);
                return;
            }

            await connection.SendAsync([.. Stdout("A: b\r\n\r\nfirst"), .. End()]);
            await ReadAsync(connection);
        });
        await using var rig = await StartAsync(app);
        Assert.Equal("first", (await rig.GetAsync("/info.php")).Body);
        Assert.StartsWith($"HTTP/1.1 {status} ", (await rig.Edge.AskAsync($"{method} /info.php HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")).Head);
        Assert.Equal("anew", (await rig.GetAsync("/info.php")).Body);
    }

    [Fact]
    public async Task An_error_stream_without_end_fills_no_log()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await ReadAsync(connection);
            var noise = Stderr(string.Concat(Enumerable.Repeat("noise\n", 1000)));
            for (var i = 0; i < 200; i++)
            {
                await connection.SendAsync(noise);
            }

            await connection.SendAsync([.. Stderr(new string('x', 60_000)), .. Stdout("A: b\r\n\r\nok"), .. End()]);
        });
        await using var rig = await StartAsync(app);
        Assert.Equal("ok", (await rig.GetAsync("/info.php")).Body);
        Assert.Equal(50, rig.Edge.Said.Count);
        Assert.Contains("further lines of this request are left out", rig.Edge.Said.Last());
    }

    [Fact]
    public async Task A_server_that_says_errors_and_nothing_else_is_a_504()
    {
        await using var app = new ScriptedApp(async connection =>
        {
            await ReadAsync(connection);
            while (true)
            {
                await connection.SendAsync(Stderr("noise\n"));
                await Task.Delay(20);
            }
        });
        await using var rig = await StartAsync(app);
        rig.Edge.Change = snapshot => snapshot with
        {
            Folder = rig.Folder, Web = new WebDefinition { Rules = [new RuleDefinition { Timeout = TimeSpan.FromMilliseconds(2000) }] },
        };
        rig.Edge.Serve(
            service => service with { Interface = "fastcgi", Root = "public", Folder = rig.Folder, Instances = [.. service.Instances.Select(instance => instance with { Folder = rig.Folder })] }, app.Port);
        Assert.StartsWith("HTTP/1.1 504 ", (await rig.GetAsync("/info.php")).Head);
    }

    [Fact]
    public async Task A_server_without_a_free_worker_hands_the_request_to_another()
    {
        await using var full = Answering(static _ => End(2));
        await using var free = Answering(static request => [.. Stdout($"A: b\r\n\r\n{Encoding.ASCII.GetString(request.Body)}"), .. End()]);
        await using var rig = await StartAsync(full);
        rig.Edge.Serve(
            service => service with { Interface = "fastcgi", Root = "public", Folder = rig.Folder, Instances = [.. service.Instances.Select(instance => instance with { Folder = rig.Folder })] },
            full.Port, free.Port);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal("body", (await rig.Edge.AskAsync("POST /info.php HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nbody")).Body);
        }
    }

    [Fact]
    public async Task Without_a_root_the_app_is_told_the_whole_path()
    {
        await using var app = Telling("SCRIPT_NAME", "PATH_INFO");
        await using var rig = await StartAsync(app, root: null);
        Assert.Equal("|/a b/c", (await rig.GetAsync("/a%20b/c")).Body);
    }

    [Fact]
    public async Task A_client_that_waits_for_leave_to_send_gets_it()
    {
        await using var app = Answering(request => [.. Stdout($"A: b\r\n\r\n{request.Body.Length}"), .. End()]);
        await using var rig = await StartAsync(app);
        using var client = await rig.Edge.ConnectAsync();
        await client.SendAsync("POST /info.php HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 100 ", await client.ReadHeadAsync());
        await client.SendAsync("body");
        Assert.Equal("4", (await client.ReadResponseAsync()).Body);
    }
}
