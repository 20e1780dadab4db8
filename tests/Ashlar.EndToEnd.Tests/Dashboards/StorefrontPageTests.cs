using System.Diagnostics;
using System.Text.Json;
using Ashlar.Dashboard.Tests;
using Ashlar.EndToEnd.Examples;
using Ashlar.Testing;
using Microsoft.Playwright;

namespace Ashlar.EndToEnd.Dashboards;

/// <summary>
/// The dashboard's page over the real storefront under its load generator. With <c>ASHLAR_WRITE_PICTURES=1</c> it also makes the pictures
/// of the documentation, which takes some minutes, so that the charts are full.
/// </summary>
[Trait("Length", "Full")]
public sealed class StorefrontPageTests(RunningStorefront shop, BrowserFixture browser) : IClassFixture<RunningStorefront>, IClassFixture<BrowserFixture>
{
    private static readonly bool Draws = Environment.GetEnvironmentVariable("ASHLAR_WRITE_PICTURES") == "1";
    private static readonly LocatorAssertionsToContainTextOptions Patient = new() { Timeout = 60_000 };

    [Fact]
    public async Task Shows_every_tier_of_the_storefront_with_its_traffic()
    {
        var load = ProgramRun.RunAsync(Checkout.Ashlar, ["-a", shop.Rig.Folder, "run", "load", "8", Draws ? "220" : "45"], timeoutSeconds: 600);
        if (Draws)
        {
            await Task.Delay(TimeSpan.FromSeconds(60));
            await shop.Rig.DoAsync("restart", "web");
            await Task.Delay(TimeSpan.FromSeconds(75));
        }

        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            var context = await browser.Browser.NewContextAsync(new BrowserNewContextOptions { ColorScheme = scheme, ViewportSize = new ViewportSize { Width = 1440, Height = 1000 } });
            var page = await context.NewPageAsync();
            await page.GotoAsync(await AddressAsync());
            foreach (var node in new[] { "edge", "web", "database" })
            {
                await Assertions.Expect(page.Locator($"[data-id='{node}'] .fact b").First).Not.ToHaveTextAsync("0", new() { Timeout = 60_000 });
                await Assertions.Expect(page.Locator($"[data-id='{node}'] .fact b").First).Not.ToHaveTextAsync("–", new() { Timeout = 60_000 });
            }

            foreach (var (node, subtitle) in new[]
            {
                ("database:replicas", ""), ("admin", "admin.localhost +1"), ("worker", "no requests"), ("jobs", "job runner"), ("dns", "name server"), ("queue", "Redis, kept"), ("cache", "Redis, LRU"), ("memcached", "Memcached"),
            })
            {
                await Assertions.Expect(page.Locator($"[data-id='{node}'] .subtitle")).ToContainTextAsync(subtitle, Patient);
            }

            await Assertions.Expect(page.Locator("#own [data-id=dashboard]")).ToContainTextAsync("this page", Patient);

            await Assertions.Expect(page.Locator("[data-id=web] .fact b").Nth(2)).ToContainTextAsync("ms", Patient);
            await Assertions.Expect(page.Locator("#health-text")).ToHaveTextAsync("All healthy", new() { Timeout = 60_000 });
            await DrawAsync(page, $"dashboard-{scheme.ToString().ToLowerInvariant()}");
            await page.ClickAsync("[data-id=web]");
            await Assertions.Expect(page.Locator(".instances")).ToContainTextAsync("web.2", Patient);
            await Assertions.Expect(page.Locator(".chart canvas").First).ToBeVisibleAsync();
            await DrawAsync(page, $"dashboard-panel-{scheme.ToString().ToLowerInvariant()}");
            await context.CloseAsync();
        }

        var ended = await load;
        Assert.True(ended.ExitCode == 0, ended.ToString());
    }

    [Fact]
    public async Task A_replaced_dashboard_is_followed_by_the_open_page_and_no_request_of_the_shop_fails()
    {
        await shop.Rig.DoAsync("wait", "--timeout", "90s");
        await using var visitors = new SteadyGets($"http://127.0.0.1:{shop.Rig.Port}/");
        await using var context = await browser.Browser.NewContextAsync();
        var page = await context.NewPageAsync();
        await page.GotoAsync(await AddressAsync());
        await Assertions.Expect(page.Locator("#live")).ToHaveAttributeAsync("data-state", "live", new() { Timeout = 60_000 });

        // What it has in memory tells that it was never loaded again.
        await page.EvaluateAsync("() => { window.sameVisit = true; }");
        for (var round = 0; round < 2; round++)
        {
            var before = await shop.Rig.PidAsync("dashboard.1");
            await shop.Rig.DoAsync("restart", "dashboard");
            var now = await ReplacedAsync(before);

            // The page names the new process only once its stream comes from there, or from an agent that knows of it.
            await page.ClickAsync("#own [data-id=dashboard]");
            await Assertions.Expect(page.Locator("#panel .instances")).ToContainTextAsync($"{now}", Patient);
            await page.Keyboard.PressAsync("Escape");
            await Assertions.Expect(page.Locator("#live")).ToHaveAttributeAsync("data-state", "live", new() { Timeout = 60_000 });
            await Assertions.Expect(page.Locator(".notice[data-key=dashboard]")).ToHaveCountAsync(0, new() { Timeout = 60_000 });
        }

        Assert.True(await page.EvaluateAsync<bool>("() => window.sameVisit === true"));
        await visitors.NoneFailedAsync();
    }

    // While the old one drains both are there.
    private async Task<int> ReplacedAsync(int before)
    {
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(100))
        {
            if (await shop.Rig.PidAsync("dashboard.1") is var now && now != before)
            {
                return now;
            }

            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), $"dashboard.1 is still {before}");
        }
    }

    private async Task<string> AddressAsync()
    {
        using var answer = JsonDocument.Parse((await shop.Rig.DoAsync("dashboard", "--json")));
        return answer.RootElement.GetProperty("url").GetString()!;
    }

    private static async Task DrawAsync(IPage page, string name)
    {
        if (Draws)
        {
            await Task.Delay(TimeSpan.FromSeconds(9));
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Checkout.Root, "docs", "images", $"{name}.png") });
        }
    }
}
