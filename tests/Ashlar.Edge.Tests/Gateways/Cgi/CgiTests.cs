using System.Globalization;

namespace Ashlar.Edge.Tests.Gateways.Cgi;

public sealed class CgiTests
{
    private const string Plain = "printf 'Content-Type: text/plain\\n\\n'\n";

    private static Task<CgiRig> StartAsync(string script) => CgiRig.StartAsync(new() { ["it"] = script });

    [Fact]
    public async Task A_script_is_told_the_request_as_CGI_has_it()
    {
        await using var rig = await CgiRig.StartAsync(new()
        {
            ["env.sh"] = Plain + "env | sort; pwd",
        });
        var (head, body) = await rig.GetAsync("/env.sh/a%20b/c?q=1&r", "Cookie: a=1", "Proxy: evil", "X-Mine: yes", "X_Under: no");
        Assert.StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n", head);
        var told = body.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Path.Combine(rig.Folder, "cgi"), told[^1]);
        foreach (var line in (string[])
            [
                "GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=GET", "SCRIPT_NAME=/env.sh", "PATH_INFO=/a b/c", $"PATH_TRANSLATED={rig.Folder}/cgi/a b/c",
                "QUERY_STRING=q=1&r", "REQUEST_URI=/env.sh/a%20b/c?q=1&r", "SERVER_PROTOCOL=HTTP/1.1", "SERVER_NAME=test", "REMOTE_ADDR=127.0.0.1", "HTTP_COOKIE=a=1",
                "HTTP_X_MINE=yes", $"SCRIPT_FILENAME={rig.Folder}/cgi/env.sh", "OWN=mine",
            ])
        {
            Assert.Contains(line, told);
        }

        Assert.DoesNotContain(told, static line => line.StartsWith("HTTP_PROXY=", StringComparison.Ordinal) || line.StartsWith("PORT=", StringComparison.Ordinal)
            || line.StartsWith("REMOTE_USER=", StringComparison.Ordinal) || line.Contains("X_UNDER", StringComparison.Ordinal) || line.StartsWith("CONTENT_LENGTH=", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/sub/deep", "/sub/deep|")]
    [InlineData("/sub/deep/", "/sub/deep|/")]
    [InlineData("/sub/deep/x/y", "/sub/deep|/x/y")]
    [InlineData("/sub/", "/sub/index.cgi|")]
    [InlineData("/", "/index.cgi|")]
    public async Task The_script_is_the_first_file_on_the_path(string path, string told)
    {
        const string Tell = Plain + "printf %s \"$SCRIPT_NAME|$PATH_INFO\"";
        await using var rig = await CgiRig.StartAsync(new() { ["sub/deep"] = Tell, ["sub/index.cgi"] = Tell, ["index.cgi"] = Tell });
        Assert.Equal(told, (await rig.GetAsync(path)).Body);
    }

    [Fact]
    public async Task A_script_may_stand_for_all_paths()
    {
        await using var rig = await CgiRig.StartAsync(new() { ["app.cgi"] = Plain + "printf %s \"$SCRIPT_NAME|$REQUEST_URI\"" }, tries: ["$uri", "/app.cgi"]);
        Assert.Equal("/app.cgi|/whatever/it?is", (await rig.GetAsync("/whatever/it?is")).Body);
    }

    [Fact]
    public async Task One_program_answers_all_paths_where_there_is_no_root()
    {
        await using var rig = await CgiRig.StartAsync([], root: null, run: "printf 'A: b\\n\\n%s' \"$PATH_INFO in $(pwd)\"");
        Assert.Equal($"/a/b in {rig.Folder}", (await rig.GetAsync("/a/b")).Body);
    }

    [Fact]
    public async Task An_interpreter_may_run_the_scripts()
    {
        await using var rig = await CgiRig.StartAsync(new() { ["hello"] = "A: b" }, run: "printf 'A: b\\n\\n'; tail -n 1 \"$SCRIPT_FILENAME\"");
        Assert.Equal("A: b", (await rig.GetAsync("/hello")).Body.Trim());
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(3, false)]
    [InlineData(1_000_000, false)]
    [InlineData(300_000, true)]
    public async Task A_body_comes_on_standard_input_with_its_length(int length, bool chunked)
    {
        await using var rig = await StartAsync(Plain + "printf '%s ' \"$CONTENT_LENGTH\"; wc -c");
        var body = new string('x', length);
        var framed = chunked ? $"Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n" : $"Content-Length: {length}\r\n\r\n{body}";
        Assert.Equal(length == 0 ? "0" : $"{length} {length}", (await rig.Web.Edge.AskAsync($"POST /it HTTP/1.1\r\nHost: test\r\n{framed}")).Body.Trim());
    }

    [Fact]
    public async Task Body_and_answer_flow_at_once()
    {
        await using var rig = await StartAsync(Plain + "cat");
        var body = string.Concat(Enumerable.Range(0, 200_000).Select(static i => i.ToString("x6", CultureInfo.InvariantCulture)));
        Assert.Equal(body, (await rig.Web.Edge.AskAsync($"POST /it HTTP/1.1\r\nHost: test\r\nContent-Length: {body.Length}\r\n\r\n{body}")).Body);
    }

    [Fact]
    public async Task A_script_need_not_read_the_body()
    {
        await using var rig = await StartAsync(Plain + "exec <&-\nprintf done");
        Assert.Equal("done", (await rig.Web.Edge.AskAsync($"POST /it HTTP/1.1\r\nHost: test\r\nContent-Length: 500000\r\n\r\n{new string('x', 500_000)}")).Body);
    }

    [Theory]
    [InlineData("printf 'Status: 404 Not Here\\nContent-Type: a/b\\n\\nx'", "HTTP/1.1 404 Not Here\r\nContent-Type: a/b\r\n")]
    [InlineData("printf 'Location: https://x.test/y\\n\\n'", "HTTP/1.1 302 Found\r\nLocation: https://x.test/y\r\n")]
    [InlineData("printf 'Status: 303\\r\\nLocation: /y\\r\\n\\r\\n'", "HTTP/1.1 303")]
    public async Task The_head_says_the_status(string script, string head)
    {
        await using var rig = await StartAsync(script);
        Assert.StartsWith(head, (await rig.GetAsync("/it")).Head);
    }

    [Fact]
    public async Task An_answer_flows_while_it_is_made()
    {
        await using var rig = await StartAsync(Plain + "printf first; while [ ! -e go ]; do sleep 0.02; done; printf second");
        using var client = await rig.Web.Edge.ConnectAsync();
        await client.SendAsync("GET /it HTTP/1.1\r\nHost: test\r\n\r\n");
        await client.ReadHeadAsync();
        Assert.Equal("5\r\nfirst\r\n", await client.ReadAsync(10));
        await File.WriteAllTextAsync(Path.Combine(rig.Folder, "cgi/go"), "");
        Assert.Equal("6\r\nsecond\r\n0\r\n\r\n", await client.ReadAsync(16));
    }

    [Theory]
    [InlineData("printf 'Content-Length: 2\\n\\nok'; while [ ! -e go ]; do sleep 0.02; done; echo done > done")]
    [InlineData(Plain + "printf ok; exec >&-; while [ ! -e go ]; do sleep 0.02; done; echo done > done")]
    [InlineData(Plain + "(while [ ! -e go ]; do sleep 0.02; done; echo done > done) & printf ok")]
    public async Task A_script_may_go_on_when_it_has_answered(string script)
    {
        await using var rig = await StartAsync(script);
        Assert.Equal("ok", (await rig.GetAsync("/it")).Body);
        await File.WriteAllTextAsync(Path.Combine(rig.Folder, "cgi/go"), "");
        Assert.Equal("done", await rig.FileAsync("done"));
    }

    [Fact]
    public async Task Scripts_do_not_begin_above_their_number()
    {
        await using var rig = await CgiRig.StartAsync(
            new() { ["it"] = Plain + "mkdir -p on; touch on/$$; ls on | wc -l; sleep 0.1; rm on/$$" }, processes: 2);
        var counts = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ => int.Parse((await rig.GetAsync("/it")).Body, CultureInfo.InvariantCulture)));
        Assert.All(counts, count => Assert.InRange(count, 1, 2));
    }

