using System.Text.Json;
using Ashlar.Catalog;

namespace Ashlar.Edge.Tests.Tier;

/// <summary>What the edge says itself when there is nobody to forward to.</summary>
public sealed class OwnPagesTests : IDisposable
{
    private readonly TierRig _rig = new();

    public void Dispose() => _rig.DisposeAsync().AsTask().Wait();

    [Fact]
    public async Task A_request_without_a_route_gets_404()
    {
        var page = await AskAsync(Rig.Service("api").Routed("/api"));
        Assert.StartsWith("HTTP/1.1 404 Not Found\r\n", page, StringComparison.Ordinal);
        Assert.Contains("No service of this stack is routed at this host and path.", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_without_an_instance_gets_503_at_once_with_retry_after_and_the_request_s_id()
    {
        var page = await AskAsync(Rig.Service("web").Routed("/"));
        Assert.StartsWith("HTTP/1.1 503 Service Unavailable\r\n", page, StringComparison.Ordinal);
        Assert.Contains("\r\nRetry-After: 5\r\n", page, StringComparison.Ordinal);
        Assert.Contains($"<code>{Header(page, "X-Request-Id")}</code>", page, StringComparison.Ordinal);
        Assert.Contains("<dt>Service</dt><dd>web</dd>", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_in_maintenance_says_so_although_it_runs()
    {
        var page = await AskAsync(_rig.App("web.1/1") with { Maintenance = true });
        Assert.StartsWith("HTTP/1.1 503 ", page, StringComparison.Ordinal);
        Assert.Contains("<h1>Under maintenance</h1>", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_suits_light_and_dark_and_needs_nothing_from_elsewhere()
    {
        var page = await AskAsync(Rig.Service("web").Routed("/"));
        Assert.Contains("color-scheme: light dark", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http://", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/json", true)]
    [InlineData("application/json, text/plain, */*", true)]
    [InlineData("application/json, text/html", true)]
    [InlineData("text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8", false)]
    [InlineData("*/*", false)]
    public async Task Who_would_rather_have_json_gets_json(string accept, bool json)
    {
        var page = await AskAsync(Rig.Service("web").Routed("/"), $"Accept: {accept}\r\n");
        Assert.Equal(json ? "application/json" : "text/html; charset=utf-8", Header(page, "Content-Type"));
        if (json)
        {
            using var document = JsonDocument.Parse(page[page.IndexOf("\r\n\r\n", StringComparison.Ordinal)..]);
            var error = document.RootElement.GetProperty("error");
            Assert.Equal((503, "web"), (error.GetProperty("status").GetInt32(), error.GetProperty("service").GetString()));
            Assert.Equal(Header(page, "X-Request-Id"), error.GetProperty("request").GetString());
        }
    }

    private static string Header(string page, string name)
    {
        var line = page.Split("\r\n").Single(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase));
        return line[(name.Length + 2)..];
    }

    private async Task<string> AskAsync(CatalogService service, string fields = "")
    {
        await using var server = _rig.Listen();
        _rig.Start();
        var socket = _rig.OpenSocket();
        await _rig.MeetAsync(server, socket, service);
        return await TierRig.GetAsync(socket.Port, fields: fields);
    }
}
