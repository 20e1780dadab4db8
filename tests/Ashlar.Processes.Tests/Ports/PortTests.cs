using System.Net;
using System.Net.Sockets;
using Ashlar.Errors;

namespace Ashlar.Processes.Tests.Ports;

public sealed class PortTests
{
    private static (int First, int Last) FreeRange(int size)
    {
        for (var first = 21_000 + (Environment.ProcessId % 1000); ; first += size)
        {
            if (Enumerable.Range(first, size).All(port => PortAllocator.CanBind(IPAddress.Loopback, port) && PortAllocator.CanBind(IPAddress.Any, port)))
                return (first, first + size - 1);
        }
    }

    [Fact] // 34
    public void No_port_is_given_out_twice_until_it_is_given_back()
    {
        var (first, last) = FreeRange(5);
        var ports = new PortAllocator(first, last, new Random(3));
        var taken = Enumerable.Range(0, 5).Select(_ => ports.Take()).ToList();
        Assert.Equal(Enumerable.Range(first, 5), taken.Order());
        Assert.Equal("ASH2015", Assert.Throws<AshlarException>(() => ports.Take()).Error.Code);
        ports.Release(taken[2]);
        Assert.Equal(taken[2], ports.Take());
    }

    [Fact] // 34
    public void A_port_given_back_lies_fallow_while_others_are_free()
    {
        var (first, last) = FreeRange(4);
        var ports = new PortAllocator(first, last);
        var one = ports.Take();
        ports.Release(one);
        Assert.DoesNotContain(one, new[] { ports.Take(), ports.Take(), ports.Take() });
        Assert.Equal(one, ports.Take());
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    public void A_port_in_use_or_reserved_is_passed_over(string address)
    {
        var (first, last) = FreeRange(3);
        using var listener = new TcpListener(IPAddress.Parse(address), first);
        listener.Start();
        var ports = new PortAllocator(first, last);
        Assert.True(ports.Reserve(first + 1));
        Assert.False(ports.Reserve(first + 1));
        Assert.Equal(last, ports.Take());
        Assert.Throws<AshlarException>(() => ports.Take());
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("127.0.0.1", "0.0.0.0")]
    [InlineData("0.0.0.0", "127.0.0.1")]
    [InlineData("::", "127.0.0.1")]
    public void The_process_that_holds_a_port_is_named(string bound, string asked)
    {
        using var listener = new TcpListener(IPAddress.Parse(bound), 0);
        listener.Start();
        var owner = PortOwner.Find(IPAddress.Parse(asked), ((IPEndPoint)listener.LocalEndpoint).Port);
        Assert.Equal(Environment.ProcessId, owner!.Pid);
        Assert.Equal(SystemUsers.Current.Name, owner.User);
        Assert.Contains($"(pid {Environment.ProcessId}, user ", owner.ToString());
    }

    [Theory]
    [InlineData("/opt/ashlar agent --stack /srv/my shop", "/srv/my shop")]
    [InlineData("/opt/ashlar edge --instance edge.1 --channel /srv/shop/.ashlar/run/agent.channel --state /srv/shop/.ashlar --grace 30", "/srv/shop")]
    [InlineData("/opt/ashlar up /srv/shop", null)]
    [InlineData("/opt/other agent --stack /srv/shop", null)]
    [InlineData("ashlar", null)]
    [InlineData("", null)]
    public void Who_holds_a_port_for_a_stack_is_known_by_its_folder(string commandLine, string? stack) => Assert.Equal(stack, PortOwner.StackOf(commandLine));

    [Fact]
    public void A_free_port_has_no_owner()
    {
        var (first, _) = FreeRange(1);
        Assert.Null(PortOwner.Find(IPAddress.Loopback, first));
    }

    [Theory]
    [InlineData("   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 4711 1 0 100 0 0 10 0", "127.0.0.1:8080")]
    [InlineData("   1: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1", "[::1]:80")]
    [InlineData("   0: 0100007F:1F90 0100007F:0001 01 00000000:00000000 00:00000000 00000000   101        0 4711 1", null)]
    [InlineData("   0: 0100007F:XXXX 00000000:0000 0A 0 0 0 0 0 4711", null)]
    [InlineData("", null)]
    public void Lines_of_the_kernels_table_are_read(string line, string? endpoint) =>
        Assert.Equal(endpoint, TcpTable.Parse(line)?.Endpoint.ToString());

    [Fact]
    public void Mutated_lines_of_the_kernels_table_never_throw()
    {
        const int Seed = 11;
        var random = new Random(Seed);
        var valid = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 4711 1 0 100 0 0 10 0";
        for (var round = 0; round < 20_000; round++)
        {
            var text = valid.ToCharArray();
            for (var i = random.Next(1, 6); i > 0; i--)
                text[random.Next(text.Length)] = (char)random.Next(32, 127);
            var error = Record.Exception(() => TcpTable.Parse(new string(text, 0, random.Next(text.Length + 1))));
            Assert.True(error is null, $"seed {Seed}, round {round}: {error}");
        }
    }
}
