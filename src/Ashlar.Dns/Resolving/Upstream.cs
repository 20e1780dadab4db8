using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Resolving;

/// <summary>Asks one resolver: over UDP from a port of its own for each query, and over TCP what does not fit.</summary>
internal static class Upstream
{
    private const int MostOctets = 4096;

    /// <summary>Asks.</summary>
    /// <returns>The answer; null: there came none that can be read.</returns>
    /// <exception cref="OperationCanceledException">The time is over.</exception>
    public static async Task<Response?> AskAsync(IPEndPoint server, UpstreamQuery query, CancellationToken cancellation)
    {
        try
        {
            var buffer = new byte[MostOctets];
            using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);

            // Connected: the kernel draws the port by lot, and takes from nobody else.
            await socket.ConnectAsync(server, cancellation);
            await socket.SendAsync(query.Message, cancellation);
            while (true)
            {
                var length = await socket.ReceiveAsync(buffer, cancellation);
                if (!query.IsAnsweredBy(buffer.AsSpan(0, length)))
                {
                    continue; // Somebody guesses. The true answer may come yet.
                }

                return UpstreamQuery.IsTruncated(buffer) ? await AskOverTcpAsync(server, query, cancellation) : query.Read(buffer.AsSpan(0, length));
            }
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return null;
        }
    }

    private static async Task<Response?> AskOverTcpAsync(IPEndPoint server, UpstreamQuery query, CancellationToken cancellation)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, cancellation);
        await using var stream = new NetworkStream(socket);
        var framed = new byte[2 + query.Message.Length];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)query.Message.Length);
        query.Message.CopyTo(framed.AsMemory(2));
        await stream.WriteAsync(framed, cancellation);
        var header = new byte[2];
        await stream.ReadExactlyAsync(header, cancellation);
        var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(header)];
        await stream.ReadExactlyAsync(message, cancellation);
        return query.IsAnsweredBy(message) ? query.Read(message) : null;
    }
}
