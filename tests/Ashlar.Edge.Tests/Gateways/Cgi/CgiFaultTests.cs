using System.Net;
using System.Text;
using Ashlar.Edge.Tests.Forwarding;
using Ashlar.Stack;
using static Ashlar.Edge.Tests.Gateways.FastCgiServer;

namespace Ashlar.Edge.Tests.Gateways.Cgi;

public sealed class CgiFaultTests
{
    private const string Plain = "printf 'Content-Type: text/plain\\n\\n'\n";

    private static readonly WebDefinition _impatient = new() { Rules = [new RuleDefinition { Timeout = TimeSpan.FromMilliseconds(400) }] };

    [Theory]
    [InlineData("exit 3", "502", "/it: exit 3 before it had answered")]
    [InlineData("kill -9 $$", "502", "/it: killed by SIGKILL before it had answered")]
    [InlineData(":", "502", "/it: exit 0 before it had answered")]
    [InlineData("#!/no/such/interpreter\n", "502", "/it: '")]
    [InlineData("printf 'this is no head\\n\\n'; exit 1", "502", null)]
    [InlineData("printf 'Content-Type: text/plain\\n'", "502", null)]
    [InlineData("head -c 200000 /dev/zero", "502", null)]
    [InlineData("yes 'X-Long: field'", "502", null)]
    [InlineData("printf '\\377\\376garbage'", "502", null)]
    [InlineData("printf 'HTTP/1.1 200 OK\\r\\n\\r\\n'", "502", null)]
    public async Task A_script_that_gives_no_answer_is_a_502(string script, string status, string? said)
    {
        await using var rig = await CgiRig.StartAsync(new() { ["it"] = script, ["good"] = Plain + "printf good" });
        Assert.StartsWith($"HTTP/1.1 {status} ", (await rig.GetAsync("/it")).Head);
        if (said is not null)
        {
            await rig.SaysAsync(said);
        }

        Assert.Equal("good", (await rig.GetAsync("/good")).Body);
    }

    [Fact]
    public async Task A_script_that_is_not_there_is_a_404()
    {
        await using var rig = await CgiRig.StartAsync([]);
        Assert.StartsWith("HTTP/1.1 404 ", (await rig.GetAsync("/nothing")).Head);
    }

    [Fact]
    public async Task A_script_that_may_not_be_executed_is_a_502_and_the_log_says_why()
    {
        await using var rig = await CgiRig.StartAsync(new() { ["it"] = Plain });
        File.SetUnixFileMode(Path.Combine(rig.Folder, "cgi/it"), UnixFileMode.UserRead);
        var (head, body) = await rig.GetAsync("/it");
        Assert.StartsWith("HTTP/1.1 502 ", head);
        Assert.Contains("could not be started", body);
        Assert.Contains("chmod +x", await rig.SaysAsync("/it: "));
    }

    [Fact]
    public async Task An_answer_that_is_cut_off_is_not_taken_for_whole()
    {
        await using var rig = await CgiRig.StartAsync(new() { ["it"] = Plain + "printf half; kill -9 $$" });
        using var client = await rig.Web.Edge.ConnectAsync();
        await client.SendAsync("GET /it HTTP/1.1\r\nHost: test\r\n\r\n");
        await client.ReadHeadAsync();
        Assert.False((await client.EndAsync()).EndsWith("0\r\n\r\n", StringComparison.Ordinal));
        await rig.SaysAsync("/it: killed by SIGKILL");
    }

    [Fact]
    public async Task A_script_that_hangs_is_a_504_and_ended_with_its_group()
    {
        await using var rig = await CgiRig.StartAsync(
            new() { ["it"] = "trap '' TERM\n(trap '' TERM; echo $$ > pid; while :; do sleep 1; done) & echo $! > child; while :; do sleep 1; done" }, _impatient);
        var asked = rig.GetAsync("/it");
        var (pid, child) = (await rig.FileAsync("pid"), await rig.FileAsync("child"));
        Assert.StartsWith("HTTP/1.1 504 ", (await asked).Head);
        await rig.SaysAsync("/it: the client has gone before it had an answer; the script is ended");
        await CgiRig.GoneAsync(pid);
        await CgiRig.GoneAsync(child);
    }

