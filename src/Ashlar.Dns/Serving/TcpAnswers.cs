using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Ashlar.Catalog.Channel;
using Ashlar.Dns.Answers;
using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Serving;

/// <summary>Answers over TCP (RFC 7766): several queries a connection, one after the other, and not for ever. No client has all connections.</summary>
internal sealed class TcpAnswers : IDisposable
{
    private const int MostConnections = 512;
    private const int MostOfOne = 64;
    private const int MostOctetsOfQuery = 4096;
    private const int TurnMilliseconds = 250;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PatienceWhenFull = TimeSpan.FromSeconds(2);
    private readonly Descriptor _listener;
    private readonly Func<AnswerView> _view;
    private readonly DnsMetrics _metrics;
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<IPAddress, int> _clients = new();
    private readonly Thread _thread;
    private int _open;

    /// <summary>Begins to answer.</summary>
    /// <param name="listener">The listening socket; disposed of at the end. Other processes may hold it too.</param>
    /// <param name="view">What is answered from.</param>
    /// <param name="metrics">Counts.</param>
    public TcpAnswers(Descriptor listener, Func<AnswerView> view, DnsMetrics metrics)
    {
        (_listener, _view, _metrics) = (listener, view, metrics);
        _thread = new Thread(Accept) { IsBackground = true, Name = "dns-tcp" };
        _thread.Start();
    }

    /// <summary>Connections that are open.</summary>
    public int Connections => Volatile.Read(ref _open);

    /// <summary>Accepts no more, and waits within a bound until what is open has its answers.</summary>
    public async Task DrainAsync(TimeSpan grace)
    {
        await _ending.CancelAsync();
        for (var began = TimeProvider.System.GetTimestamp(); Connections > 0 && TimeProvider.System.GetElapsedTime(began) < grace;)
        {
            await Task.Delay(10);
        }
    }

    public void Dispose()
    {
        _ending.Cancel();
        _thread.Join();
        _listener.Dispose();
        _ending.Dispose();
    }

    // No .NET socket is made of the listener: disposing of one would reset connections that another process accepts.
    private unsafe void Accept()
    {
        while (!_ending.IsCancellationRequested)
        {
            var entry = new PollEntry { Descriptor = _listener.Number, Wanted = Sockets.Readable };
            if (Sockets.Poll(&entry, 1, TurnMilliseconds) <= 0 || _ending.IsCancellationRequested)
            {
                continue;
            }

            var descriptor = Sockets.Accept(_listener.Number, null, null, Sockets.CloseOnExec);
            if (descriptor < 0)
            {
                // Gone, or taken by another; or too many files are open, and looking again at once would not help.
                Thread.Sleep(1);
                continue;
            }

            Begin(new Socket(new SafeSocketHandle(descriptor, ownsHandle: true)));
        }
    }

    private void Begin(Socket socket)
    {
        if (socket.RemoteEndPoint is not IPEndPoint { Address: var address })
        {
            socket.Dispose();
            return;
        }

        var client = NetworkOf(address);

        var open = Interlocked.Increment(ref _open);
        if (_clients.AddOrUpdate(client, 1, (_, its) => its + 1) > MostOfOne || open > MostConnections)
        {
            End(client);
            socket.Dispose();
            return;
        }

        _ = ServeAsync(socket, client);
    }

    // Whoever has one address of IPv6 has 2^64.
    private static IPAddress NetworkOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6 || address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        var octets = address.GetAddressBytes();
        octets.AsSpan(8).Clear();
        return new IPAddress(octets);
    }

    private void End(IPAddress client)
    {
        Interlocked.Decrement(ref _open);
        if (_clients.AddOrUpdate(client, 0, (_, open) => open - 1) <= 0)
        {
            _clients.TryRemove(KeyValuePair.Create(client, 0));
        }
    }

    private async Task ServeAsync(Socket socket, IPAddress client)
    {
        try
        {
            using (socket)
            {
                socket.NoDelay = true;
                await using var stream = new NetworkStream(socket, ownsSocket: false);
                var (query, answer) = (new byte[sizeof(ushort) + MostOctetsOfQuery], new byte[sizeof(ushort) + Responder.MostOctets]);
                var have = 0;
                while (true)
                {
                    using var patience = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
                    patience.CancelAfter(Connections > MostConnections / 2 ? PatienceWhenFull : Patience);
                    int length;
                    while (have < sizeof(ushort) || have < sizeof(ushort) + BinaryPrimitives.ReadUInt16BigEndian(query))
                    {
                        var came = await stream.ReadAsync(query.AsMemory(have), patience.Token);
                        have += came;
                        if (came == 0 || (have >= sizeof(ushort) && BinaryPrimitives.ReadUInt16BigEndian(query) > MostOctetsOfQuery))
                        {
                            return;
                        }
                    }

                    length = BinaryPrimitives.ReadUInt16BigEndian(query);
                    var written = await RespondAsync(query.AsMemory(sizeof(ushort), length), client, answer.AsMemory(sizeof(ushort)));
                    if (written == 0)
                    {
                        return;
                    }

                    BinaryPrimitives.WriteUInt16BigEndian(answer, (ushort)written);
                    using var writing = new CancellationTokenSource(Patience);
                    await stream.WriteAsync(answer.AsMemory(0, sizeof(ushort) + written), writing.Token);
                    have -= sizeof(ushort) + length;
                    Buffer.BlockCopy(query, sizeof(ushort) + length, query, 0, have);
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client has gone, or says nothing.
        }
        finally
        {
            End(client);
        }
    }

    private async Task<int> RespondAsync(ReadOnlyMemory<byte> message, IPAddress client, Memory<byte> into)
    {
        if (Query.Read(message.Span) is not { } query)
        {
            return 0;
        }

        var view = _view();
        var isForwarded = false;
        if (QueryCourse.Answer(query, view, view.Trusted.Contains(client), out _) is not { } response)
        {
            isForwarded = true;
            response = await QueryCourse.AskAsync(query, view);
        }

        var written = Responder.Write(query, response, overTcp: true, into.Span);
        _metrics.Tcp(into.Span[..written], isForwarded);
        return written;
    }
}
