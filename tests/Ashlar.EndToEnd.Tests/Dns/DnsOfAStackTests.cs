using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.Tests.Dns;

/// <summary>The DNS of a running stack, asked by the programs of others.</summary>
public sealed class DnsOfAStackTests
{
    private const string StackFile = """
        name: shop
        domains: [shop.test, www.shop.test]
        services:
          web:
            run: "'@APP@'"
            route: /
            health: /up
        dashboard: off
        edge:
          listen: {http: "127.0.0.1:@PORT@"}
        dns:
          listen: 127.0.0.1:@DNS@
          resolvers: off
          zones:
            shop.test:
              records: ["@ MX 10 mail", "mail A 192.0.2.7"]
            other.test: {file: zones/other.zone}
        """;

    private const string ZoneFile = """
        $TTL 1h
        @ SOA ns1 root 7 2h 1h 1w 10m
        @ NS ns1
        ns1 A 192.0.2.1
        @ ALIAS shop.test.
        """;

    private readonly string _port = Ports.Free().ToString(CultureInfo.InvariantCulture);

    [Fact]
    public async Task A_stack_answers_for_its_zones_and_loses_no_query_when_its_name_server_is_replaced()
    {
        await using var rig = new StackRig(StackFile.Replace("@DNS@", _port, StringComparison.Ordinal));
        rig.Write("zones/other.zone", ZoneFile);
        await rig.UpAsync();

        Assert.Equal("127.0.0.1", await KdigAsync("www.shop.test", "A"));
        Assert.Equal("127.0.0.1", await KdigAsync("+tcp", "shop.test", "A"));
        Assert.Equal("10 mail.shop.test.", await KdigAsync("shop.test", "MX"));
        Assert.Equal("127.0.0.1", await KdigAsync("other.test", "A"));
        Assert.Equal("127.0.0.1", await KdigAsync("web.stack.internal", "A"));
        Assert.StartsWith("ns1.other.test. root.other.test. 7 ", await KdigAsync("other.test", "SOA"), StringComparison.Ordinal);
        Assert.Contains("dns.1", await rig.DoAsync("ps"), StringComparison.Ordinal);

        using var asking = new CancellationTokenSource();
        var questions = AskAsync(asking.Token);
        var before = await rig.PidAsync("dns.1");
        await rig.DoAsync("restart", "dns");
        Assert.NotEqual(before, await rig.PidAsync("dns.1"));
        await rig.DoAsync("restart", "dns");
        await asking.CancelAsync();
        var (asked, lost) = await questions;
        Assert.True(asked > 20 && lost == 0, $"{lost} of {asked} queries were lost.");

        Assert.Equal("added blog.shop.test. 300 IN CNAME www.shop.test.\n", await rig.DoAsync("dns", "add", "blog.shop.test", "CNAME", "www.shop.test"));
        Assert.Equal("www.shop.test.\n127.0.0.1", await KdigAsync("blog.shop.test", "A"));
        Assert.Contains("ashlar dns add", await rig.DoAsync("dns", "list", "shop.test"), StringComparison.Ordinal);
        Assert.Contains("its edge serves", await rig.DoAsync("dns", "explain", "www.shop.test"), StringComparison.Ordinal);
        Assert.Contains("ASH3107", (await rig.AshlarAsync("dns", "add", "blog.shop.test", "A", "192.0.2.9")).Error, StringComparison.Ordinal);
        Assert.Contains("ASH3109", (await rig.AshlarAsync("dns", "rm", "mail.shop.test")).Error, StringComparison.Ordinal);
        Assert.Contains("ASH3108", (await rig.AshlarAsync("dns", "add", "www.elsewhere.test", "A", "192.0.2.9")).Error, StringComparison.Ordinal);
        await rig.DoAsync("dns", "rm", "blog.shop.test");
        Assert.Equal("", await KdigAsync("blog.shop.test", "A"));
        using var aside = new TempFolder();
        aside.Write("more.zone", "@ 60 SOA a b 1 1 1 1 1\n@ 60 NS old\nold 60 A 192.0.2.8\n");
        Assert.Equal("added old.shop.test. 60 IN A 192.0.2.8\n", await rig.DoAsync("dns", "import", Path.Combine(aside.Path, "more.zone"), "--zone", "shop.test"));

        // A mistake leaves what was; what is right is taken with the next up, and no service is restarted for it.
        var web = await rig.PidAsync("web.1");
        rig.Write("zones/other.zone", ZoneFile + "\nwww A 1.2.3\n");
        var refused = await rig.AshlarAsync("up", "--detach");
        Assert.Contains("other.zone:6:7: '1.2.3' is no IPv4 address", refused.Error + refused.Output, StringComparison.Ordinal);
        Assert.Equal("127.0.0.1", await KdigAsync("other.test", "A"));
        rig.Write("zones/other.zone", ZoneFile + "\nwww A 192.0.2.3\n");
        await rig.UpAsync();
        Assert.Equal("192.0.2.3", await KdigAsync("www.other.test", "A"));
        Assert.StartsWith("ns1.other.test. root.other.test. 8 ", await KdigAsync("other.test", "SOA"), StringComparison.Ordinal);
        Assert.Equal(web, await rig.PidAsync("web.1"));
    }

    // A query that is not answered is asked once: the kernel keeps it while nobody reads.
    private async Task<(int Asked, int Lost)> AskAsync(CancellationToken cancellation)
    {
        byte[] query = [1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, .. "shop"u8, 4, .. "test"u8, 0, 0, 1, 0, 1];
        var (asked, lost) = (0, 0);
        while (!cancellation.IsCancellationRequested)
        {
            using var socket = new UdpClient();
            socket.Connect(IPAddress.Loopback, int.Parse(_port, CultureInfo.InvariantCulture));
            await socket.SendAsync(query, CancellationToken.None);
            asked++;
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                await socket.ReceiveAsync(patience.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                lost++;
            }
        }

        return (asked, lost);
    }

    private async Task<string> KdigAsync(params string[] arguments)
    {
        var result = await ProgramRun.RunAsync("kdig", ["@127.0.0.1", "-p", _port, "+short", "+retry=0", .. arguments]);
        return result.Output.Trim();
    }
}
