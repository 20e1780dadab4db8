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
                ("database:replicas", ""), ("admin", "admin.storefront.test"), ("worker", "no requests"), ("queue", "Redis, kept"), ("cache", "Redis, LRU"), ("memcached", "Memcached"),
            })
            {
                await Assertions.Expect(page.Locator($"[data-id='{node}'] .subtitle")).ToContainTextAsync(subtitle, Patient);
            }

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
