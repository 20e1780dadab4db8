using System.Text.Json;
using Ashlar.Catalog;
using Microsoft.Playwright;

namespace Ashlar.Dashboard.Tests;

/// <summary>The pages of the jobs and of the cache.</summary>
[Trait("Length", "Full")]
public sealed class JobsPageTests(BrowserFixture fixture) : IClassFixture<BrowserFixture>
{
    private const string Emails = """{"queue":"emails","ready":READY,"oldestSeconds":2.5,"inFlight":3,"scheduled":9,"retries":1,"dead":2,"done":4210,"doneLately":71,"paused":false,"declared":true}""";
    private readonly List<string> _complaints = [];

    private static string Picture(int ready, string dead) => $$"""
        {"at":"{{DateTime.UtcNow:O}}",
         "queues":[{{Emails.Replace("READY", $"{ready}")}},{"queue":"thumbnails","ready":0,"inFlight":0,"scheduled":0,"retries":0,"dead":0,"done":0,"doneLately":0,"paused":true,"declared":true}],
         "dead":[{{dead}}],
         "schedules":[{"schedule":"nightly-report","cron":"0 3 * * * Europe/Berlin","next":"2026-11-24T02:00:00Z","last":"2026-11-23T02:00:00Z","lastJob":805,"paused":false}],
         "failures":[{"id":815,"queue":"emails","attempt":3,"attempts":20,"failed":"2026-11-23T03:01:12Z","due":"2026-11-23T03:01:20Z","error":"answered 500: <b>no such customer</b>"}]}
        """;

    private static string Dead(int id) =>
        $$"""{"id":{{id}},"queue":"emails","state":"dead","attempt":20,"attempts":20,"enqueued":"2026-11-22T20:00:00Z","at":"2026-11-23T02:58:00Z","error":"it took longer than 30 s","key":null,"payload":null}""";

    private static void Write(DashboardRig rig, string picture)
    {
        var path = Path.Combine(rig.Folder, "run", "jobs.json");
        File.WriteAllText(path + ".new", picture);
        File.Move(path + ".new", path, overwrite: true);
    }

    private async Task<IPage> OpenAsync(DashboardRig rig, ColorScheme scheme = ColorScheme.Light, int width = 1440)
    {
        var context = await fixture.Browser.NewContextAsync(new() { ColorScheme = scheme, ViewportSize = new() { Width = width, Height = 900 }, Permissions = ["clipboard-read", "clipboard-write"] });
        var page = await context.NewPageAsync();
        page.PageError += (_, error) => _complaints.Add(error);
        await page.GotoAsync($"{rig.Url}#token={DashboardRig.Token}");
        await page.WaitForSelectorAsync("button.node");
        return page;
    }

