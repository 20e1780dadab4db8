using System.Net;
using System.Net.Sockets;

namespace Ashlar.Testing;

/// <summary>Ports for servers that tests start.</summary>
public static class Ports
{
    // Below those that agents give out and those that the kernel takes outgoing connections from.
    private const int First = 10_000;
    private const int Count = 10_000;
    private static int _next = Random.Shared.Next(Count);

    /// <summary>A port of 127.0.0.1 that nothing listens on now. No other test is given it: its server may take its time to come.</summary>
    public static int Free()
    {
        while (true)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref _next) % Count);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Another program's.
            }
        }
    }
}
