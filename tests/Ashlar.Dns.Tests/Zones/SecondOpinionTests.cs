using Ashlar.Catalog;
using Ashlar.Dns.Stacks;
using Ashlar.Testing;

namespace Ashlar.Dns.Tests.Zones;

/// <summary>Zones of ours as BIND's checker sees them.</summary>
public sealed class SecondOpinionTests
{
    [Fact]
    public async Task AZoneOfAStackIsOneForBind()
    {
        using var folder = new TempFolder();
        var snapshot = new CatalogSnapshot
        {
            Revision = 1,
            Stack = "shop",
            Domains = ["shop.test", "www.shop.test"],
            Dns = new CatalogDns
            {
                Zones =
                [
                    new CatalogZone("shop.test", null, 300)
                    {
                        Records = ["@ MX 10 mail", "mail A 192.0.2.7", "txt TXT \"one; two\" \"th\\\"ree\"", "_sip._tcp SRV 0 5 5060 mail", "@ CAA 0 issue \"ca.example\"", "*.apps CNAME www", "sub NS ns.sub", "ns.sub A 192.0.2.53", "odd TYPE731 \\# 3 0a0b0c"],
                    },
                ],
                Fronts = [new CatalogFront("m1", ["192.0.2.1"], ["192.0.2.1"], true), new CatalogFront("m2", ["2001:db8::2"], ["2001:db8::2"], true)],
                Changed = 2026112201,
            },
        };
        var fronts = Front.Of(snapshot.Dns.Fronts, []);
        var zone = LiveZones.Of(StackZones.Of(snapshot, fronts, File.ReadAllText), fronts, _ => 2026112201, _ => null).All.Single();
        var path = Path.Combine(folder.Path, "shop.zone");
        await File.WriteAllLinesAsync(path, zone.Records.Select(record => record.ToString()));
        var said = await ProgramRun.RunAsync("named-checkzone", ["shop.test", path]);
        Assert.True(said.ExitCode == 0, $"{said}\n{await File.ReadAllTextAsync(path)}");
        Assert.Contains("loaded serial 2026112201", said.Output, StringComparison.Ordinal);
    }
}
