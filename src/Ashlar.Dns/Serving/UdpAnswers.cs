using System.Net;
using System.Net.Sockets;
using Ashlar.Dns.Answers;
using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Serving;

/// <summary>Answers over UDP: threads that each have a socket of their own, between which the kernel divides the clients.</summary>
internal sealed class UdpAnswers : IDisposable
{
    private const int SocketLevel = 1;
    private const int ReusePort = 15;
    private const int MostOctets = 4096;
    private readonly Socket[] _sockets;
    private readonly Thread[] _threads;
    private readonly Func<ZoneSet> _zones;
    private volatile bool _ended;

    public UdpAnswers(IPEndPoint address, int threads, Func<ZoneSet> zones)
    {
        _zones = zones;
        _sockets = [.. Enumerable.Range(0, threads).Select(_ => Open(address))];
        _threads = [.. _sockets.Select((socket, i) => new Thread(() => Serve(socket)) { IsBackground = true, Name = $"dns-udp-{i}" })];
        foreach (var thread in _threads)
        {
            thread.Start();
        }
    }

    public void Dispose()
    {
        _ended = true;
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }

        foreach (var thread in _threads)
        {
            thread.Join();
        }
    }

    private static Socket Open(IPEndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.SetRawSocketOption(SocketLevel, ReusePort, BitConverter.GetBytes(1));
            socket.Bind(address);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void Serve(Socket socket)
    {
        var (query, answer) = (new byte[MostOctets], new byte[ResponseWriter.OwnSize]);
        var from = new SocketAddress(socket.AddressFamily);
        while (!_ended)
        {
            try
            {
                var length = socket.ReceiveFrom(query, SocketFlags.None, from);
                var written = Responder.Respond(query.AsSpan(0, length), _zones(), overTcp: false, answer);
                if (written > 0)
                {
                    socket.SendTo(answer.AsSpan(0, written), SocketFlags.None, from);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // A client that cannot be reached, or the end; the next one is served.
            }
        }
    }
}
