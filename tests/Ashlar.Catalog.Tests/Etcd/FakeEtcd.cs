using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ashlar.Catalog.Etcd;

namespace Ashlar.Catalog.Tests.Etcd;

/// <summary>A server that answers as etcd should not: for each request, in its order, what the test says.</summary>
internal sealed class FakeEtcd : IAsyncDisposable
{
    private const string Header = "\"header\":{\"cluster_id\":\"7\",\"member_id\":\"1\",\"revision\":\"REVISION\",\"raft_term\":\"2\"}";
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _end = new();
    private readonly Func<int, Stream, Task> _answer;
    private readonly Task _accepting;
    private int _count;

    /// <param name="answer">Answers request number n, counted from 0, on its connection, which is closed thereafter.</param>
    public FakeEtcd(Func<int, Stream, Task> answer)
    {
        _answer = answer;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    /// <summary>Each request's path and body.</summary>
    public ConcurrentQueue<(string Path, string Body)> Requests { get; } = [];

    public EtcdOptions Options => new()
    {
        Endpoints = [new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}"))],
    };

    /// <summary>Options of a client that soon gives up.</summary>
    public EtcdOptions Impatient => Options with { AttemptLimit = TimeSpan.FromMilliseconds(300), TotalLimit = TimeSpan.FromMilliseconds(700) };

    /// <summary>An object with etcd's header and these members.</summary>
    public static string Object(long revision, string members = "") => string.Create(CultureInfo.InvariantCulture,
        $"{{{Header.Replace("REVISION", $"{revision}", StringComparison.Ordinal)}{(members.Length > 0 ? "," : "")}{members}}}");

    /// <summary>A line of a stream.</summary>
    public static string Line(long revision, string members = "") => $"{{\"result\":{Object(revision, members)}}}\n";

    /// <summary>A change in a line of a watch.</summary>
    public static string Change(string key, long revision, string value) => string.Create(CultureInfo.InvariantCulture,
        $"{{\"kv\":{{\"key\":\"{Convert.ToBase64String(TestText.Bytes(key))}\",\"mod_revision\":\"{revision}\",\"value\":\"{Convert.ToBase64String(TestText.Bytes(value))}\"}}}}");

    public static async Task SendAsync(Stream stream, int status, string body, string more = "") => await stream.WriteAsync(Encoding.UTF8.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} X\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{more}Connection: close\r\n\r\n{body}")));

    /// <summary>Lines whose end only the closed connection tells.</summary>
    public static async Task StreamAsync(Stream stream, params string[] lines) => await stream.WriteAsync(Encoding.UTF8.GetBytes(
        $"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{string.Concat(lines)}"));

    /// <summary>Says nothing until the client gives up.</summary>
    public static async Task HangAsync(Stream stream)
    {
        var buffer = new byte[100];
        while (await stream.ReadAsync(buffer) > 0)
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptAsync(_end.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var abort = _end.Token.Register(socket.Dispose);
        try
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            var (text, buffer) = (new StringBuilder(), new byte[64 << 10]);
            while (Split(text.ToString()) is not { } whole)
            {
                var read = await stream.ReadAsync(buffer);
                if (read == 0)
                {
                    return;
                }

                text.Append(Encoding.UTF8.GetString(buffer, 0, read));
            }

            Requests.Enqueue(Split(text.ToString())!.Value);
            await _answer(Interlocked.Increment(ref _count) - 1, stream);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException)
        {
            // The client has gone, or the test has ended.
        }
    }

    private static (string Path, string Body)? Split(string text)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return null;
        }

        const string name = "Content-Length: ";
        var at = text.IndexOf(name, StringComparison.OrdinalIgnoreCase) + name.Length;
        var length = int.Parse(text[at..text.IndexOf('\r', at)], CultureInfo.InvariantCulture);
        var body = text[(end + 4)..];
        return body.Length >= length ? (text.Split(' ')[1], body) : null;
    }
}
