using System.Net;
using System.Net.Sockets;
using Ashlar.Catalog.Channel;
using Ashlar.Errors;
using Ashlar.Testing;

namespace Ashlar.Catalog.Tests.Channel;

public sealed class ListeningSocketTests
{
    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("0.0.0.0", "127.0.0.1")]
    [InlineData("::1", "::1")]
    [InlineData("::", "127.0.0.1")]
    public async Task It_accepts_connections(string address, string from)
    {
        using var listener = ListeningSocket.Open(IPAddress.Parse(address), 0, "edge.listen.http");
        Assert.NotEqual(0, listener.Port);
        var target = IPAddress.Parse(from);
        using var client = new TcpClient(target.AddressFamily);
        await client.ConnectAsync(target, listener.Port).Soon();
    }

    [Fact]
    public void A_port_in_use_names_itself_and_the_key()
    {
        using var first = ListeningSocket.Open(IPAddress.Loopback, 0, "edge.listen.http");
        var error = Assert.Throws<AshlarException>(() => ListeningSocket.Open(IPAddress.Loopback, first.Port, "edge.listen.http")).Error;
        Assert.Equal("ASH4015", error.Code);
        Assert.Contains($"127.0.0.1:{first.Port}", error.Message);
        Assert.Contains("edge.listen.http", error.NextStep);
    }

    [Fact]
    public void An_address_of_another_machine_is_said_to_be_one()
    {
        var error = Assert.Throws<AshlarException>(() => ListeningSocket.Open(IPAddress.Parse("192.0.2.1"), 0, "edge.listen.http")).Error;
        Assert.Equal("ASH4052", error.Code);
    }

    [Fact]
    public async Task A_privileged_port_says_that_it_is_one()
    {
        var start = int.Parse(File.ReadAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start"));
        if (!OtherUser.Possible || start <= 1)
        {
            return;
        }

        var failure = await Assert.ThrowsAsync<AshlarException>(
            () => OtherUser.Run(() => ListeningSocket.Open(IPAddress.Loopback, 1, "edge.listen.http")).Soon());
        Assert.Equal("ASH4051", failure.Error.Code);
    }
}
