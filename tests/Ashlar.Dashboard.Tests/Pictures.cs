using System.Diagnostics;
using Ashlar.Testing;
using Microsoft.Playwright;

namespace Ashlar.Dashboard.Tests;

/// <summary>Makes the pictures of the documentation: <c>ASHLAR_WRITE_PICTURES=1 dotnet test tests/Ashlar.Dashboard.Tests --filter Pictures</c>.</summary>
public sealed class Pictures(BrowserFixture fixture) : IClassFixture<BrowserFixture>
{
    private static readonly TimeSpan Traffic = TimeSpan.FromSeconds(130);

    [Fact]
    [Trait("Length", "Full")]
    public async Task Of_a_stack_with_traffic()
    {
        if (Environment.GetEnvironmentVariable("ASHLAR_WRITE_PICTURES") != "1")
        {
            return;
        }

        await using var rig = await DashboardRig.StartAsync(Reports.Storefront(i => i with
        {
            Cpu = i.Name.StartsWith("web", StringComparison.Ordinal) ? 0.57 : 0.06, Memory = 78_000_000, LagBytes = i.LagBytes is null ? null : 9_000,
        }));
        var now = DateTimeOffset.UtcNow;
        File.WriteAllLines(Path.Combine(rig.Folder, "run", "events.log"),
        [
            Event(now.AddSeconds(35), "release", "v12", "v12 runs (up)"), Event(now.AddSeconds(80), "restart", "web.2", "web.2 restarted by order"),
        ]);
        var random = new Random(4);
        for (var (began, second) = (Stopwatch.StartNew(), 0); began.Elapsed < Traffic; second++)
        {
            var swing = 1 + (0.25 * Math.Sin(second / 9.0)) + (random.NextDouble() * 0.12);
            rig.Serve("web", (int)(310 * swing), 6200, random.Next(12) == 0 ? 2 : 0);
            rig.Serve("admin", (int)(11 * swing), 21_000);
            rig.Engines(swing);
            rig.Write(random.Next(2) == 0 ? "web.1" : "web.2", $"{DateTime.UtcNow:HH:mm:ss.fff} GET /products/{random.Next(900)} 200 in {random.Next(3, 30)} ms\n");
            await Task.Delay(TimeSpan.FromSeconds(second + 1) - began.Elapsed is { Ticks: > 0 } rest ? rest : TimeSpan.Zero);
        }

        var folder = Directory.CreateDirectory(Path.Combine(Checkout.Root, "docs", "images")).FullName;
        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            var context = await fixture.Browser.NewContextAsync(new BrowserNewContextOptions { ColorScheme = scheme, ViewportSize = new ViewportSize { Width = 1440, Height = 920 } });
            var page = await context.NewPageAsync();
            await page.GotoAsync($"{rig.Url}#token={DashboardRig.Token}");
            await page.WaitForSelectorAsync("button.node");
            await ShootAsync(rig, page, Path.Combine(folder, $"dashboard-{scheme.ToString().ToLowerInvariant()}.png"));
            await page.ClickAsync("[data-id=web]");
            await ShootAsync(rig, page, Path.Combine(folder, $"dashboard-panel-{scheme.ToString().ToLowerInvariant()}.png"));
            await context.CloseAsync();
        }
    }

    private static string Event(DateTimeOffset at, string kind, string subject, string text) =>
        System.Text.Json.JsonSerializer.Serialize(new { at, kind, subject, text });

    private static async Task ShootAsync(DashboardRig rig, IPage page, string path)
    {
        for (var second = 0; second < 6; second++)
        {
            rig.Serve("web", 320, 6200);
            rig.Serve("admin", 11, 21_000);
            rig.Engines(1);
            rig.Write("web.1", $"{DateTime.UtcNow:HH:mm:ss.fff} GET / 200 in 6 ms\n");
            await Task.Delay(1000);
        }

        await page.ScreenshotAsync(new PageScreenshotOptions { Path = path });
    }
}
