using System.Net;
using System.Net.Sockets;

namespace Ashlar.Testing;

/// <summary>Ports for servers that tests start.</summary>
public static class Ports
{
    /// <summary>A port of 127.0.0.1 that nothing listens on now.</summary>
    public static int Free()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
