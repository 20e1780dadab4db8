using System.Collections.Immutable;
using System.Net;
using Ashlar.Catalog;
using Ashlar.Dns.Answers;
using Ashlar.Dns.Stacks;
using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Tests.Stacks;

/// <summary>A stack's zones out of master file, stack file, verbs and catalog.</summary>
public sealed class StackZonesTests
{
    private static readonly CatalogFront First = new("m1", ["192.0.2.1"], ["192.0.2.1"], true);
    private static readonly CatalogFront Second = new("m2", ["192.0.2.2", "2001:db8::2"], ["192.0.2.2"], true);

    [Fact]
    public void HostsOfTheStackHaveTheAddressesOfItsEdges()
    {
        var zones = Live(Snapshot([First, Second], new CatalogZone("shop.test", null, 300)));
        Assert.Equal(["192.0.2.1", "192.0.2.2"], Addresses(zones, "shop.test", RecordType.A));
        Assert.Equal(["2001:db8::2"], Addresses(zones, "www.shop.test", RecordType.AAAA));
        Assert.Equal(["192.0.2.1", "192.0.2.2"], Addresses(zones, "admin.shop.test", RecordType.A));
        Assert.Equal(ResponseCode.NameError, Ask(zones, "nothing.shop.test", RecordType.A).Code);
        Assert.Equal(ResponseCode.Refused, Ask(zones, "elsewhere.test", RecordType.A).Code);
    }

    [Fact]
    public void AnEdgeThatDoesNotServeIsLeftOut() =>
        Assert.Equal(["192.0.2.2"], Addresses(Live(Snapshot([First with { Healthy = false }, Second], new CatalogZone("shop.test", null, 300))), "shop.test", RecordType.A));

    [Fact]
    public void WhereNoneServesAllAreGiven() =>
        Assert.Equal(["192.0.2.1", "192.0.2.2"], Addresses(
            Live(Snapshot([First with { Healthy = false }, Second with { Healthy = false }], new CatalogZone("shop.test", null, 300))), "shop.test", RecordType.A));

    [Fact]
    public void WhatIsWrittenStandsAboveTheCatalog()
    {
        var zones = Live(Snapshot([First], new CatalogZone("shop.test", null, 300) { Records = ["www CNAME cdn.example.", "admin 60 A 203.0.113.9"], Added = ["@ MX 10 mail"] }));
        Assert.Equal(["203.0.113.9"], Addresses(zones, "admin.shop.test", RecordType.A));
        Assert.Equal(RecordType.CNAME, Assert.Single(Ask(zones, "www.shop.test", RecordType.A).Answers).Type);
        Assert.Single(Ask(zones, "shop.test", RecordType.MX).Answers);
    }

    [Fact]
    public void EachMachineIsAServerOfAZoneThatNamesNone()
    {
        var zones = Live(Snapshot([First, Second], new CatalogZone("shop.test", null, 300)));
        Assert.Equal(2, Ask(zones, "shop.test", RecordType.NS).Answers.Length);
        Assert.Equal(["192.0.2.2"], Addresses(zones, "ns2.shop.test", RecordType.A));
    }

    [Fact]
    public void AStackWithoutNamesIsAtTheNameOfEachZone()
    {
        var snapshot = Snapshot([First], new CatalogZone("shop.test", null, 300)) with { Domains = [] };
        Assert.Equal(["192.0.2.1"], Addresses(Live(snapshot with { Services = [.. snapshot.Services.Select(service => service with { Routes = [new CatalogRoute(null, "/")] })] }), "shop.test", RecordType.A));
    }

    [Fact]
    public void AnAliasAtTheApexHasTheAddressesOfWhereItLeads()
    {
        var snapshot = Snapshot([First], new CatalogZone("shop.test", null, 300), new CatalogZone("other.test", null, 300)
        {
            Records = ["@ ALIAS b", "b CNAME www.shop.test.", "far ALIAS cdn.example.", "lost ALIAS gone.example."],
        });
        var told = new Addresses([new RecordData([198, 51, 100, 7])], []);
        var zones = Live(snapshot, name => name.ToString() == "cdn.example." ? told : null);
        Assert.Equal(["192.0.2.1"], Addresses(zones, "other.test", RecordType.A));
        Assert.Equal(["198.51.100.7"], Addresses(zones, "far.other.test", RecordType.A));
        Assert.Empty(Ask(zones, "far.other.test", RecordType.AAAA).Answers);
        Assert.Equal(ResponseCode.ServerFailure, Ask(zones, "lost.other.test", RecordType.A).Code);
        Assert.Equal(["cdn.example.", "gone.example."], LiveZones.Outside(Of(snapshot), zones).Select(alias => alias.Target.ToString()).Order());
    }

