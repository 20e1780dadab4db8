using System.Net.Sockets;

namespace Ashlar.Fleet.Identity;

/// <summary>How connections between agents are kept.</summary>
public static class PeerSocket
{
    private const int IdleSeconds = 5;
    private const int BetweenSeconds = 2;
    private const int Unanswered = 3;

    /// <summary>Small frames go at once, and a machine that has lost power, which says no goodbye, is noticed within some 11 s (RFC 9293, section 3.8.4).</summary>
    public static void Prepare(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, optionValue: true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, IdleSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, BetweenSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Unanswered);
    }
}
