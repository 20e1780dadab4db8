using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.Bench;

/// <summary>How long it takes from the command to the first 200 through the edge.</summary>
internal static class FirstAnswer
{
    /// <summary>Seconds; the stack is up and healthy when this ends.</summary>
    public static async Task<double> OfUpAsync(BenchContext context, string folder, int port)
    {
        var clock = Stopwatch.StartNew();
        var up = BenchContext.RunAsync(Path.Combine(context.Root, "ashlar"), "up", "--detach", folder);
        while (!await Is200Async(port))
        {
            if (up.IsFaulted || clock.Elapsed > TimeSpan.FromMinutes(1))
            {
                await up;
                throw new InvalidOperationException("no answer within a minute");
            }
            await Task.Delay(5);
        }
        var seconds = clock.Elapsed.TotalSeconds;
        await up;
        return seconds;
    }

    private static async Task<bool> Is200Async(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port);
            await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray());
            var head = new byte[12];
            await client.GetStream().ReadExactlyAsync(head);
            return Encoding.ASCII.GetString(head) == "HTTP/1.1 200";
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }
}
