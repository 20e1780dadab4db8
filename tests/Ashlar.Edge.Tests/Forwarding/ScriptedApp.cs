using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.Edge.Tests.Forwarding;

/// <summary>An app that does with each of its connections exactly what a test says.</summary>
internal sealed class ScriptedApp : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly Func<AppConnection, Task> _script;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<AppConnection> _connections = [];
    private int _accepted;

    /// <param name="script">What it does with a connection.</param>
    /// <param name="socket">Path of the Unix socket where it listens; null: a port of loopback.</param>
    public ScriptedApp(Func<AppConnection, Task> script, string? socket = null)
    {
        _script = script;
        EndPoint endPoint = socket is null ? new IPEndPoint(IPAddress.Loopback, 0) : new UnixDomainSocketEndPoint(socket);
        _listener = new Socket(endPoint.AddressFamily, SocketType.Stream, socket is null ? ProtocolType.Tcp : ProtocolType.Unspecified);
        _listener.Bind(endPoint);
        _listener.Listen(512);
        _ = AcceptAsync();
    }

    /// <summary>Its port; 1 where it has none.</summary>
    public int Port => (_listener.LocalEndPoint as IPEndPoint)?.Port ?? 1;

    /// <summary>Connections accepted so far.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Answers each request with what <paramref name="answer"/> makes of its head and body.</summary>
    public static ScriptedApp Answering(Func<string, byte[], string> answer) => new(async connection =>
    {
        while (await connection.ReadRequestAsync() is var (head, body))
        {
            await connection.SendAsync(answer(head, body));
        }
    });

    /// <summary>Answers each request with 200 and a text.</summary>
    public static ScriptedApp Saying(string text) =>
        Answering((_, _) => $"HTTP/1.1 200 OK\r\nContent-Length: {text.Length}\r\n\r\n{text}");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        lock (_connections)
        {
            _connections.ForEach(connection => connection.Dispose());
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(_stop.Token);
                var connection = new AppConnection(socket, Interlocked.Increment(ref _accepted));
                lock (_connections)
                {
                    _connections.Add(connection);
                }

                _ = RunAsync(connection);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task RunAsync(AppConnection connection)
    {
        try
        {
            await _script(connection);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
        }

        connection.Dispose();
    }
}

/// <summary>One connection of a <see cref="ScriptedApp"/>.</summary>
internal sealed class AppConnection(Socket socket, int number) : RawConnection(socket)
{
    /// <summary>From 1, in the order of acceptance.</summary>
    public int Number { get; } = number;

    /// <summary>The next request; null at the end of the stream.</summary>
    public async Task<(string Head, byte[] Body)?> ReadRequestAsync()
    {
        var head = await ReadHeadAsync();
        return head.Length == 0 ? null : (head, await ReadBodyAsync(head));
    }
}

