using System.Net;
using System.Net.Sockets;
using Ashlar.Catalog.Channel;
using Ashlar.Dns.Answers;
using Ashlar.Dns.Resolving;
using Ashlar.Dns.Serving;
using Ashlar.Dns.Tests.Resolving;
using Ashlar.Dns.Wire;
using Ashlar.Dns.Zones;
using Ashlar.Monitoring;

namespace Ashlar.Dns.Tests.Serving;

/// <summary>What clients may do wrong, and servers that take turns on one socket.</summary>
public sealed class FaultTests : IAsyncDisposable
{
    private static readonly byte[] Query = [1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, .. "ns1"u8, 4, .. "shop"u8, 4, .. "test"u8, 0, 0, 1, 0, 1];
    private static readonly ZoneSet Zones = new([Zone.Of(MasterFile.Read("$TTL 60\n@ SOA ns1 root 1 2h 1h 1w 10m\n@ NS ns1\nns1 A 192.0.2.1\n", "shop", DnsName.Parse("shop.test")).Records, "shop").Zone!]);
    private readonly DnsServer _server = DnsServer.Listen(new IPEndPoint(IPAddress.Loopback, 0), threads: 2);

    public FaultTests() => _server.Zones = Zones;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task NoOctetsOverUdpKeepItFromAnswering()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        using var client = new UdpClient();
        client.Connect(_server.Address);
        for (var i = 0; i < 2000; i++)
        {
            var message = Query.ToArray();
            for (var changes = random.Next(1, 8); changes > 0; changes--)
            {
                message[random.Next(message.Length)] = (byte)random.Next(256);
            }

            await client.SendAsync(i % 50 == 0 ? new byte[random.Next(0, 5000)] : message.AsMemory(0, random.Next(message.Length + 1)));
        }