    [Fact]
    public void AliasesThatLeadToEachOtherEnd() => Assert.Equal(ResponseCode.ServerFailure,
        Ask(Live(Snapshot([First], new CatalogZone("shop.test", null, 300) { Records = ["a ALIAS b", "b ALIAS a"] })), "a.shop.test", RecordType.A).Code);

    [Fact]
    public void MistakesAreSaidWithTheirPlace()
    {
        var zone = Assert.Single(Of(Snapshot([First], new CatalogZone("shop.test", "/x/shop.zone", 300)), "@ MX mail\nwww A 1.2.3"));
        Assert.Equal(["/x/shop.zone:1:6: 'mail' is no number from 0 to 65535", "/x/shop.zone:2:7: '1.2.3' is no IPv4 address"], zone.Mistakes.Select(mistake => mistake.ToString()));
        Assert.Contains("records[1]", Assert.Single(Of(Snapshot([First], new CatalogZone("shop.test", null, 300) { Records = ["a A 192.0.2.1", "b A nowhere"] }))).Mistakes[0].ToString(), StringComparison.Ordinal);
        Assert.NotEmpty(Assert.Single(Of(Snapshot([First], new CatalogZone("shop.test", null, 300) { Records = ["@ ALIAS a", "@ A 192.0.2.1"] }))).Mistakes);
    }

    [Fact]
    public void SerialsGrowWithChangesAndNeverGoBack()
    {
        var zone = new CatalogZone("shop.test", null, 300);
        var at = Serials.Of(Of(Snapshot([First], zone))[0], null);
        Assert.Equal(1000u, at.Serial);
        Assert.Same(at, Serials.Of(Of(Snapshot([First, Second], zone, changed: 2000))[0], at));
        var next = Serials.Of(Of(Snapshot([First], zone with { Added = ["a A 192.0.2.9"] }, changed: 3000))[0], at);
        Assert.Equal(3000u, next.Serial);
        Assert.Equal(3001u, Serials.Of(Of(Snapshot([First], zone, changed: 500))[0], next).Serial);
        var file = Of(Snapshot([First], zone with { File = "f" }), "@ 60 SOA a b 7 1 1 1 1\n@ 60 NS a\na 60 A 192.0.2.1")[0];
        Assert.Equal(7u, Serials.Of(file, null).Serial);
    }

    [Fact]
    public void TheStacksOwnProgramsAreFoundByName()
    {
        var inside = InsideZones.Of(Snapshot([First]) with { Listeners = [new CatalogListener("service:web", "127.0.0.1", 4711, "web"), new CatalogListener("http", "0.0.0.0", 80, null)] });
        Assert.Equal(["127.0.0.1"], Addresses(inside, "web.stack.internal", RecordType.A));
        Assert.Contains("4711 web.shop.internal.", Assert.Single(Ask(inside, "_http._tcp.web.shop.internal", RecordType.SRV).Answers).ToString(), StringComparison.Ordinal);
        Assert.Equal(ResponseCode.NameError, Ask(inside, "other.stack.internal", RecordType.A).Code);
    }

    private static CatalogSnapshot Snapshot(ImmutableArray<CatalogFront> fronts, params CatalogZone[] zones) => Snapshot(fronts, zones, 1000);

    private static CatalogSnapshot Snapshot(ImmutableArray<CatalogFront> fronts, CatalogZone zone, long changed) => Snapshot(fronts, [zone], changed);

    private static CatalogSnapshot Snapshot(ImmutableArray<CatalogFront> fronts, CatalogZone[] zones, long changed) => new()
    {
        Revision = 1,
        Stack = "shop",
        Domains = ["shop.test", "www.shop.test"],
        Services = [new CatalogService { Name = "web", Routes = [new CatalogRoute(null, "/")] }, new CatalogService { Name = "admin", Routes = [new CatalogRoute("admin.shop.test", "/")] }],
        Dns = new CatalogDns { Zones = [.. zones], Fronts = fronts, Changed = changed },
    };

    private static ImmutableArray<StackZone> Of(CatalogSnapshot snapshot, string file = "") => StackZones.Of(snapshot, Front.Of(snapshot.Dns!.Fronts, []), _ => file);

    private static ZoneSet Live(CatalogSnapshot snapshot, Func<DnsName, Addresses?>? outside = null) =>
        LiveZones.Of(Of(snapshot), Front.Of(snapshot.Dns!.Fronts, []), _ => 1, outside ?? (_ => null));

    private static Response Ask(ZoneSet zones, string name, RecordType type) => zones.For(DnsName.Parse(name)) is { } zone
        ? ZoneAnswers.Answer(zone, new Question(DnsName.Parse(name), type)) : new Response { Code = ResponseCode.Refused };

    private static string[] Addresses(ZoneSet zones, string name, RecordType type) =>
        [.. Ask(zones, name, type).Answers.Where(record => record.Type == type).Select(record => new IPAddress(record.Data.Octets).ToString())];
}