/// <summary>A socket with a buffer, speaking HTTP only as far as tests need to look at it.</summary>
internal class RawConnection(Socket socket) : IDisposable
{
    /// <summary>A connection to a port of this machine.</summary>
    public static async Task<RawConnection> OpenAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
        return new RawConnection(socket);
    }

    /// <summary>Sends on a connection of its own, and reads one response.</summary>
    public static async Task<(string Head, string Body)> AskAsync(int port, string request)
    {
        using var client = await OpenAsync(port);
        await client.SendAsync(request);
        return await client.ReadResponseAsync();
    }

    public static Task<(string Head, string Body)> GetAsync(int port, string path) => AskAsync(port, $"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n");

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);
    private readonly byte[] _chunk = new byte[64 * 1024];
    private readonly List<byte> _buffer = [];

    public Socket Socket { get; } = socket;

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(byte[] bytes)
    {
        for (var sent = 0; sent < bytes.Length;)
        {
            using var bound = new CancellationTokenSource(_patience);
            sent += await Socket.SendAsync(bytes.AsMemory(sent), bound.Token);
        }
    }

    /// <summary>Up to and including the empty line; empty at the end of the stream.</summary>
    public async Task<string> ReadHeadAsync()
    {
        while (true)
        {
            var end = CollectionsIndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                return Take(end + 4);
            }

            if (!await FillAsync())
            {
                return _buffer.Count == 0 ? "" : throw new IOException($"The stream ended within a head: {Take(_buffer.Count)}");
            }
        }
    }

    public async Task<byte[]> ReadBodyAsync(string head, bool untilEnd = false)
    {
        if (head.Contains("transfer-encoding: chunked", StringComparison.OrdinalIgnoreCase))
        {
            return await ReadChunkedAsync();
        }

        var at = head.IndexOf("content-length:", StringComparison.OrdinalIgnoreCase);
        if (at >= 0)
        {
            var value = head[(at + 15)..head.IndexOf('\r', at)];
            return await ReadExactlyAsync(int.Parse(value));
        }

        return untilEnd ? Encoding.Latin1.GetBytes(await ReadToEndAsync()) : [];
    }

    /// <summary>One response; the body is read by its framing.</summary>
    public async Task<(string Head, string Body)> ReadResponseAsync(bool bodiless = false)
    {
        var head = await ReadHeadAsync();
        return (head, bodiless ? "" : Encoding.Latin1.GetString(await ReadBodyAsync(head, untilEnd: head.Contains(" 200 ", StringComparison.Ordinal))));
    }

    /// <summary>Sends a byte now and then until there is an answer.</summary>
    public async Task<(string Head, string Body)> TrickleAsync()
    {
        var answer = ReadResponseAsync();
        while (!answer.IsCompleted)
        {
            await SendAsync("x");
            await Task.WhenAny(answer, Task.Delay(20));
        }

        return await answer;
    }

    public async Task<byte[]> ReadExactlyAsync(int length)
    {
        while (_buffer.Count < length)
        {
            if (!await FillAsync())
            {
                throw new IOException($"The stream ended after {_buffer.Count} of {length} bytes.");
            }
        }

        return Encoding.Latin1.GetBytes(Take(length));
    }

    public async Task<string> ReadAsync(int length) => Encoding.Latin1.GetString(await ReadExactlyAsync(length));

    public async Task<string> ReadToEndAsync()
    {
        while (await FillAsync())
        {
        }

        return Take(_buffer.Count);
    }

    /// <summary>Waits for the peer to end the connection: <c>closed</c> or <c>reset</c>, and nothing unread before it.</summary>
    public async Task<string> EndAsync()
    {
        try
        {
            var rest = await ReadToEndAsync();
            return rest.Length == 0 ? "closed" : rest;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return "reset";
        }
    }

    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Dispose();
    }

    public void Dispose() => Socket.Dispose();

    private async Task<byte[]> ReadChunkedAsync()
    {
        var body = new List<byte>();
        while (true)
        {
            var size = Convert.ToInt32((await ReadLineAsync()).Split(';')[0], 16);
            if (size == 0)
            {
                while ((await ReadLineAsync()).Length > 0)
                {
                }

                return [.. body];
            }

            body.AddRange(await ReadExactlyAsync(size));
            Assert.Equal("", await ReadLineAsync());
        }
    }

    public async Task<string> ReadLineAsync()
    {
        while (true)
        {
            var end = CollectionsIndexOf("\r\n"u8);
            if (end >= 0)
            {
                return Take(end + 2)[..^2];
            }

            if (!await FillAsync())
            {
                throw new IOException("The stream ended within a line.");
            }
        }
    }

    private async Task<bool> FillAsync()
    {
        using var bound = new CancellationTokenSource(_patience);
        var received = await Socket.ReceiveAsync(_chunk.AsMemory(), bound.Token);
        _buffer.AddRange(_chunk.AsSpan(0, received));
        return received > 0;
    }

    private int CollectionsIndexOf(ReadOnlySpan<byte> text) =>
        System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_buffer).IndexOf(text);

    private string Take(int length)
    {
        var text = Encoding.Latin1.GetString(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_buffer)[..length]);
        _buffer.RemoveRange(0, length);
        return text;
    }
}
