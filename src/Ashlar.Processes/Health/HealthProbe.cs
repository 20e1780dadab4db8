using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.Processes;

/// <summary>What is asked of an instance, and what answer is good.</summary>
public sealed record HealthQuestion
{
    /// <summary>Where it listens.</summary>
    public required EndPoint Endpoint { get; init; }

    /// <summary>True: that it accepts a connection is answer enough.</summary>
    public bool ConnectOnly { get; init; }

    /// <summary>Path asked, with its query.</summary>
    public string Path { get; init; } = "/";

    /// <summary>Host header. Some frameworks refuse hosts that they do not know.</summary>
    public string Host { get; init; } = "localhost";

    /// <summary>Lowest good status.</summary>
    public int FirstStatus { get; init; } = 200;

    /// <summary>Highest good status.</summary>
    public int LastStatus { get; init; } = 399;

    /// <summary>Time for connect, question and answer together.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>An answer.</summary>
/// <param name="Good">True: as expected.</param>
/// <param name="Status">Status of the response; 0: there was none.</param>
/// <param name="Text">For people: <c>status 503</c>, <c>connection refused</c>, <c>no answer within 5 s</c>.</param>
/// <param name="Took">Time until the status was known.</param>
public sealed record HealthAnswer(bool Good, int Status, string Text, TimeSpan Took);

/// <summary>How an instance answers.</summary>
/// <param name="Name">The protocol's name, for people.</param>
/// <param name="ReadStatusAsync">Reads the status of the answer; 0: it is none of this protocol. A <see cref="SocketException"/> is an answer, too.</param>
/// <param name="TakeRestAsync">Takes the rest, so that an app which is still writing meets no reset; but not for ever.</param>
public sealed record HealthProtocol(string Name, Func<Socket, CancellationToken, Task<int>> ReadStatusAsync, Func<Socket, CancellationToken, Task> TakeRestAsync);

/// <summary>Asks an instance for its health: one HTTP/1.1 GET on a connection of its own, with bounded reading.</summary>
public static class HealthProbe
{
    private const int HeadLimit = 16 * 1024;
    private const int BodyLimit = 64 * 1024;

    /// <summary>Asks once. Every failure is an answer; only cancellation throws.</summary>
    public static Task<HealthAnswer> AskAsync(HealthQuestion question, TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        var request = Encoding.ASCII.GetBytes(
            $"GET {question.Path} HTTP/1.1\r\nHost: {question.Host}\r\nUser-Agent: Ashlar-Health/1\r\nAccept: */*\r\nConnection: close\r\n\r\n");
        return AskAsync(question, request, new HealthProtocol("HTTP", ReadStatusAsync, DrainAsync), time, cancellationToken);
    }

    /// <summary>The same in another protocol.</summary>
    /// <param name="question">What is asked.</param>
    /// <param name="request">The question in the protocol's words.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="time">The clock of the timeout.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<HealthAnswer> AskAsync(HealthQuestion question, ReadOnlyMemory<byte> request, HealthProtocol protocol,
        TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        time ??= TimeProvider.System;
        var began = time.GetTimestamp();
        using var patience = new CancellationTokenSource(question.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        using var socket = SocketFor(question.Endpoint);
        try
        {
            await socket.ConnectAsync(question.Endpoint, both.Token);
            if (question.ConnectOnly)
                return new HealthAnswer(true, 0, "accepts connections", time.GetElapsedTime(began));
            for (var sent = 0; sent < request.Length;)
                sent += await socket.SendAsync(request[sent..], both.Token);
            var status = await protocol.ReadStatusAsync(socket, both.Token);
            var took = time.GetElapsedTime(began);
            if (status == 0)
                return new HealthAnswer(false, 0, $"what it answered is not {protocol.Name}", took);
            await TakeRestAsync(socket, protocol, both.Token);
            var good = status >= question.FirstStatus && status <= question.LastStatus;
            return new HealthAnswer(good, status, $"status {status.ToString(CultureInfo.InvariantCulture)}", took);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Failed(string.Create(CultureInfo.InvariantCulture, $"no answer within {question.Timeout.TotalSeconds:0.###} s"));
        }
        catch (SocketException e)
        {
            return Failed(e.SocketErrorCode switch
            {
                SocketError.ConnectionRefused => "connection refused",
                _ when question.Endpoint is UnixDomainSocketEndPoint && !File.Exists(question.Endpoint.ToString()) => "its socket is not there",
                SocketError.ConnectionReset or SocketError.Shutdown => "connection closed without an answer",
                _ => e.Message,
            });
        }

        HealthAnswer Failed(string text) => new(false, 0, text, time.GetElapsedTime(began));
    }

    private static Socket SocketFor(EndPoint endpoint) => endpoint is UnixDomainSocketEndPoint
        ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        : new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    /// <summary>The final status (1xx are passed over); 0 if this is no HTTP.</summary>
    private static async Task<int> ReadStatusAsync(Socket socket, CancellationToken cancellationToken)
    {
        var head = new byte[HeadLimit];
        var length = 0;
        var start = 0;
        while (true)
        {
            while (ParseStatus(head.AsSpan(start, length - start), out var status, out var size))
            {
                if (status is 0 or >= 200)
                    return status;
                if (size == 0)
                    break; // The head of a 1xx is not complete yet.
                start += size;
            }
            if (length == head.Length)
                return 0;
            var count = await socket.ReceiveAsync(head.AsMemory(length), cancellationToken);
            if (count == 0)
                return length == 0 ? throw new SocketException((int)SocketError.ConnectionReset) : 0;
            length += count;
        }
    }

    /// <summary>False: more bytes are needed. Status 0: not HTTP. Size: bytes of the head with its empty line, 0 if it goes on.</summary>
    private static bool ParseStatus(ReadOnlySpan<byte> head, out int status, out int size)
    {
        (status, size) = (0, 0);
        var wanted = "HTTP/1."u8;
        if (!head[..Math.Min(head.Length, wanted.Length)].SequenceEqual(wanted[..Math.Min(head.Length, wanted.Length)]))
            return true;
        if (head.Length < 13)
            return false;
        if (head[8] != ' ' || !int.TryParse(head[9..12], NumberStyles.None, CultureInfo.InvariantCulture, out status)
            || status < 100 || head[12] is not ((byte)' ' or (byte)'\r' or (byte)'\n'))
            status = 0;
        var end = head.IndexOf("\r\n\r\n"u8);
        size = end < 0 ? 0 : end + 4;
        return true;
    }

    private static async Task TakeRestAsync(Socket socket, HealthProtocol protocol, CancellationToken cancellationToken)
    {
        try
        {
            await protocol.TakeRestAsync(socket, cancellationToken);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // The status has been seen: how the body ends changes nothing.
        }
    }

    private static async Task DrainAsync(Socket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        for (var left = BodyLimit; left > 0;)
        {
            var count = await socket.ReceiveAsync(buffer, cancellationToken);
            if (count == 0)
                return;
            left -= count;
        }
    }
}
