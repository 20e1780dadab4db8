using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;

namespace Ashlar.TestApp;

/// <summary>One HTTP/1.1 connection of the test app: requests in order, kept alive.</summary>
internal sealed class AppConnection(NetworkStream stream, string name, JobLog jobs, CancellationToken stopping)
{
    private readonly byte[] _buffer = new byte[128 * 1024];
    private int _start;
    private int _end;

    public async Task RunAsync()
    {
        while (await ReadHeadAsync() is { } head)
        {
            var lines = head.Split("\r\n");
            var request = lines[0].Split(' ');
            var headers = Headers(lines.AsSpan(1));
            var target = request[1].Split('?', 2);
            var query = target.Length < 2 ? [] : target[1].Split('&').Select(p => p.Split('=', 2)).ToDictionary(p => p[0], p => p.Length > 1 ? p[1] : "");
            int Number(string key, int otherwise) => query.TryGetValue(key, out var text) ? int.Parse(text) : otherwise;

            switch (target[0])
            {
                case "/events":
                    await EventsAsync(Number("n", 10), Number("ms", 20));
                    break;
                case "/ws" when headers.ContainsKey("sec-websocket-key"):
                    await WebSocketAsync(headers["sec-websocket-key"]);
                    return;
                case "/sum":
                    await AnswerAsync(await SumAsync(headers));
                    break;
                case "/bytes":
                    await BytesAsync(Number("n", 1024));
                    break;
                case "/slow":
                    await Task.Delay(Number("ms", 100));
                    await AnswerAsync($"slow {name}\n");
                    break;
                case "/spin":
                    await AnswerAsync($"{Spin(Number("us", 1000))}\n");
                    break;
                case "/env":
                    await AnswerAsync((Environment.GetEnvironmentVariable(query["name"]) ?? "") + "\n");
                    break;
                case "/job":
                    await JobAsync(int.Parse(headers["content-length"]));
                    break;
                case "/jobs":
                    await AnswerAsync(jobs.Tell());
                    break;
                case "/jobs/clear":
                    jobs.Clear();
                    await AnswerAsync("cleared\n");
                    break;
                case "/crash":
                    Environment.Exit(Number("code", 1));
                    break;
                default:
                    await DiscardAsync(headers);
                    await AnswerAsync($"hello {query.GetValueOrDefault("n", "")} from {name}\n");
                    break;
            }
            if (headers.TryGetValue("connection", out var connection) && connection.Contains("close", StringComparison.OrdinalIgnoreCase))
            {
                return;
            }
        }
    }

    private static Dictionary<string, string> Headers(ReadOnlySpan<string> lines)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines)
        {
            if (line.Length > 0)
            {
                var colon = line.IndexOf(':');
                var (name, value) = (line[..colon], line[(colon + 1)..].Trim());
                headers[name] = headers.TryGetValue(name, out var before) ? $"{before}, {value}" : value;
            }
        }
        return headers;
    }

    private async Task<string?> ReadHeadAsync()
    {
        while (true)
        {
            var at = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n\r\n"u8);
            if (at >= 0)
            {
                var head = Encoding.Latin1.GetString(_buffer, _start, at);
                _start += at + 4;
                return head;
            }
            if (_start == _end && stopping.IsCancellationRequested)
            {
                return null;
            }
            if (!await FillAsync(_start == _end ? stopping : CancellationToken.None))
            {
                return null;
            }
        }
    }

    private async Task<bool> FillAsync(CancellationToken cancellation = default)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        if (_end == _buffer.Length)
        {
            throw new FormatException("head too large");
        }
        var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellation);
        _end += read;
        return read > 0;
    }

    private async Task AnswerAsync(string body)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(
            $"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-App: {name}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}"));
    }

    private async Task BytesAsync(int count)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {count}\r\n\r\n"));
        var block = new byte[Math.Min(count, 64 * 1024)];
        for (var sent = 0; sent < count; sent += block.Length)
        {
            for (var i = 0; i < block.Length; i++)
            {
                block[i] = (byte)((sent + i) % 251);
            }
            await stream.WriteAsync(block.AsMemory(0, Math.Min(block.Length, count - sent)));
        }
    }

    private async Task EventsAsync(int count, int pause)
    {
        await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray());
        for (var i = 1; i <= count; i++)
        {
            var text = $"id: {i}\ndata: {name}\n\n";
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"{text.Length:x}\r\n{text}\r\n"));
            await Task.Delay(pause);
        }
        await stream.WriteAsync("0\r\n\r\n"u8.ToArray());
    }

    private async Task WebSocketAsync(string key)
    {
#pragma warning disable CA5350 // RFC 6455 asks for SHA-1
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"));
        using var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true });
        var buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer, CancellationToken.None) is { MessageType: not WebSocketMessageType.Close } message)
        {
            await socket.SendAsync(buffer.AsMemory(0, message.Count), message.MessageType, message.EndOfMessage, CancellationToken.None);
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
    }

    private async Task<string> SumAsync(Dictionary<string, string> headers)
    {
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var length = 0L;
        if (headers.TryGetValue("transfer-encoding", out var coding) && coding.EndsWith("chunked", StringComparison.OrdinalIgnoreCase))
        {
            while (await ReadLineAsync() is var size && Convert.ToInt32(size.Split(';')[0].Trim(), 16) is > 0 and var chunk)
            {
                length += await TakeAsync(chunk, sum);
                await ReadLineAsync();
            }
            while (await ReadLineAsync() is { Length: > 0 })
            {
            }
        }
        else if (headers.TryGetValue("content-length", out var text))
        {
            length = await TakeAsync(long.Parse(text), sum);
        }
        return $"{length} {Convert.ToHexStringLower(sum.GetHashAndReset())}\n";
    }

    private async Task JobAsync(int length)
    {
        var payload = new byte[length];
        for (var have = 0; have < length;)
        {
            if (_start == _end && !await FillAsync())
            {
                throw new IOException("body cut short");
            }
            var take = Math.Min(length - have, _end - _start);
            _buffer.AsSpan(_start, take).CopyTo(payload.AsSpan(have));
            (_start, have) = (_start + take, have + take);
        }
        jobs.Begin(payload);
        jobs.End();
        await AnswerAsync("done\n");
    }

    private async Task DiscardAsync(Dictionary<string, string> headers)
    {
        if (headers.ContainsKey("content-length") || headers.ContainsKey("transfer-encoding"))
        {
            await SumAsync(headers);
        }
    }

    private async Task<long> TakeAsync(long count, IncrementalHash sum)
    {
        for (var left = count; left > 0;)
        {
            if (_start == _end && !await FillAsync())
            {
                throw new IOException("body cut short");
            }
            var take = (int)Math.Min(left, _end - _start);
            sum.AppendData(_buffer, _start, take);
            _start += take;
            left -= take;
        }
        return count;
    }

    private async Task<string> ReadLineAsync()
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
            if (!await FillAsync())
            {
                throw new IOException("body cut short");
            }
        }
    }

    /// <summary>Burns CPU time of this thread: the work of a CPU-bound service, the same at every speed of the clock.</summary>
    private static ulong Spin(int rounds)
    {
        var x = 88172645463325252UL;
        for (var i = 0; i < rounds * 300L; i++)
        {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }
        return x;
    }
}
