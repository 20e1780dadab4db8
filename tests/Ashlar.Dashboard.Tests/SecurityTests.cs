using System.Net;
using System.Net.Sockets;
using System.Text;
using Ashlar.Dashboard.Http;
using Ashlar.Dashboard.Live;
using Microsoft.AspNetCore.Http;

namespace Ashlar.Dashboard.Tests;

public sealed class SecurityTests
{
    private static readonly string[] Secured = ["dashboard/live", "dashboard/series?node=web&range=5m", "dashboard/log?of=web.1:-1"];

    [Fact]
    public async Task Without_the_token_there_is_only_a_page_that_says_how_to_get_in()
    {
        await using var rig = await DashboardRig.StartAsync();
        using var client = rig.Client();
        using var page = await client.GetAsync("dashboard/");
        Assert.Equal(HttpStatusCode.Unauthorized, page.StatusCode);
        Assert.Contains("ashlar dashboard", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        foreach (var path in Secured)
        {
            using var answer = await client.GetAsync(path);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }

        using var forged = rig.Client("ashlar-00000000=1700000000.aaaa");
        Assert.Equal(HttpStatusCode.Unauthorized, (await forged.GetAsync("dashboard/live")).StatusCode);
    }

    [Fact]
    public async Task A_wrong_token_is_refused_and_many_at_once_wait_or_are_turned_away()
    {
        await using var rig = await DashboardRig.StartAsync();
        using var client = rig.Client();
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => client.SendAsync(rig.SignIn($"wrong {i}"))));
        Assert.All(answers, a => Assert.Contains(a.StatusCode, new[] { HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests }));
        Assert.Contains(answers, a => a.StatusCode == HttpStatusCode.TooManyRequests);
        Assert.All(answers, a => Assert.False(a.Headers.Contains("Set-Cookie")));
        await rig.SignInAsync();
    }

    [Fact]
    public async Task The_right_token_passes_however_many_wrong_ones_come_from_the_same_address()
    {
        await using var rig = await DashboardRig.StartAsync();
        using var client = rig.Client();
        using var ending = new CancellationTokenSource();
        var turnedAway = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var guessing = Enumerable.Range(0, 20).Select(async i =>
        {
            while (!ending.IsCancellationRequested)
            {
                using var request = i % 2 == 0 ? rig.SignIn($"wrong {i}") : new HttpRequestMessage(HttpMethod.Get, "metrics") { Headers = { Authorization = new("Bearer", $"wrong {i}") } };
                using var answer = await client.SendAsync(request);
                if (answer.StatusCode == HttpStatusCode.TooManyRequests)
                {
                    turnedAway.TrySetResult();
                }
            }
        }).ToArray();
        await turnedAway.Task.WaitAsync(TimeSpan.FromSeconds(30));
        for (var i = 0; i < 20; i++)
        {
            await rig.SignInAsync();
            using var right = new HttpRequestMessage(HttpMethod.Get, "metrics") { Headers = { Authorization = new("Bearer", DashboardRig.Token) } };
            using var answer = await client.SendAsync(right);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        await ending.CancelAsync();
        await Task.WhenAll(guessing);
    }

    [Fact]
    public async Task Wrong_tokens_of_one_address_leave_room_for_those_of_another()
    {
        var attempts = new WrongAttempts(TimeProvider.System);
        var (one, other) = (IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.2"));
        var waiting = Enumerable.Range(0, WrongAttempts.MostOfAddress).Select(_ => attempts.WaitAsync(one, CancellationToken.None)).ToArray();
        Assert.False(await attempts.WaitAsync(one, CancellationToken.None));
        Assert.True(await attempts.WaitAsync(other, CancellationToken.None));
        Assert.All(await Task.WhenAll(waiting), Assert.True);
        Assert.True(await attempts.WaitAsync(one, CancellationToken.None));
    }

    [Fact]
    public async Task The_cookie_is_not_the_token_and_cannot_be_read_or_sent_elsewhere()
    {
        await using var rig = await DashboardRig.StartAsync();
        using var client = rig.Client();
        using var answer = await client.SendAsync(rig.SignIn(DashboardRig.Token));
        var cookie = answer.Headers.GetValues("Set-Cookie").Single();
        Assert.DoesNotContain(DashboardRig.Token, cookie, StringComparison.Ordinal);
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("path=/dashboard/", cookie, StringComparison.OrdinalIgnoreCase);
        using var inside = rig.Client(cookie.Split(';')[0]);
        Assert.Equal(HttpStatusCode.OK, (await inside.GetAsync("dashboard/")).StatusCode);
    }

    [Theory]
    [InlineData("evil.example", 421)]
    [InlineData("127.0.0.1.evil.example", 421)]
    [InlineData("localhost.evil.example:80", 421)]
    [InlineData("10.1.2.3", 421)]
    [InlineData("2130706433", 421)]
    [InlineData("", 421)]
    [InlineData("localhost:1", 401)]
    [InlineData("[::1]:9", 401)]
    public async Task A_host_that_is_not_ours_is_refused_whoever_has_pointed_it_here(string host, int status)
    {
        await using var rig = await DashboardRig.StartAsync();
        Assert.StartsWith($"HTTP/1.1 {status}", await RawAsync(rig.Port, $"GET /dashboard/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_address_that_the_stack_listens_on_is_ours_too()
    {
        await using var rig = await DashboardRig.StartAsync(listen: IPAddress.Parse("10.1.2.3"));
        Assert.StartsWith("HTTP/1.1 401", await RawAsync(rig.Port, "GET /dashboard/ HTTP/1.1\r\nHost: 10.1.2.3:9\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 421", await RawAsync(rig.Port, "GET /dashboard/ HTTP/1.1\r\nHost: 10.1.2.4:9\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task Another_page_gets_nothing_even_with_the_cookie(string header, string value)
    {
        await using var rig = await DashboardRig.StartAsync();
        using var client = rig.Client(await rig.SignInAsync());
        foreach (var path in Secured)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add(header, value);
            using var answer = await client.SendAsync(request);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }

        using var signIn = rig.SignIn(DashboardRig.Token, header == "Origin" ? value : null);
        if (header != "Origin")
        {
            signIn.Headers.Add(header, value);
        }

        Assert.Equal(HttpStatusCode.Forbidden, (await client.SendAsync(signIn)).StatusCode);
    }

    [Fact]
    public async Task Signing_in_needs_an_origin_and_json()
    {
        await using var rig = await DashboardRig.StartAsync();
        using var client = rig.Client();
        using var silent = rig.SignIn(DashboardRig.Token);
        silent.Headers.Remove("Origin");
        Assert.Equal(HttpStatusCode.Forbidden, (await client.SendAsync(silent)).StatusCode);
        using var form = rig.SignIn(DashboardRig.Token);
        form.Content = new FormUrlEncodedContent([new("token", DashboardRig.Token)]);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await client.SendAsync(form)).StatusCode);
    }

    [Theory]
    [InlineData("/dashboard/assets/../../../../etc/passwd")]
    [InlineData("/dashboard/assets/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/dashboard/assets/..%2f..%2fetc%2fpasswd")]
    [InlineData("/dashboard/assets//etc/passwd")]
    [InlineData("/dashboard/assets/index.html")]
    [InlineData("/dashboard/assets/")]
    [InlineData("/etc/passwd")]
    [InlineData("/.ashlar/state.db")]
    public async Task A_path_that_climbs_finds_nothing(string path)
    {
        await using var rig = await DashboardRig.StartAsync();
        Assert.StartsWith("HTTP/1.1 404", await RawAsync(rig.Port, $"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("log?of=../run/x:-1")]
    [InlineData("log?of=%2Fetc%2Fpasswd")]
    [InlineData("log?of=web.9:0")]
    [InlineData("series?node=..&range=5m")]
    [InlineData("series?node=web&range=1y")]
    public async Task Logs_and_series_are_those_of_the_tree_and_no_others(string path)
    {
        await using var rig = await DashboardRig.StartAsync();
        using var client = rig.Client(await rig.SignInAsync());
        await SeenAsync(client);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("dashboard/" + path)).StatusCode);
    }

    [Fact]
    public async Task Every_answer_forbids_frames_foreign_scripts_sniffing_and_referrers()
    {
        await using var rig = await DashboardRig.StartAsync();
        using var client = rig.Client(await rig.SignInAsync());
        foreach (var path in new[] { "dashboard/", "dashboard/assets/app.js", "nothing", "metrics" })
        {
            using var answer = await client.GetAsync(path);
            var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
            Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
            Assert.Equal("DENY", answer.Headers.GetValues("X-Frame-Options").Single());
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal("no-referrer", answer.Headers.GetValues("Referrer-Policy").Single());
            Assert.False(answer.Headers.Contains("Server"));
        }
    }

    [Fact]
    public async Task Metrics_want_the_token_as_bearer()
    {
        await using var rig = await DashboardRig.StartAsync();
        using var client = rig.Client(await rig.SignInAsync());
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("metrics")).StatusCode);
        using var wrong = new HttpRequestMessage(HttpMethod.Get, "metrics");
        wrong.Headers.Authorization = new("Bearer", "wrong");
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.SendAsync(wrong)).StatusCode);
        using var right = new HttpRequestMessage(HttpMethod.Get, "metrics");
        right.Headers.Authorization = new("Bearer", DashboardRig.Token);
        using var answer = await client.SendAsync(right);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.StartsWith("text/plain; version=0.0.4", answer.Content.Headers.ContentType?.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_too_large_is_refused()
    {
        await using var rig = await DashboardRig.StartAsync();
        Assert.StartsWith("HTTP/1.1 431", await RawAsync(rig.Port, $"GET / HTTP/1.1\r\nHost: localhost\r\nX: {new string('x', 20_000)}\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 414", await RawAsync(rig.Port, $"GET /{new string('x', 9000)} HTTP/1.1\r\nHost: localhost\r\n\r\n"), StringComparison.Ordinal);
        using var client = rig.Client();
        using var large = rig.SignIn(new string('x', 100_000));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await client.SendAsync(large)).StatusCode);
        using var deleting = new HttpRequestMessage(HttpMethod.Delete, "dashboard/");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await client.SendAsync(deleting)).StatusCode);
    }

    [Fact]
    public async Task Open_pages_are_bounded_and_the_rest_of_200_are_told_to_come_back()
    {
        await using var rig = await DashboardRig.StartAsync();
        using var client = rig.Client(await rig.SignInAsync());
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => client.GetAsync("dashboard/live", HttpCompletionOption.ResponseHeadersRead)));
        Assert.Equal(LiveFeed.MostPages, answers.Count(a => a.StatusCode == HttpStatusCode.OK));
        Assert.Equal(200 - LiveFeed.MostPages, answers.Count(a => a.StatusCode == HttpStatusCode.ServiceUnavailable));
        Assert.All(answers, a => a.Dispose());
        await UntilAsync(async () =>
        {
            using var again = await client.GetAsync("dashboard/live", HttpCompletionOption.ResponseHeadersRead);
            return again.StatusCode == HttpStatusCode.OK;
        });
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task A_client_that_sends_slowly_is_cut_off()
    {
        await using var rig = await DashboardRig.StartAsync();
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, rig.Port);
        await socket.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: loc"u8.ToArray());
        var buffer = new byte[1024];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await socket.GetStream().ReadAsync(buffer, patience.Token) > 0)
        {
        }
    }

    [Theory]
    [InlineData("GET /dashboard/ HTTP/1.1\r\nHost: loc")]
    [InlineData("GET /dashboard/ HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("POST /dashboard/session HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{")]
    public async Task Seven_hundred_connections_that_wait_shut_nobody_out(string sent)
    {
        await using var rig = await DashboardRig.StartAsync();
        var sockets = new List<Socket>();
        try
        {
            for (var i = 0; i < 700; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                sockets.Add(socket);
                await socket.ConnectAsync(IPAddress.Loopback, rig.Port);
                await socket.SendAsync(Encoding.ASCII.GetBytes(sent));
            }

            using var client = rig.Client(await rig.SignInAsync());
            using var page = await client.GetAsync("dashboard/");
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("LOCALHOST:80", true)]
    [InlineData("127.9.9.9:80", true)]
    [InlineData("[::1]", true)]
    [InlineData("user@localhost", false)]
    [InlineData("0x7f.1", true)]
    [InlineData("1", false)]
    [InlineData("localhost.", false)]
    public void Hosts_are_names_of_this_machine_only(string host, bool ours) => Assert.Equal(ours, new Gate(null).IsOurHost(new HostString(host)));

    [Fact]
    public void Sessions_end_and_cannot_be_made_up()
    {
        var time = new SteppedTime();
        var session = new Session(DashboardRig.Token, time);
        var value = session.Begin();
        Assert.True(session.IsSession(value));
        Assert.False(new Session("another token of the same length!", time).IsSession(value));
        Assert.False(session.IsSession(value[..^1] + (value[^1] == '0' ? '1' : '0')));
        foreach (var text in new[] { null, "", ".", "1.", "..", new string('9', 500), "-1.x", "99999999999999999999.a" })
        {
            Assert.False(session.IsSession(text));
        }

        time.Now += Session.Life;
        Assert.False(session.IsSession(value));
        Assert.True(session.IsToken(DashboardRig.Token));
        Assert.False(session.IsToken(DashboardRig.Token + "x"));
        Assert.False(session.IsToken(""));
    }

    private sealed class SteppedTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UtcNow;

        public override DateTimeOffset GetUtcNow() => Now;
    }

    private static Task SeenAsync(HttpClient client) => UntilAsync(async () => (await client.GetAsync("dashboard/log?of=web.1:-1")).IsSuccessStatusCode);

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var until = DateTime.UtcNow.AddSeconds(30); !await holds(); await Task.Delay(20))
        {
            Assert.True(DateTime.UtcNow < until, "it does not come");
        }
    }

    private static async Task<string> RawAsync(int port, string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, port);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(socket.GetStream());
        try
        {
            return await reader.ReadLineAsync() ?? "";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
