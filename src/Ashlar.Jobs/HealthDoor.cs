using System.Net;
using System.Net.Sockets;

namespace Ashlar.Jobs;

/// <summary>Answers the agent, which asks whether this process is there: 200, whatever is asked.</summary>
internal sealed class HealthDoor : IAsyncDisposable
{
    private const int LongestQuestion = 8192;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly TcpListener _listener;
    private readonly Task _serving;

    private HealthDoor(TcpListener listener) => (_listener, _serving) = (listener, Task.Run(() => ServeAsync(listener)));

    public static HealthDoor Open(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        return new HealthDoor(listener);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
    }

    private static async Task ServeAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                _ = AnswerAsync(await listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private static async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                using var patience = new CancellationTokenSource(Patience);
                var stream = client.GetStream();
                var question = new byte[LongestQuestion];
                for (var length = 0; length < question.Length && question.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0;)
                {
                    var read = await stream.ReadAsync(question.AsMemory(length), patience.Token);
                    if (read == 0)
                    {
                        return;
                    }

                    length += read;
                }

                await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), patience.Token);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // It asks again.
            }
        }
    }
}
