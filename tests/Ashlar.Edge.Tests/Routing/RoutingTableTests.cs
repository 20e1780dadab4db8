using System.Text;
using Ashlar.Edge.Balancing;

namespace Ashlar.Edge.Tests.Routing;

public sealed class RoutingTableTests
{
    private readonly ServiceTargets _targets = new(Rig.Metrics, new Told());

    [Theory]
    [InlineData("shop.test", "/", "web")]
    [InlineData("shop.test", "/api", "api")]
    [InlineData("shop.test", "/api/", "api")]
    [InlineData("shop.test", "/api/orders", "api")]
    [InlineData("shop.test", "/apiary", "web")]
    [InlineData("shop.test", "/api/v2", "api2")]
    [InlineData("shop.test", "/api/v2/x", "api2")]
    [InlineData("shop.test", "/api/v20", "api")]
    [InlineData("shop.test", "", "web")]
    [InlineData("admin.test", "/", "admin")]
    [InlineData("ADMIN.Test:8080", "/x", "admin")]
    [InlineData("admin.test.", "/x", "admin")]
    [InlineData("admin.test.:80", "/x", "admin")]
    [InlineData("anything.else", "/api/", "api")]
    public void The_host_decides_first_then_the_longest_prefix_on_whole_segments(string host, string path, string service)
    {
        Apply([]);
        Assert.Equal(service, Match(host, path));
    }

    [Fact]
    public void A_host_whose_own_routes_do_not_cover_the_path_falls_back_to_those_for_any_host()
    {
        _targets.Apply(Rig.Snapshot(1, Rig.Service("web").Routed("/"), Rig.Service("docs").Routed("shop.test/docs/")));
        Assert.Equal("docs", Match("shop.test", "/docs"));
        Assert.Equal("web", Match("shop.test", "/doc"));
    }

    [Fact]
    public void Without_a_route_for_the_path_nothing_matches()
    {
        _targets.Apply(Rig.Snapshot(1, Rig.Service("api").Routed("/api")));
        Assert.Null(Match("shop.test", "/"));
        Assert.True(_targets.Table.KnowsHost("shop.test"u8));
    }

    [Theory]
    [InlineData("shop.test", "web")]
    [InlineData("www.shop.test:443", "web")]
    [InlineData("admin.test", "admin")]
    [InlineData("evil.test", null)]
    [InlineData("shop.test.evil.test", null)]
    [InlineData("", null)]
    [InlineData("192.0.2.7", null)]
    [InlineData("localhost", "web")]
    [InlineData("LOCALHOST:8080", "web")]
    [InlineData("app.localhost", "web")]
    [InlineData("127.0.0.1:8080", "web")]
    [InlineData("[::1]:8080", "web")]
    [InlineData("notlocalhost", null)]
    [InlineData("127.evil.test", null)]
    public void With_domains_only_they_and_hosts_of_routes_and_loopback_names_are_known(string host, string? service)
    {
        Apply(["Shop.test", "www.shop.test"]);
        Assert.Equal(service, Match(host, "/"));
        Assert.Equal(service is not null, _targets.Table.KnowsHost(Encoding.ASCII.GetBytes(host)));
    }

    [Fact]
    public void A_service_is_found_by_its_name_until_it_is_gone()
    {
        Apply([]);
        Assert.Equal("api", _targets.Table.ByName("api")?.Name);
        Assert.Null(_targets.Table.ByName("API"));
        _targets.Apply(Rig.Snapshot(2, Rig.Service("web").Routed("/")));
        Assert.Null(_targets.Table.ByName("api"));
        Assert.Equal("web", Match("shop.test", "/api"));
    }

    [Fact]
    public void A_service_keeps_its_target_across_snapshots_and_an_older_snapshot_is_ignored()
    {
        Apply([]);
        var api = _targets.Table.ByName("api");
        Assert.True(_targets.Apply(Rig.Snapshot(3, Rig.Service("api").Routed("/"))));
        Assert.Same(api, _targets.Table.ByName("api"));
        Assert.False(_targets.Apply(Rig.Snapshot(2)));
        Assert.Equal("api", Match("x", "/"));
    }

    [Fact]
    public void A_match_allocates_nothing()
    {
        Apply(["shop.test"]);
        Match("shop.test", "/api/v2/x");
        var table = _targets.Table;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            table.Match("Admin.Test:80"u8, "/x"u8);
            table.Match("unknown.test"u8, "/x"u8);
            table.Match("shop.test"u8, "/api/v2/x"u8);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private void Apply(string[] domains) => _targets.Apply(Rig.Snapshot(
        1,
        Rig.Service("web").Routed("/"),
        Rig.Service("api").Routed("/api/"),
        Rig.Service("api2").Routed("/api/v2"),
        Rig.Service("admin").Routed("admin.test/")) with
    { Domains = [.. domains] });

    private string? Match(string host, string path) =>
        _targets.Table.Match(Encoding.ASCII.GetBytes(host), Encoding.ASCII.GetBytes(path))?.Name;
}
