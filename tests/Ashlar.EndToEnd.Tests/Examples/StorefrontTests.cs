using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Ashlar.EndToEnd.BadInput;
using Ashlar.Testing;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Ashlar.EndToEnd.Examples;

/// <summary>The whole stack with its database, replica, queue and caches. Every test leaves it healthy for the next; the last one destroys it.</summary>
[Trait("Length", "Full")]
[TestCaseOrderer("Ashlar.EndToEnd.Examples." + nameof(DestroyLast), "Ashlar.EndToEnd.Tests")]
public sealed class StorefrontTests(RunningStorefront shop) : IClassFixture<RunningStorefront>
{
    private readonly StackRig _rig = shop.Rig;

    [Fact]
    public async Task It_comes_up_from_nothing_and_its_pages_say_who_served_them()
    {
        Assert.Contains("v1 is up: https://storefront.localhost", shop.Said);
        Assert.Contains("the database is at migration 3", shop.Said);
        foreach (var path in new[] { "/", "/product/1", "/cart" })
        {
            var (status, page) = await _rig.GetAsync(path);
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Matches(@"<footer>served by web\.[12] \(v\d+\)", page);
        }
        Assert.Equal(HttpStatusCode.NotFound, (await _rig.GetAsync("/product/7")).Status);
        Assert.Contains("<h1>Orders</h1>", await shop.AdminShowsAsync("served by admin.1 · data from the replica"));
    }

    [Fact]
    public async Task Reads_come_from_the_replica_and_writes_go_to_the_primary()
    {
        await shop.ShowsAsync("localhost", "/product/1", $"data from the replica on port {await PortAsync("database.2")}");
        using var buyer = new Buyer(_rig.Port);
        Assert.Contains($"data from the primary on port {await PortAsync("database.1")}", (await buyer.BuyAsync())?.Page);
    }

    [Fact]
    public async Task A_request_is_followed_from_its_name_to_the_statement_it_ran()
    {
        using var trace = JsonDocument.Parse(await _rig.DoAsync("trace", $"http://127.0.0.1:{_rig.Port}/product/2", "--json"));
        Assert.Equal(200, trace.RootElement.GetProperty("status").GetInt32());
        var steps = trace.RootElement.GetProperty("steps").EnumerateArray().ToDictionary(step => step.GetProperty("step").GetString()!, step => step.GetProperty("text").GetString()!);
        Assert.Equal(["name", "port", "edge", "route", "cache", "queue", "connection", "instance", "statement", "answer"], steps.Keys);
        Assert.Matches($@"^web\.[12], pid \d+, at port \d+ begins to answer after", steps["instance"]);
        Assert.Matches(@"^select id, name, .* from products where id = \$1 \(database\.2, session \d+\)$", steps["statement"]);

        var named = await _rig.DoAsync("trace", $"https://admin.storefront.test:{_rig.SecurePort()}/", "-H", $"Authorization: Basic {Convert.ToBase64String("mason:chisel"u8)}");
        Assert.Contains("admin.storefront.test is a name of this stack", named);
        Assert.Contains("to admin, which has", named);

        var missing = await ProgramRun.RunAsync(Checkout.Ashlar, ["-a", _rig.Folder, "trace", $"http://127.0.0.1:{_rig.Port}/", "-H", "Host: \u0001"]);
        Assert.Contains("is no header field", missing.Error);
    }

    [Fact]
    public async Task An_order_is_packed_by_the_worker()
    {
        using var buyer = new Buyer(_rig.Port);
        var order = (await buyer.BuyAsync())!.Value.Order;
        await shop.AdminShowsAsync($"<tr><td>{order}<td>packed<td>");
    }

    [Fact]
    public async Task The_load_that_the_README_names_fails_no_request()
    {
        var load = await ProgramRun.RunAsync(Checkout.Ashlar, ["-a", _rig.Folder, "run", "load", "5", "3"]);
        Assert.True(load.ExitCode == 0, load.ToString());
        Assert.Matches(@"\d+ pages in .* s, \d+ orders, 0 failed", load.Output);
    }

