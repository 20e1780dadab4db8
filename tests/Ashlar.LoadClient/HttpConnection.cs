using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.LoadClient;

/// <summary>An answer as it stood on the wire.</summary>
internal sealed record Answer(int Status, string Head, byte[] Body);

/// <summary>
/// A plain HTTP/1.1 client connection that hides nothing: no retry, no pool. A connection that ends is opened again only when
/// the answer before said so, or when it was seen closed before the next request was sent.
/// </summary>
internal sealed class HttpConnection(EndPoint server) : IDisposable
{
    private readonly byte[] _buffer = new byte[32 * 1024];
    private Socket? _socket;
    private int _start;
    private int _end;

    public async Task<Socket> OpenAsync(CancellationToken cancellation)
    {
        if (_socket is { } open && !(open.Poll(0, SelectMode.SelectRead) && open.Available == 0))
        {
            return open;
        }
        Close();
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server, cancellation);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        return _socket = socket;
    }

    public async Task<Answer> AskAsync(ReadOnlyMemory<byte> request, CancellationToken cancellation)
    {
        var socket = await OpenAsync(cancellation);
        await SendAsync(socket, request, cancellation);
        return await ReadAnswerAsync(socket, cancellation);
    }

    public static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes, cancellation)..];
        }
    }

    public async Task<Answer> ReadAnswerAsync(Socket socket, CancellationToken cancellation)
    {
        var (status, head) = await ReadHeadAsync(socket, cancellation);
        byte[] body;
        if (Header(head, "transfer-encoding") is not null)
        {
            using var whole = new MemoryStream();
            while (await ReadChunkAsync(socket, cancellation) is { } chunk)
            {
                whole.Write(chunk);
            }
            body = whole.ToArray();
        }
        else
        {
            body = await ReadExactlyAsync(socket, int.Parse(Header(head, "content-length") ?? throw new InvalidDataException($"answer {status} without framing")), cancellation);
        }
        if (Header(head, "connection")?.Contains("close", StringComparison.OrdinalIgnoreCase) == true)
        {
            Close();
        }
        return new Answer(status, head, body);
    }

    public async Task<(int Status, string Head)> ReadHeadAsync(Socket socket, CancellationToken cancellation)
    {
        while (true)
        {
            var at = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n\r\n"u8);
            if (at >= 0)
            {
                var head = Encoding.Latin1.GetString(_buffer, _start, at + 2);
                _start += at + 4;
                return (int.Parse(head.AsSpan(9, 3)), head);
            }
            await FillAsync(socket, _start == _end ? "closed without an answer" : "closed within the head", cancellation);
        }
    }

    /// <summary>The next chunk's data, null at the proper end.</summary>
    public async Task<byte[]?> ReadChunkAsync(Socket socket, CancellationToken cancellation)
    {
        var size = Convert.ToInt32(await ReadLineAsync(socket, cancellation), 16);
        var data = await ReadExactlyAsync(socket, size, cancellation);
        if (await ReadLineAsync(socket, cancellation) is { Length: > 0 } line)
        {
            throw new InvalidDataException($"chunk followed by '{line}'");
        }
        return size == 0 ? null : data;
    }

    private async Task<string> ReadLineAsync(Socket socket, CancellationToken cancellation)
    {
        while (true)
        {
            var at = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8);
            if (at >= 0)
            {
                var line = Encoding.Latin1.GetString(_buffer, _start, at);
                _start += at + 2;
                return line;
            }
            await FillAsync(socket, "closed within the body", cancellation);
        }
    }

    private async Task<byte[]> ReadExactlyAsync(Socket socket, int count, CancellationToken cancellation)
    {
        var body = new byte[count];
        for (var have = 0; have < count;)
        {
            if (_start == _end)
            {
                await FillAsync(socket, "closed within the body", cancellation);
            }
            var take = Math.Min(count - have, _end - _start);
            _buffer.AsSpan(_start, take).CopyTo(body.AsSpan(have));
            _start += take;
            have += take;
        }
        return body;
    }

    private async Task FillAsync(Socket socket, string ifClosed, CancellationToken cancellation)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        var read = await socket.ReceiveAsync(_buffer.AsMemory(_end), cancellation);
        _end += read > 0 ? read : throw new InvalidDataException(ifClosed);
    }

    public static string? Header(string head, string name)
    {
        foreach (var range in head.AsSpan().Split("\r\n"))
        {
            var line = head.AsSpan()[range];
            if (line.Length > name.Length && line[name.Length] == ':' && line.StartsWith(name, StringComparison.OrdinalIgnoreCase))
            {
                return line[(name.Length + 1)..].Trim().ToString();
            }
        }
        return null;
    }

    public void Close()
    {
        _socket?.Dispose();
        _socket = null;
        _start = _end = 0;
    }

    public void Dispose() => Close();
}