    [Fact]
    public async Task A_script_has_its_time_and_no_more()
    {
        await using var rig = await CgiRig.StartAsync(new() { ["it"] = "echo $$ > pid; exec sleep 600" }, seconds: 0.5);
        Assert.StartsWith("HTTP/1.1 504 ", (await rig.GetAsync("/it")).Head);
        await rig.SaysAsync("/it: it has run for 0.5 s, which is the most; it is ended");
        if (File.Exists(Path.Combine(rig.Folder, "cgi/pid")))
        {
            await CgiRig.GoneAsync(await rig.FileAsync("pid"));
        }
    }

    [Fact]
    public async Task An_answer_that_takes_longer_than_the_script_has_is_cut_off()
    {
        await using var rig = await CgiRig.StartAsync(new() { ["slow"] = Plain + "printf half; exec sleep 600" }, seconds: 3);
        using var client = await rig.Web.Edge.ConnectAsync();
        await client.SendAsync("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n");
        await client.ReadHeadAsync();
        Assert.Equal("4\r\nhalf\r\n", await client.ReadAsync(9));
        Assert.False((await client.EndAsync()).EndsWith("0\r\n\r\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_client_that_leaves_ends_its_script()
    {
        await using var rig = await CgiRig.StartAsync(new() { ["it"] = "echo $$ > pid; exec sleep 600" });
        using (var client = await rig.Web.Edge.ConnectAsync())
        {
            await client.SendAsync("GET /it HTTP/1.1\r\nHost: test\r\n\r\n");
            await rig.FileAsync("pid");
            client.Reset();
        }

        await CgiRig.GoneAsync(await rig.FileAsync("pid"));
    }

    [Fact]
    public async Task Who_reaches_the_port_can_neither_run_other_programs_nor_set_the_environment()
    {
        await using var rig = await CgiRig.StartAsync(new() { ["env.sh"] = Plain + "env" });
        var port = ((IPEndPoint)rig.Server.EndPoint).Port;
        foreach (var script in (string[])["/bin/true", $"{rig.Folder}/cgi/../cgi/env.sh", $"{rig.Folder}/cgi", $"{rig.Folder}/cgi/", ""])
        {
            Assert.DoesNotContain("OWN", await AskAsync(port, ("SCRIPT_FILENAME", script)));
            await rig.SaysAsync("there is no such script");
        }

        var told = await AskAsync(port, ("SCRIPT_FILENAME", $"{rig.Folder}/cgi/env.sh"), ("LD_PRELOAD", "/tmp/evil.so"), ("PATH", "/tmp"), ("HTTP_PROXY", "evil"), ("HTTP_A", "b"), ("HTTP_A=B", "c"));
        Assert.Contains("HTTP_A=b\n", told);
        Assert.Contains("PATH=/usr/bin:/bin\n", told);
        Assert.DoesNotContain("evil", told);
        Assert.DoesNotContain("=B", told);
    }

    [Fact]
    public async Task What_is_no_request_ends_its_connection_alone()
    {
        await using var rig = await CgiRig.StartAsync(new() { ["it"] = Plain + "printf ok" });
        foreach (var bytes in (byte[][])[Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n"), [1, 4, 0, 1, 0, 0, 0, 0], [1, 1, 0, 1, 0, 8, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 1, 4]])
        {
            using var client = await RawConnection.OpenAsync(((IPEndPoint)rig.Server.EndPoint).Port);
            await client.SendAsync(bytes);
            Assert.Contains(await client.EndAsync(), (string[])["closed", "reset"]);
        }

        Assert.Equal("ok", (await rig.GetAsync("/it")).Body);
    }

    private static async Task<string> AskAsync(int port, params (string Name, string Value)[] variables)
    {
        using var client = await RawConnection.OpenAsync(port);
        var pairs = variables.SelectMany(static pair => (byte[])[(byte)pair.Name.Length, (byte)pair.Value.Length, .. Encoding.ASCII.GetBytes(pair.Name + pair.Value)]).ToArray();
        await client.SendAsync([.. Record(1, [0, 1, 0, 0, 0, 0, 0, 0]), .. Record(4, pairs), .. Record(4, []), .. Record(5, [])]);
        return await client.ReadToEndAsync();
    }
}