    [Theory]
    [InlineData("web.1")]
    [InlineData("database.1")]
    [InlineData("database.2")]
    [InlineData("queue.1")]
    [InlineData("worker.1")]
    public async Task What_was_acknowledged_is_not_lost_when_one_is_killed(string instance)
    {
        await using var buyers = new SteadyBuyers(_rig.Port);
        await buyers.HaveBoughtAsync(10);
        var pid = await _rig.PidAsync(instance);
        Process.GetProcessById(pid).Kill();
        await buyers.HaveBoughtAsync(10);
        var orders = await buyers.EndAsync();
        await _rig.DoAsync("wait", "--timeout", "90s");
        Assert.NotEqual(pid, await _rig.PidAsync(instance));
        await shop.ArePackedAsync(orders);
    }

    [Fact]
    public async Task The_database_restarts_and_loses_nothing()
    {
        await using var buyers = new SteadyBuyers(_rig.Port);
        await buyers.HaveBoughtAsync(10);
        var before = (await _rig.PidAsync("database.1"), await _rig.PidAsync("database.2"));
        await _rig.DoAsync("restart", "database");
        var after = (await _rig.PidAsync("database.1"), await _rig.PidAsync("database.2"));
        Assert.NotEqual(before.Item1, after.Item1);
        Assert.NotEqual(before.Item2, after.Item2);
        await buyers.HaveBoughtAsync(10);
        await shop.ArePackedAsync(await buyers.EndAsync());
        await _rig.DoAsync("wait", "--timeout", "90s");
    }

    [Fact]
    public async Task A_migration_that_fails_names_itself_and_leaves_what_ran_untouched()
    {
        var before = await PidsAsync();
        _rig.Edit("ashlar.yaml", "release: dotnet ", "release: echo column name exists already; exit 9 # ");
        try
        {
            Refusal.Of(await _rig.AshlarAsync("up", "--detach"), 1).Is("ASH5002", "releases", "exit 9", "column name exists already").Advises("ashlar up");
            Assert.Equal(before, await PidsAsync());
            Assert.Equal(HttpStatusCode.OK, (await _rig.GetAsync()).Status);
        }
        finally
        {
            _rig.Edit("ashlar.yaml", "release: echo column name exists already; exit 9 # ", "release: dotnet ");
        }
        await _rig.UpAsync();
    }

    [Fact]
    public async Task What_was_ordered_is_there_after_down_and_up()
    {
        using var buyer = new Buyer(_rig.Port);
        var order = (await buyer.BuyAsync())!.Value.Order;
        await _rig.DoAsync("down");
        _rig.IsGone();
        await _rig.UpAsync();
        await shop.AdminShowsAsync($"<tr><td>{order}<td>packed<td>");
    }

    [Fact]
    public async Task Destroy_leaves_nothing()
    {
        await _rig.DoAsync("destroy", "--yes");
        _rig.IsGone();
        Assert.False(Directory.Exists(Path.Combine(_rig.Folder, ".ashlar")));
    }

    private async Task<int> PortAsync(string instance) => (await _rig.InstanceAsync(instance)).GetProperty("port").GetInt32();

    private async Task<string> PidsAsync()
    {
        var pids = new List<string>();
        foreach (var instance in new[] { "web.1", "web.2", "admin.1", "worker.1", "database.1", "database.2", "queue.1", "cache.1", "memcached.1", "edge.1" })
        {
            pids.Add($"{instance} {await _rig.PidAsync(instance)}");
        }
        return string.Join(", ", pids);
    }
}

/// <summary>What other tests need is destroyed when they are through.</summary>
public sealed class DestroyLast : ITestCaseOrderer
{
    /// <inheritdoc />
    public IEnumerable<TCase> OrderTestCases<TCase>(IEnumerable<TCase> testCases)
        where TCase : ITestCase => testCases.OrderBy(test => test.TestMethod.Method.Name == nameof(StorefrontTests.Destroy_leaves_nothing));
}
