using System.Diagnostics;
using Ashlar.Catalog;
using Microsoft.Playwright;

namespace Ashlar.Dashboard.Tests;

public sealed class PageTests(BrowserFixture fixture) : IClassFixture<BrowserFixture>
{
    private readonly List<string> _complaints = [];

    private async Task<IPage> OpenAsync(DashboardRig rig, ColorScheme scheme = ColorScheme.Light, int width = 1440, int height = 900)
    {
        var context = await fixture.Browser.NewContextAsync(new BrowserNewContextOptions
        {
            ColorScheme = scheme,
            ViewportSize = new ViewportSize { Width = width, Height = height },
        });
        var page = await context.NewPageAsync();
        page.Console += (_, message) =>
        {
            // The first answer is the sign-in page, with 401, and a dashboard that is away is away.
            if (message.Type is "error" or "warning" && !message.Text.Contains("401") && !message.Text.Contains("ERR_CONNECTION") && !message.Text.Contains("ERR_INCOMPLETE"))
            {
                _complaints.Add(message.Text);
            }
        };
        page.PageError += (_, error) => _complaints.Add(error);
        await page.GotoAsync($"{rig.Url}#token={DashboardRig.Token}");
        await page.WaitForSelectorAsync("button.node");
        return page;
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task The_token_opens_the_page_and_leaves_the_address_and_the_tree_is_there()
    {
        await using var rig = await DashboardRig.StartAsync();
        var page = await OpenAsync(rig);
        Assert.DoesNotContain("token", page.Url, StringComparison.Ordinal);
        await Assertions.Expect(page).ToHaveTitleAsync("storefront · Ashlar");
        foreach (var node in new[] { "edge", "web", "admin", "worker", "database", "database:replicas", "queue", "cache" })
        {
            await Assertions.Expect(page.Locator($"button.node[data-id='{node}']")).ToBeVisibleAsync();
        }

        await Assertions.Expect(page.Locator("#health-text")).ToHaveTextAsync("All healthy");
        Assert.Equal(2, await page.Locator("[data-id=web] .dots .s-healthy").CountAsync());
        Assert.Empty(_complaints);
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task Figures_move_with_the_traffic()
    {
        await using var rig = await DashboardRig.StartAsync();
        var page = await OpenAsync(rig);
        await Assertions.Expect(page.Locator("#tightest")).ToContainTextAsync("No requests");
        var rate = page.Locator("[data-id=web] .fact b").First;
        await DriveAsync(rig, async () => (await rate.TextContentAsync()) is not ("–" or "0"));
        await DriveAsync(rig, async () => (await page.Locator("[data-id=web] .fact b").Nth(2).TextContentAsync())!.Contains("ms"));
        await DriveAsync(rig, async () => await page.EvaluateAsync<bool>("() => [...document.querySelectorAll('.link')].some(l => parseFloat(l.style.strokeWidth) > 3)"));
        Assert.Empty(_complaints);
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task The_panel_opens_by_keyboard_follows_the_log_and_gives_the_focus_back()
    {
        await using var rig = await DashboardRig.StartAsync();
        rig.Write("web.1", "first line\n");
        var page = await OpenAsync(rig);
        await page.FocusAsync("[data-id=edge]");
        await page.Keyboard.PressAsync("ArrowRight");
        Assert.Contains(await FocusedAsync(page), new[] { "web", "admin", "worker" });
        await page.FocusAsync("[data-id=web]");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#panel-title")).ToBeFocusedAsync();
        await Assertions.Expect(page.Locator(".log")).ToContainTextAsync("first line");
        rig.Write("web.1", "second <b>line</b>\n");
        await Assertions.Expect(page.Locator(".log")).ToContainTextAsync("second <b>line</b>");
        await page.ClickAsync(".log-bar button");
        rig.Write("web.2", "third line\n");
        await Assertions.Expect(page.Locator(".log-bar button")).ToContainTextAsync("(1)");
        await Assertions.Expect(page.Locator(".log")).Not.ToContainTextAsync("third line");
        await page.ClickAsync(".log-bar button");
        await Assertions.Expect(page.Locator(".log")).ToContainTextAsync("third line");
        await page.FillAsync(".log-bar input", "SECOND");
        await Assertions.Expect(page.Locator(".log .row:visible")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator(".instances")).ToContainTextAsync("web.2");
        await page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.Locator("#panel")).ToBeHiddenAsync();
        Assert.Equal("web", await FocusedAsync(page));
        Assert.Empty(_complaints);
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task A_crash_an_agent_that_is_gone_and_a_dashboard_that_is_gone_are_said()
    {
        await using var rig = await DashboardRig.StartAsync();
        var page = await OpenAsync(rig);
        await rig.Agent.SayAsync(Reports.Storefront(i => i.Name != "web.2" ? i : i with
        {
            State = InstanceState.Backoff, Detail = "exit 1, next start in 4 s", LastLines = ["Traceback", "KeyError: 'PORT'"],
        }) with { Healthy = false });
        await Assertions.Expect(page.Locator(".notice[data-kind=bad]")).ToContainTextAsync("KeyError: 'PORT'");
        await Assertions.Expect(page.Locator("[data-id=web]")).ToHaveAttributeAsync("data-state", "degraded");
        await Assertions.Expect(page.Locator("[data-id=web] .s-backoff")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator("#announce")).ToContainTextAsync("web degraded, 1 of 2");
        await rig.Agent.DisposeAsync();
        await Assertions.Expect(page.Locator(".notice[data-key=agent]")).ToContainTextAsync("The agent does not answer");
        await rig.EndAsync();
        await Assertions.Expect(page.Locator(".notice[data-key=dashboard]")).ToContainTextAsync("The dashboard does not answer", new() { Timeout = 20_000 });
        await Assertions.Expect(page.Locator("#live-text")).ToContainTextAsync("last seen");
        Assert.True(await page.EvaluateAsync<bool>("() => document.body.classList.contains('stale')"));
        await rig.BeginAgainAsync();
        await Assertions.Expect(page.Locator(".notice[data-key=dashboard]")).ToHaveCountAsync(0, new() { Timeout = 30_000 });
        Assert.Empty(_complaints);
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task An_agent_that_hangs_is_told_like_one_that_is_gone_and_traffic_goes_on()
    {
        await using var rig = await DashboardRig.StartAsync();
        var page = await OpenAsync(rig);
        rig.Agent.Hangs = true;
        await Assertions.Expect(page.Locator(".notice[data-key=agent]")).ToContainTextAsync("The agent does not answer", new() { Timeout = 30_000 });
        var rate = page.Locator("[data-id=web] .fact b").First;
        await DriveAsync(rig, async () => (await rate.TextContentAsync()) is not ("–" or "0"));
        rig.Agent.Hangs = false;
        await Assertions.Expect(page.Locator(".notice[data-key=agent]")).ToHaveCountAsync(0, new() { Timeout = 30_000 });
        Assert.Empty(_complaints);
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task A_stack_of_which_all_is_stopped_says_so_and_is_reached_by_keyboard()
    {
        var small = Reports.Small();
        await using var rig = await DashboardRig.StartAsync(small with
        {
            Tiers = [small.Tiers[0], new TierReport("services", [new ServiceReport("web", 0, false, ["/"], []) { Stopped = true }])],
        });
        var page = await OpenAsync(rig);
        await Assertions.Expect(page.Locator("[data-id=web] .dots")).ToContainTextAsync("stopped");
        await Assertions.Expect(page.Locator("[data-id=web] .facts")).ToBeHiddenAsync();
        await page.FocusAsync("[data-id=web]");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#panel-title")).ToBeFocusedAsync();
        Assert.Empty(await page.EvaluateAsync<string[]>(Audit.Script));
        Assert.Empty(_complaints);
    }

    [Theory]
    [Trait("Length", "Full")]
    [InlineData(ColorScheme.Light, 1440)]
    [InlineData(ColorScheme.Dark, 1440)]
    [InlineData(ColorScheme.Light, 390)]
    public async Task Everyone_can_read_and_reach_it(ColorScheme scheme, int width)
    {
        await using var rig = await DashboardRig.StartAsync(Reports.Storefront(i => i.Name == "admin.1" ? i with { State = InstanceState.Crashed, Detail = "exit 1" } : i) with { Healthy = false });
        var page = await OpenAsync(rig, scheme, width);
        Assert.Empty(await page.EvaluateAsync<string[]>(Audit.Script));
        var seen = new List<string>();
        for (var i = 0; i < 40; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            seen.Add(await FocusedAsync(page));
        }

        var nodes = seen.Where(id => id.Length > 0).Distinct().ToArray();
        Assert.Equal(["edge", "web", "admin", "worker", "database", "database:replicas"], nodes.Take(6).ToArray());
        await page.ClickAsync("[data-id=web]");
        await page.WaitForSelectorAsync("#panel h2");
        Assert.Empty(await page.EvaluateAsync<string[]>(Audit.Script));
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        Assert.Empty(_complaints);
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task The_table_shows_the_same_and_the_theme_can_be_chosen()
    {
        await using var rig = await DashboardRig.StartAsync(Reports.Small());
        var page = await OpenAsync(rig);
        await page.ClickAsync("#view-table");
        await Assertions.Expect(page.Locator("#table-view tbody tr")).ToHaveCountAsync(3); // edge, web, agent
        await Assertions.Expect(page.Locator("#table-view tbody")).ToContainTextAsync("1 of 1");
        var before = await page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor");
        await page.ClickAsync("#theme");
        Assert.NotEqual(before, await page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor"));
        await page.ReloadAsync();
        await page.WaitForSelectorAsync("button.node");
        Assert.NotEqual(before, await page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor"));
        Assert.Empty(_complaints);
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task A_stack_that_has_just_begun_is_no_error()
    {
        await using var rig = await DashboardRig.StartAsync(Reports.Small() with { Release = "", Urls = [], Tiers = [], Healthy = false });
        var context = await fixture.Browser.NewContextAsync();
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{rig.Url}#token={DashboardRig.Token}");
        await Assertions.Expect(page.Locator(".notice[data-key=fresh]")).ToContainTextAsync("ashlar up");
        await rig.Agent.SayAsync(Reports.Small());
        await Assertions.Expect(page.Locator("[data-id=web]")).ToBeVisibleAsync();
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task A_wrong_token_is_told_on_the_sign_in_page()
    {
        await using var rig = await DashboardRig.StartAsync();
        var page = await fixture.Browser.NewPageAsync();
        await page.GotoAsync($"{rig.Url}#token=wrong");
        await Assertions.Expect(page.Locator("#says")).ToContainTextAsync("not the token of this stack");
        await page.FillAsync("#token", DashboardRig.Token);
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForSelectorAsync("button.node");
    }

    private static Task<string> FocusedAsync(IPage page) => page.EvaluateAsync<string>("() => document.activeElement?.closest('button.node')?.dataset.id ?? ''");

    private static async Task DriveAsync(DashboardRig rig, Func<Task<bool>> until)
    {
        for (var patience = Stopwatch.StartNew(); !await until(); await Task.Delay(50))
        {
            rig.Serve("web", 40);
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(30), "the page does not move");
        }
    }
}
