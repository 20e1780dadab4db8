using System.Net;
using System.Net.Sockets;

namespace Ashlar.Http.Tests.Transport.Tls;

/// <summary>Stands between client and server, cuts what flows into pieces, and changes bytes where a test says so.</summary>
internal sealed class ByteProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _server;
    private readonly Func<int> _pieces;
    private readonly Func<byte, byte> _change;

    public ByteProxy(int server, Func<int> pieces, Func<byte, byte>? change = null)
    {
        _server = server;
        _pieces = pieces;
        _change = change ?? (static value => value);
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = RelayAsync(await _listener.AcceptSocketAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task RelayAsync(Socket client)
    {
        using (client)
        using (var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true })
        {
            client.NoDelay = true;
            await server.ConnectAsync(IPAddress.Loopback, _server);
            await Task.WhenAll(PumpAsync(client, server), PumpAsync(server, client));
        }
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            int received;
            while ((received = await from.ReceiveAsync(buffer.AsMemory())) > 0)
            {
                for (var i = 0; i < received; i++)
                {
                    buffer[i] = _change(buffer[i]);
                }

                for (var at = 0; at < received;)
                {
                    at += await to.SendAsync(buffer.AsMemory(at, Math.Min(_pieces(), received - at)));
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            to.Dispose();
            from.Dispose();
        }
    }
}
