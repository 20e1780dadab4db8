using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;

namespace Ashlar.LoadClient;

/// <summary>
/// Sends a steady mix of requests and checks every answer to the byte. Nothing is retried: refused, reset, truncated, late (20 s)
/// or other than expected is a failure.
/// </summary>
public sealed class LoadRunner(IPEndPoint server, LoadMix mix, string host = "127.0.0.1")
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<string, long> _good = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private long _failed;
    private long _serial;

    /// <summary>Good exchanges so far.</summary>
    public long Completed => _good.Values.Sum();

    /// <summary>Failures so far.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Runs until <paramref name="stop"/> is cancelled; then lets what is under way finish.</summary>
    public async Task<LoadReport> RunAsync(CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var workers = new List<Task>();
        var body = RandomNumberGenerator.GetBytes(64 * 1024);
        var sum = $"{body.Length} {Convert.ToHexStringLower(SHA256.HashData(body))}\n";
        var posts = Posts(body);
        Add(mix.GetConnections, mix.Gets, "get", connection => GetAsync(connection, close: false));
        Add(Math.Min(32, mix.NewConnections), mix.NewConnections, "new", connection => GetAsync(connection, close: true));
        Add(Math.Min(8, mix.Posts), mix.Posts, "post", connection => PostAsync(connection, posts[(int)(Interlocked.Increment(ref _serial) % 2)], sum));
        Add(mix.EventStreams, mix.EventStreams * 4, "events", EventsAsync);
        Add(mix.WebSockets, mix.WebSockets * 4, "websocket", WebSocketAsync);
        await Task.WhenAll(workers);
        return new LoadReport(clock.Elapsed, _good.ToDictionary(), [.. _failures], _failed);

        void Add(int count, int rate, string kind, Func<HttpConnection, Task> exchange)
        {
            for (var i = 0; i < count; i++)
            {
                var offset = (double)i / count;
                workers.Add(Task.Run(() => WorkAsync(kind, (double)rate / count, offset, exchange, stop), CancellationToken.None));
            }
        }
    }

    /// <summary>Keeps to its rate: what an operation of the stack delays is caught up with, not left out.</summary>
    private async Task WorkAsync(string kind, double rate, double offset, Func<HttpConnection, Task> exchange, CancellationToken stop)
    {
        using var connection = new HttpConnection(server);
        var clock = Stopwatch.StartNew();
        for (var done = offset; !stop.IsCancellationRequested; done++)
        {
            var early = TimeSpan.FromSeconds(done / rate) - clock.Elapsed;
            if (early > TimeSpan.FromMilliseconds(1))
            {
                try
                {
                    await Task.Delay(early, stop);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
            try
            {
                await exchange(connection).WaitAsync(s_patience, CancellationToken.None);
                _good.AddOrUpdate(kind, 1, static (_, n) => n + 1);
            }
            catch (Exception e) when (e is SocketException or IOException or InvalidDataException or WebSocketException or TimeoutException or FormatException)
            {
                connection.Close();
                if (Interlocked.Increment(ref _failed) <= 1000)
                {
                    _failures.Enqueue($"{kind}: {(e is SocketException s ? s.SocketErrorCode.ToString() : e.Message)}");
                }
            }
        }
    }

    private async Task GetAsync(HttpConnection connection, bool close)
    {
        var n = Interlocked.Increment(ref _serial);
        if (close)
        {
            connection.Close();
        }
        var answer = await connection.AskAsync(Encoding.ASCII.GetBytes(
            $"GET /hello?n={n} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: load\r\nAccept: */*\r\n{(close ? "Connection: close\r\n" : "")}\r\n"), CancellationToken.None);
        var text = Encoding.UTF8.GetString(answer.Body);
        Expect(answer.Status == 200 && text.StartsWith($"hello {n} from ", StringComparison.Ordinal) && text.EndsWith('\n'), answer);
    }

    private static async Task PostAsync(HttpConnection connection, byte[] request, string sum)
    {
        var answer = await connection.AskAsync(request, CancellationToken.None);
        Expect(answer.Status == 200 && Encoding.UTF8.GetString(answer.Body) == sum, answer);
    }

    private async Task EventsAsync(HttpConnection connection)
    {
        var socket = await connection.OpenAsync(CancellationToken.None);
        await HttpConnection.SendAsync(socket, Encoding.ASCII.GetBytes($"GET /events?n=10&ms=10 HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n"), CancellationToken.None);
        var answer = await connection.ReadAnswerAsync(socket, CancellationToken.None);
        var text = Encoding.UTF8.GetString(answer.Body);
        var ids = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(e => e.Split('\n')[0]);
        Expect(answer.Status == 200 && ids.SequenceEqual(Enumerable.Range(1, 10).Select(i => $"id: {i}")), answer);
    }

    private async Task WebSocketAsync(HttpConnection connection)
    {
        connection.Close();
        var socket = await connection.OpenAsync(CancellationToken.None);
        await HttpConnection.SendAsync(socket, Encoding.ASCII.GetBytes(
            $"GET /ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"), CancellationToken.None);
        var (status, head) = await connection.ReadHeadAsync(socket, CancellationToken.None);
        Expect(status == 101 && HttpConnection.Header(head, "sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", new Answer(status, head, []));
        using var stream = new NetworkStream(socket, ownsSocket: false);
        using var webSocket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions());
        var buffer = new byte[256];
        for (var i = 0; i < 10; i++)
        {
            var text = Encoding.ASCII.GetBytes($"message {i} {Interlocked.Increment(ref _serial)}");
            await webSocket.SendAsync(text, WebSocketMessageType.Text, true, CancellationToken.None);
            var echo = await webSocket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
            if (!buffer.AsSpan(0, echo.Count).SequenceEqual(text))
            {
                throw new InvalidDataException("the echo is not what was sent");
            }
            await Task.Delay(10);
        }
        await webSocket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        connection.Close();
    }

    private byte[][] Posts(byte[] body)
    {
        using var chunked = new MemoryStream();
        chunked.Write(Encoding.ASCII.GetBytes($"POST /sum HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"));
        for (var at = 0; at < body.Length; at += 10_000)
        {
            var size = Math.Min(10_000, body.Length - at);
            chunked.Write(Encoding.ASCII.GetBytes($"{size:x}\r\n"));
            chunked.Write(body, at, size);
            chunked.Write("\r\n"u8);
        }
        chunked.Write("0\r\n\r\n"u8);
        return [[.. Encoding.ASCII.GetBytes($"POST /sum HTTP/1.1\r\nHost: {host}\r\nContent-Length: {body.Length}\r\n\r\n"), .. body], chunked.ToArray()];
    }

    private static void Expect(bool expected, Answer answer)
    {
        if (!expected)
        {
            var body = Encoding.UTF8.GetString(answer.Body);
            throw new InvalidDataException($"unexpected answer {answer.Status} {(body.Length > 120 ? body[..120] : body).ReplaceLineEndings(" ")}");
        }
    }
}