    [Fact]
    public async Task Files_beside_scripts_are_not_shown()
    {
        await using var rig = await StartAsync(Plain);
        await File.WriteAllTextAsync(Path.Combine(rig.Folder, "cgi/notes.txt"), "secret");
        await File.WriteAllTextAsync(Path.Combine(rig.Folder, "outside"), "secret");
        File.CreateSymbolicLink(Path.Combine(rig.Folder, "cgi/out"), "../outside");
        Assert.DoesNotContain("secret", (await rig.GetAsync("/notes.txt")).Body);
        Assert.StartsWith("HTTP/1.1 404 ", (await rig.GetAsync("/out")).Head);
        Assert.StartsWith("HTTP/1.1 404 ", (await rig.GetAsync("/.hidden")).Head);
    }

    [Fact]
    public async Task A_stop_waits_for_what_is_under_way()
    {
        await using var rig = await StartAsync(Plain + "echo $$ > pid; while [ ! -e go ]; do sleep 0.02; done; printf done");
        var answer = rig.GetAsync("/it");
        await rig.FileAsync("pid");
        rig.Server.Stop();
        Assert.False(rig.Server.Ended.IsCompleted);
        await File.WriteAllTextAsync(Path.Combine(rig.Folder, "cgi/go"), "");
        Assert.Equal("done", (await answer).Body);
        await rig.Server.Ended.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task HEAD_ends_no_script()
    {
        await using var rig = await StartAsync(Plain + "printf body; sleep 0.1; yes | head -c 200000; echo done > done");
        using var client = await rig.Web.Edge.ConnectAsync();
        await client.SendAsync("HEAD /it HTTP/1.1\r\nHost: test\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadHeadAsync());
        Assert.Equal("done", await rig.FileAsync("done"));
    }
}
