using System.Net;
using System.Net.Sockets;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;
using Ashlar.Dns.Tier;
using Ashlar.Testing;

namespace Ashlar.Dns.Tests.Tier;

/// <summary>A name server with the agent's end of the channel and real sockets around it.</summary>
public sealed class DnsProcessTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly byte[] Query = [1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, .. "shop"u8, 4, .. "test"u8, 0, 0, 1, 0, 1];

    [Fact]
    public async Task One_that_ends_answers_nothing_once_it_is_told_nothing_more()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "run"));
        Directory.CreateDirectory(Path.Combine(folder.Path, "metrics"));
        var options = new DnsOptions("dns.1", Path.Combine(folder.Path, "run", "agent.channel"), folder.Path, TimeSpan.Zero);
        using var tcp = ListeningSocket.Open(IPAddress.Loopback, 0, "dns.listen");
        using var udp = Assert.Single(ListeningSocket.OpenDatagrams(IPAddress.Loopback, tcp.Port, 1, "dns.listen"));
        await using var server = ChannelServer.Listen(options.Channel);
        await using var process = new DnsProcess(options, new TierLog("dns.1", new MemoryStream()), TimeProvider.System);
        var running = process.RunAsync();
        using var agent = await server.AcceptAsync().AsTask().WaitAsync(Patience);
        await agent.SendDescriptorsAsync(["dns.tcp", "dns.udp"], [tcp.Descriptor, udp.Descriptor]).WaitAsync(Patience);
        await agent.SendSnapshotAsync(new CatalogSnapshot
        {
            Revision = 1,
            Stack = "shop",
            Listeners =
            [
                new CatalogListener("dns.tcp", "127.0.0.1", tcp.Port, null) { Tier = CatalogDns.Tier },
                new CatalogListener("dns.udp", "127.0.0.1", tcp.Port, null) { Tier = CatalogDns.Tier, IsDatagram = true },
            ],
        }).WaitAsync(Patience);
        using var client = new UdpClient();
        client.Connect(IPAddress.Loopback, tcp.Port);
        await client.SendAsync(Query);
        await client.ReceiveAsync().WaitAsync(Patience);

        process.Stop();
        using var patience = new CancellationTokenSource(Patience);
        await foreach (var _ in agent.Facts.ReadAllAsync(patience.Token))
        {
        }

        // Whoever holds the socket besides finds the next query there.
        await client.SendAsync(Query);
        using var another = new Socket(new SafeSocketHandle(udp.Descriptor.Duplicate().Release(), ownsHandle: true));
        var found = new byte[512];
        Assert.Equal(Query, found[..another.Receive(found)]);
        await running.WaitAsync(Patience);
    }
}
