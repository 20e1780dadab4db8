using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Ashlar.Dns.Answers;
using Ashlar.Dns.Serving;
using Ashlar.Dns.Zones;

namespace Ashlar.Dns.Tests;

/// <summary>The server beside programs of others that ask it.</summary>
public sealed class ServerTests : IAsyncDisposable
{
    private readonly DnsServer _server = DnsServer.Listen(new IPEndPoint(IPAddress.Loopback, 0), threads: 2);

    public ServerTests() => _server.Zones = new ZoneSet([Zone.Of(MasterFile.Read(
        """
        $ORIGIN shop.test.
        $TTL 60
        @ SOA ns1 root 1 2h 1h 1w 10m
        @ NS ns1
        @ MX 10 mail
        ns1 A 127.0.0.1
        *.apps A 192.0.2.7
        big TXT "one"
        """ + string.Concat(Enumerable.Range(0, 50).Select(i => $"\nbig TXT \"{new string('x', 200)}{i}\"")),
        "shop").Records, "shop").Zone!]);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("kdig", "+short")]
    [InlineData("drill", "-Q")]
    public async Task TheProgramsOfOthersReadIt(string program, string option)
    {
        var said = program == "kdig"
            ? await RunAsync("kdig", option, "-p", Port, "@127.0.0.1", "web.apps.shop.test", "A")
            : await RunAsync("drill", option, "-p", Port, "@127.0.0.1", "web.apps.shop.test", "A");
        Assert.Equal("192.0.2.7", said.Trim());
    }

    [Fact]
    public async Task WhatIsTooLongForUdpIsAskedForOverTcp() =>
        Assert.Equal(51, (await RunAsync("kdig", "+short", "-p", Port, "@127.0.0.1", "big.shop.test", "TXT")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);

    [Fact]
    public async Task SeveralQueriesGoOverOneConnection()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(_server.Address);
        var stream = client.GetStream();
        byte[] query = [0, 30, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, (byte)'n', (byte)'s', (byte)'1', 4, (byte)'s', (byte)'h', (byte)'o', (byte)'p', 4, (byte)'t', (byte)'e', (byte)'s', (byte)'t', 0, 0, 1, 0];
        query = [.. query, 1];
        query[1] = (byte)(query.Length - 2);
        for (var i = 0; i < 3; i++)
        {
            await stream.WriteAsync(query);
            var header = new byte[2];
            await stream.ReadExactlyAsync(header);
            var answer = new byte[(header[0] << 8) | header[1]];
            await stream.ReadExactlyAsync(answer);
            Assert.Equal(1, answer[7]);
        }
    }

    [Fact]
    public async Task ZonesChangeWhileItAnswers()
    {
        _server.Zones = ZoneSet.Empty;
        Assert.Contains("REFUSED", await RunAsync("kdig", "-p", Port, "@127.0.0.1", "shop.test", "SOA"), StringComparison.Ordinal);
    }

    private string Port => _server.Address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return said;
    }
}
