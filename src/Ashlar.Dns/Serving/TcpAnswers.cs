using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Ashlar.Dns.Answers;

namespace Ashlar.Dns.Serving;

/// <summary>Answers over TCP (RFC 7766): several queries a connection, one after the other, and not for ever.</summary>
internal sealed class TcpAnswers : IDisposable
{
    private const int MostConnections = 256;
    private const int MostOctetsOfQuery = 4096;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Socket _listener;
    private readonly Func<ZoneSet> _zones;
    private readonly CancellationTokenSource _ending = new();
    private int _open;

    public TcpAnswers(IPEndPoint address, Func<ZoneSet> zones)
    {
        _zones = zones;
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            _listener.Bind(address);
            _listener.Listen();
        }
        catch
        {
            _listener.Dispose();
            throw;
        }

        Address = (IPEndPoint)_listener.LocalEndPoint!;
        _ = AcceptAsync();
    }

    public IPEndPoint Address { get; }

    public void Dispose()
    {
        _ending.Cancel();
        _listener.Dispose();
        _ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptAsync(_ending.Token);
                if (Interlocked.Increment(ref _open) > MostConnections)
                {
                    Interlocked.Decrement(ref _open);
                    socket.Dispose();
                    continue;
                }

                _ = ServeAsync(socket);
            }
            catch (SocketException)
            {
                // Gone before it was taken, or too many files are open: the next one.
                await Task.Yield();
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            using (socket)
            {
                await using var stream = new NetworkStream(socket, ownsSocket: false);
                var (query, answer) = (new byte[MostOctetsOfQuery], new byte[sizeof(ushort) + Responder.MostOctets]);
                while (true)
                {
                    using var patience = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
                    patience.CancelAfter(Patience);
                    await stream.ReadExactlyAsync(query.AsMemory(0, sizeof(ushort)), patience.Token);
                    var length = BinaryPrimitives.ReadUInt16BigEndian(query);
                    if (length > query.Length)
                    {
                        return;
                    }

                    await stream.ReadExactlyAsync(query.AsMemory(0, length), patience.Token);
                    var written = Responder.Respond(query.AsSpan(0, length), _zones(), overTcp: true, answer.AsSpan(sizeof(ushort)));
                    if (written == 0)
                    {
                        return;
                    }

                    BinaryPrimitives.WriteUInt16BigEndian(answer, (ushort)written);
                    await stream.WriteAsync(answer.AsMemory(0, sizeof(ushort) + written), patience.Token);
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client has gone, or says nothing.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }
}
