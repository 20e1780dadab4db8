using System.Globalization;
using Ashlar.Testing;
using Microsoft.Playwright;

namespace Ashlar.Dashboard.Tests;

public sealed class SlowRequestsTests(BrowserFixture fixture) : IClassFixture<BrowserFixture>
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private static string Line(DateTimeOffset time, double ms, string more = "\"service\":\"web\"") => string.Create(CultureInfo.InvariantCulture,
        $"{{\"time\":\"{time:yyyy-MM-ddTHH:mm:ss.fffZ}\",\"method\":\"GET\",\"host\":\"shop.test\",\"target\":\"/a\",\"status\":200,\"ms\":{ms},\"upstream_ms\":{ms / 2},{more},\"id\":\"x\"}}\n");

    [Fact]
    public void The_slowest_of_the_last_minutes_come_first_and_no_more_than_fit()
    {
        using var folder = new TempFolder("ashlar-slow-");
        var log = Path.Combine(folder.Path, "access.log");
        File.WriteAllText(log, string.Concat(Enumerable.Range(0, 100).Select(i => Line(s_now.AddSeconds(-i), i * 7 % 100))));
        var answer = SlowRequests.Read(log, s_now);
        Assert.Equal(SlowRequests.Most, answer.Requests.Length);
        Assert.Equal(Enumerable.Range(0, SlowRequests.Most).Select(i => 99.0 - i), answer.Requests.Select(request => request.Ms));
        Assert.Equal(99, answer.Seconds);
    }

    [Fact]
    public void What_is_old_the_dashboards_own_or_a_tunnel_is_none_of_them()
    {
        using var folder = new TempFolder("ashlar-slow-");
        var log = Path.Combine(folder.Path, "access.log");
        File.WriteAllText(log, Line(s_now.AddMinutes(-6), 900) + Line(s_now, 800, "\"service\":\"dashboard\"") + Line(s_now, 700).Replace("\"status\":200", "\"status\":101")
            + "no line of the edge's\n" + Line(s_now, 5) + Line(s_now, 9999)[..40]);
        Assert.Equal(5, Assert.Single(SlowRequests.Read(log, s_now).Requests).Ms);
    }

    [Fact]
    public void A_log_that_is_not_there_has_none()
    {
        Assert.Empty(SlowRequests.Read("/nowhere/access.log", s_now).Requests);
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task The_page_shows_where_their_time_went()
    {
        await using var rig = await DashboardRig.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(rig.Folder, "run", "access.log"), Line(DateTimeOffset.UtcNow, 80, "\"queue_ms\":20.5,\"first_ms\":30,\"service\":\"web\",\"instance\":\"web.1\""));
        var page = await (await fixture.Browser.NewContextAsync()).NewPageAsync();
        await page.GotoAsync($"{rig.Url}#token={DashboardRig.Token}");
        await page.ClickAsync("#slowest summary");
        await Assertions.Expect(page.Locator("#slowest tbody tr")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator("#slowest tbody tr")).ToContainTextAsync("GET /a");
        await Assertions.Expect(page.Locator("#slowest tbody svg.slow-bar")).ToHaveAttributeAsync("aria-label", "20 ms in the edge, 21 ms waiting for room, 30 ms until the answer began, 10 ms the rest of the answer");
    }
}
