using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Storefront;

/// <summary>As much of Memcached's protocol as the shop needs. What it cannot answer is a miss: it is only a cache.</summary>
public sealed class Memcached
{
    private const int MostIdle = 32;
    private readonly string[] _server = (Environment.GetEnvironmentVariable("MEMCACHED_SERVERS")
        ?? throw new InvalidOperationException("MEMCACHED_SERVERS is not set.")).Split(',')[0].Split(':');
    private readonly ConcurrentBag<TcpClient> _idle = [];

    public Task<string?> GetAsync(string key, CancellationToken cancellation) => UseAsync(async stream =>
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"get {key}\r\n"), cancellation);
        var head = await LineAsync(stream, cancellation);
        if (!head.StartsWith("VALUE ", StringComparison.Ordinal))
        {
            return null;
        }

        var value = new byte[int.Parse(head.Split(' ')[3], CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(value, cancellation);
        await LineAsync(stream, cancellation);
        await LineAsync(stream, cancellation);
        return Encoding.UTF8.GetString(value);
    }, cancellation);

    public Task SetAsync(string key, string value, TimeSpan life, CancellationToken cancellation) => UseAsync(async stream =>
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        await stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes($"set {key} 0 {(int)life.TotalSeconds} {bytes.Length}\r\n"), .. bytes, 13, 10], cancellation);
        return await LineAsync(stream, cancellation);
    }, cancellation);

    private async Task<string?> UseAsync(Func<NetworkStream, Task<string?>> use, CancellationToken cancellation)
    {
        try
        {
            if (!_idle.TryTake(out var client))
            {
                client = new TcpClient { NoDelay = true };
                await client.ConnectAsync(_server[0], int.Parse(_server[1], CultureInfo.InvariantCulture), cancellation);
            }

            var answer = await use(client.GetStream());
            if (_idle.Count < MostIdle)
            {
                _idle.Add(client);
            }
            else
            {
                client.Dispose();
            }

            return answer;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return null;
        }
    }

    private static async Task<string> LineAsync(NetworkStream stream, CancellationToken cancellation)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await stream.ReadAsync(one, cancellation) == 1 && one[0] != '\n')
        {
            line.Append((char)one[0]);
        }

        return line.ToString().TrimEnd('\r');
    }
}