    private static async Task PictureAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("ASHLAR_PICTURES") is { } folder)
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, name), FullPage = true });
        }
    }

    [Fact]
    public async Task The_jobs_page_shows_queues_failures_dead_letters_and_the_clock_and_gives_the_commands()
    {
        await using var rig = await DashboardRig.StartAsync();
        Write(rig, Picture(17, $"{Dead(801)},{Dead(802)}"));
        var page = await OpenAsync(rig);
        await page.ClickAsync("#view-jobs");
        var view = page.Locator("#jobs-view");
        await Assertions.Expect(view.Locator("tr[data-key=emails]")).ToContainTextAsync("17");
        await Assertions.Expect(view.Locator("tr[data-key=thumbnails]")).ToContainTextAsync("paused");
        await Assertions.Expect(view.Locator("tr[data-key='815']")).ToContainTextAsync("<b>no such customer</b>");
        await Assertions.Expect(view.Locator("tr[data-key=nightly-report]")).ToContainTextAsync("job 805");
        await Assertions.Expect(page.Locator("#diagram-view")).ToBeHiddenAsync();
        await view.GetByRole(AriaRole.Button, new() { Name = "Retry job 802" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(view.Locator(".order")).ToContainTextAsync("ashlar jobs retry 802");
        await Assertions.Expect(view.Locator(".order")).ToContainTextAsync("Copied");
        Assert.Equal("ashlar jobs retry 802", await page.EvaluateAsync<string>("() => navigator.clipboard.readText()"));
        await PictureAsync(page, "jobs-light.png");

        // What has not changed is not touched: the focus stays where it is while figures move.
        Write(rig, Picture(1234, $"{Dead(803)},{Dead(801)},{Dead(802)}"));
        await Assertions.Expect(view.Locator("tr[data-key=emails]")).ToContainTextAsync("1,234");
        await Assertions.Expect(view.GetByRole(AriaRole.Button, new() { Name = "Retry job 802" })).ToBeFocusedAsync();
        await view.GetByRole(AriaRole.Button, new() { Name = "Retry all dead letters of emails" }).ClickAsync();
        await Assertions.Expect(view.Locator(".order")).ToContainTextAsync("ashlar jobs retry --all emails");
        await page.ReloadAsync();
        await Assertions.Expect(page.Locator("#jobs-view tr[data-key=emails]")).ToBeVisibleAsync();
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task Without_queues_or_a_cache_the_pages_say_how_to_get_them()
    {
        await using var rig = await DashboardRig.StartAsync();
        var page = await OpenAsync(rig);
        await page.ClickAsync("#view-jobs");
        await Assertions.Expect(page.Locator("#jobs-view .empty-state")).ToContainTextAsync("select ashlar.enqueue(");
        await PictureAsync(page, "jobs-empty.png");
        await page.ClickAsync("#view-cache");
        await Assertions.Expect(page.Locator("#cache-view .empty-state")).ToContainTextAsync("cache: 256MiB");
        Assert.Empty(await page.EvaluateAsync<string[]>(Audit.Script));

        // A picture that makes no sense is none, and one that is old says so.
        Write(rig, "{\"at\":");
        await page.ClickAsync("#view-jobs");
        await Assertions.Expect(page.Locator("#jobs-view .empty-state")).ToBeVisibleAsync();
        Write(rig, Picture(17, "").Replace($"{DateTime.UtcNow.Year}-", "2025-"));
        await Assertions.Expect(page.Locator("#jobs-view .since")).ToContainTextAsync("says nothing since");
        await page.ClickAsync("#view-diagram");
        await Assertions.Expect(page.Locator("#diagram-view")).ToBeVisibleAsync();
        Assert.Empty(_complaints);
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1440)]
    [InlineData(ColorScheme.Dark, 390)]
    public async Task The_cache_page_shows_every_edge_and_both_can_be_read_and_reached(ColorScheme scheme, int width)
    {
        await using var rig = await DashboardRig.StartAsync();
        rig.Agent.Cache = new AgentReply(AgentReplyKinds.Data, Data: JsonElement.Parse("""
            {"edges":[{"machine":"a","edge":"edge.1","error":"","milliseconds":1,"answer":{"purged":0,"figures":{"limit":268435456,"used":40265318,"stored":812,"hits":90210,"stale":12,"collapsed":31,"revalidated":44,"misses":10032,"passed":77,"bytesServed":734003200,"evictions":3}}},
             {"machine":"b","edge":"","error":"its agent gave no answer","milliseconds":1,"answer":null}],"milliseconds":2}
            """));
        Write(rig, Picture(17, $"{Dead(801)},{Dead(802)}"));
        var page = await OpenAsync(rig, scheme, width);
        await page.ClickAsync("#view-cache");
        var view = page.Locator("#cache-view");
        await Assertions.Expect(view.Locator(".totals")).ToContainTextAsync("90 %");
        await Assertions.Expect(view.Locator("tbody")).ToContainTextAsync("its agent gave no answer");
        await page.FillAsync("#purge-what", "/it's here");
        await page.ClickAsync("text=Purge URL");
        await Assertions.Expect(view.Locator(".order")).ToContainTextAsync("ashlar cache purge '/it'\\''s here'");
        await PictureAsync(page, $"cache-{scheme}-{width}.png");
        Assert.Empty(await page.EvaluateAsync<string[]>(Audit.Script));
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        await page.ClickAsync("#view-jobs");
        await Assertions.Expect(page.Locator("#jobs-view tr[data-key=emails]")).ToBeVisibleAsync();
        await page.WaitForSelectorAsync("#jobs-view tr[data-key='802']");
        await PictureAsync(page, $"jobs-{scheme}-{width}.png");
        Assert.Empty(await page.EvaluateAsync<string[]>(Audit.Script));
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        Assert.Empty(_complaints);
    }
}