        // A name that points at itself, and one that points forward.
        await client.SendAsync((byte[])[1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 12, 0, 1, 0, 1]);
        await client.SendAsync((byte[])[1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 30, 0, 1, 0, 1]);
        Assert.True(await AnswersAsync(), $"seed {seed}");
    }

    [Fact]
    public async Task OneSocketForBothFamiliesAnswersEither()
    {
        await using var server = DnsServer.Listen(new IPEndPoint(IPAddress.IPv6Any, 0));
        server.Zones = Zones;
        foreach (var address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            using var client = new UdpClient(address.AddressFamily);
            client.Connect(new IPEndPoint(address, server.Address.Port));
            await client.SendAsync(Query);
            Assert.Equal(1, (await client.ReceiveAsync(Soon)).Buffer[7]);
        }
    }

    [Fact]
    public async Task AResponseIsNotAnswered()
    {
        using var client = new UdpClient();
        client.Connect(_server.Address);
        var response = Query.ToArray();
        response[2] |= 0x80;
        await client.SendAsync(response);
        await client.SendAsync(Query);
        Assert.Equal(1, (await client.ReceiveAsync(Soon)).Buffer[7]);
        Assert.Equal(0, client.Available);
    }

    [RootFact]
    public async Task WhatItSeemsToHaveSentItselfAndWhatNobodyCanHaveSentStartsNothing()
    {
        // As if from its own address and port, and from port 0, to which nothing can be sent. A batch with them is answered to its end.
        var port = (ushort)_server.Address.Port;
        using var raw = new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Udp);
        using var client = new UdpClient();
        client.Connect(_server.Address);
        for (var i = 0; i < 50; i++)
        {
            foreach (var source in new ushort[] { port, 0 })
            {
                byte[] datagram = [(byte)(source >> 8), (byte)source, (byte)(port >> 8), (byte)port, 0, (byte)(8 + Query.Length), 0, 0, .. Query];
                await raw.SendToAsync(datagram, new IPEndPoint(IPAddress.Loopback, 0));
            }

            await client.SendAsync(Query);
        }

        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(1, (await client.ReceiveAsync(Soon)).Buffer[7]);
        }

        Assert.Equal(0, client.Available);
    }

    [Fact]
    public void NoAnswerIsAnsweredWhateverTheQueryWas()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var (answer, again) = (new byte[ResponseWriter.OwnSize], new byte[ResponseWriter.OwnSize]);
        for (var i = 0; i < 5000; i++)
        {
            var message = Query.ToArray();
            for (var changes = random.Next(0, 8); changes > 0; changes--)
            {
                message[random.Next(message.Length)] = (byte)random.Next(256);
            }

            var written = Responder.Respond(message.AsSpan(0, random.Next(message.Length + 1)), Zones, overTcp: false, answer);
            Assert.True(Responder.Respond(answer.AsSpan(0, written), Zones, overTcp: false, again) == 0, $"seed {seed}, round {i}");
        }
    }

    [Fact]
    public async Task WhoAsksForMoreThanTheRateIsToldToAskOverTcpAndIsAnsweredThere()
    {
        _server.View = AnswerView.Empty with { Zones = Zones, Trusted = TrustedClients.Nobody, Rate = 1 };
        using var client = new UdpClient();
        client.Connect(_server.Address);
        byte[] answer;
        do
        {
            // One at a time gets through each second, every second of the others is cut and the rest not answered.
            await client.SendAsync(Query);
            await client.SendAsync(Query);
            await client.SendAsync(Query);
            answer = (await client.ReceiveAsync(Soon)).Buffer;
        }
        while ((answer[2] & 0x02) == 0);
        Assert.Equal((1, 2, 0, Query.Length), (answer[0], answer[1], answer[7], answer.Length));

        using var stream = new TcpClient();
        await stream.ConnectAsync(_server.Address);
        await stream.GetStream().WriteAsync((byte[])[0, (byte)Query.Length, .. Query]);
        var whole = new byte[10];
        await stream.GetStream().ReadExactlyAsync(whole.AsMemory(), Soon);
        Assert.Equal(1, whole[9]);
    }

    [Fact]
    public async Task OneClientDoesNotHaveAllConnections()
    {
        var clients = Enumerable.Range(0, 80).Select(_ => new TcpClient()).ToArray();
        try
        {
            foreach (var client in clients)
            {
                await client.ConnectAsync(_server.Address);
            }

            // What is beyond its share is closed at once; the others wait for their query.
            var buffer = new byte[1];
            var closed = clients.Select(async client =>
            {
                try
                {
                    return await client.GetStream().ReadAsync(buffer.AsMemory(0, 1), Soon) == 0;
                }
                catch (IOException)
                {
                    return true;
                }
            }).ToArray();
            while (closed.Count(reading => reading.IsCompleted) < 16)
            {
                await Task.WhenAny(closed.Where(reading => !reading.IsCompleted));
            }

            Assert.True(await AnswersAsync());
        }
        finally
        {
            Array.ForEach(clients, client => client.Dispose());
        }
    }

    [Fact]
    public async Task AQueryTooLongOverTcpEndsTheConnection()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(_server.Address);
        await client.GetStream().WriteAsync((byte[])[0xFF, 0xFF, 1, 2, 3]);
        try
        {
            Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], Soon));
        }
        catch (IOException)
        {
            // Closed with octets unread.
        }
    }

    [Fact]
    public async Task TwoServersTakeTurnsOnOneSocketAndNoQueryIsLost()
    {
        var port = Testing.Ports.Free();
        var tcp = ListeningSocket.Open(IPAddress.Loopback, port, "dns.listen");
        var udp = ListeningSocket.OpenDatagrams(IPAddress.Loopback, port, 2, "dns.listen");
        using var metrics = MetricsFile.InMemory(3);
        DnsServer Make() => new(tcp.Descriptor.Duplicate(), udp.Select(socket => socket.Descriptor.Duplicate()), new DnsMetrics(metrics), AnswerView.Empty with { Zones = Zones });
        var server = Make();
        using var ending = new CancellationTokenSource();
        var asking = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var asked = 0;
            while (!ending.IsCancellationRequested)
            {
                using var client = new UdpClient();
                client.Connect(IPAddress.Loopback, port);
                await client.SendAsync(Query);
                await client.ReceiveAsync(Soon);
                asked++;
            }

            return asked;
        })).ToArray();
        for (var i = 0; i < 4; i++)
        {
            var next = Make();
            await server.DisposeAsync();
            server = next;
        }

        await ending.CancelAsync();
        Assert.All(await Task.WhenAll(asking), asked => Assert.True(asked > 0));
        await server.DisposeAsync();
        tcp.Dispose();
        Array.ForEach(udp, socket => socket.Dispose());
    }

    [Fact]
    public async Task OnlyTheStacksOwnMachinesAreToldOfOthers()
    {
        await using var resolver = new FalseServer((query, _) => [FalseServer.Answer(query, 60, "198.51.100.1")]);
        _server.View = AnswerView.Empty with { Zones = Zones, Forwarder = new Forwarder(() => [resolver.Address], TimeProvider.System) };
        byte[] query = [1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, .. "www"u8, 7, .. "example"u8, 0, 0, 1, 0, 1];
        using var client = new UdpClient();
        client.Connect(_server.Address);
        await client.SendAsync(query);
        var answer = (await client.ReceiveAsync(Soon)).Buffer;
        Assert.Equal((0x81, 0x80, 1), (answer[2], answer[3], answer[7]));

        // The same question without the wish, and of somebody else.
        var other = Ashlar.Dns.Wire.Query.Read(query)!;
        Assert.Equal(ResponseCode.Refused, QueryCourse.Answer(other, _server.View, isTrusted: false, out _)!.Code);
        Assert.Equal(ResponseCode.Refused, QueryCourse.Answer(other with { RecursionDesired = false }, _server.View, isTrusted: true, out _)!.Code);
        Assert.Equal(1, resolver.Queries);
    }

    private async Task<bool> AnswersAsync()
    {
        using var client = new UdpClient();
        client.Connect(_server.Address);
        await client.SendAsync(Query);
        return (await client.ReceiveAsync(Soon)).Buffer is [1, 2, ..];
    }

    private static CancellationToken Soon => new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token;
}
