using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Ashlar.Http.Tests.Wire;

/// <summary>What a program understood of a request.</summary>
internal sealed record Understood(string Method, string Target, string Host, int BodyLength, string BodyHash)
{
    public static Understood Of(string method, string target, string host, ReadOnlySpan<byte> body) =>
        new(method, target, host, body.Length, Convert.ToHexString(SHA256.HashData(body)));
}

/// <summary>
/// Stands behind nginx or HAProxy and reports, in a header of its answer, what they passed on. It reads HTTP with code of
/// its own, so that our parser is not asked to judge itself.
/// </summary>
internal sealed class EchoServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    public EchoServer()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Reads the report out of an answer's header.</summary>
    public static Understood Read(string report)
    {
        var parts = Encoding.Latin1.GetString(Convert.FromBase64String(report)).Split('\n');
        return new Understood(parts[0], parts[1], parts[2], int.Parse(parts[3], CultureInfo.InvariantCulture), parts[4]);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                _ = ServeAsync(client);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            var stream = client.GetStream();
            var input = new List<byte>();
            var block = new byte[16 * 1024];
            try
            {
                while (true)
                {
                    if (TryRead(input, out var understood))
                    {
                        var report = string.Join('\n', understood.Method, understood.Target, understood.Host, understood.BodyLength, understood.BodyHash);
                        await stream.WriteAsync(Encoding.ASCII.GetBytes(
                            $"HTTP/1.1 200 OK\r\nX-Report: {Convert.ToBase64String(Encoding.Latin1.GetBytes(report))}\r\nContent-Length: 0\r\n\r\n"));
                        continue;
                    }

                    var count = await stream.ReadAsync(block, _stop.Token);
                    if (count == 0)
                    {
                        return;
                    }

                    input.AddRange(block.AsSpan(0, count));
                }
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
            }
        }
    }

    /// <summary>Takes one complete request from the input.</summary>
    private static bool TryRead(List<byte> input, out Understood understood)
    {
        understood = null!;
        var text = Encoding.Latin1.GetString(input.ToArray());
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return false;
        }

        var lines = text[..end].Split("\r\n");
        var start = lines[0].Split(' ');
        var fields = lines.Skip(1).Select(line => line.Split(':', 2)).ToLookup(pair => pair[0], pair => pair[1].Trim(), StringComparer.OrdinalIgnoreCase);
        var rest = text[(end + 4)..];
        var body = new StringBuilder();
        var used = 0;
        if (fields["Transfer-Encoding"].Any())
        {
            while (true)
            {
                var line = rest.IndexOf("\r\n", used, StringComparison.Ordinal);
                if (line < 0)
                {
                    return false;
                }

                var size = int.Parse(rest[used..line].Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                if (size == 0)
                {
                    var last = rest.IndexOf("\r\n\r\n", line, StringComparison.Ordinal);
                    if (last < 0)
                    {
                        return false;
                    }

                    used = last + 4;
                    break;
                }

                used = line + 2 + size + 2;
                if (used > rest.Length)
                {
                    return false;
                }

                body.Append(rest, line + 2, size);
            }
        }
        else if (fields["Content-Length"].FirstOrDefault() is { } length)
        {
            used = int.Parse(length, CultureInfo.InvariantCulture);
            if (used > rest.Length)
            {
                return false;
            }

            body.Append(rest, 0, used);
        }

        input.RemoveRange(0, end + 4 + used);

        // What the peer itself says it understood, where it says so; else what it passed on.
        understood = Understood.Of(
            fields["X-Peer-Method"].FirstOrDefault() ?? start[0],
            fields["X-Peer-Target"].FirstOrDefault() ?? start[1],
            fields["X-Peer-Host"].FirstOrDefault() ?? "",
            Encoding.Latin1.GetBytes(body.ToString()));
        return true;
    }
}
