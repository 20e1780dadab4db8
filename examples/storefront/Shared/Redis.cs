using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Storefront;

/// <summary>As much of Redis's protocol as the shop needs; any Redis library does the same.</summary>
public sealed class Redis(string variable)
{
    private const int MostIdle = 32;
    private readonly Uri _url = new(Environment.GetEnvironmentVariable(variable) ?? throw new InvalidOperationException($"{variable} is not set."));
    private readonly ConcurrentBag<Connection> _idle = [];

    /// <summary>Sends a command and gives its answer: text, a number as text, null, or a list of these.</summary>
    public async Task<object?> DoAsync(CancellationToken cancellation, params string[] command)
    {
        if (!_idle.TryTake(out var connection))
        {
            connection = await Connection.OpenAsync(_url, cancellation);
        }

        try
        {
            var answer = await connection.DoAsync(command, cancellation);
            if (_idle.Count < MostIdle)
            {
                _idle.Add(connection);
                connection = null;
            }

            return answer;
        }
        catch (IOException) when (connection!.Kept)
        {
            // The server was replaced while the connection lay idle: every command of the shop may be sent again.
            connection.Dispose();
            connection = await Connection.OpenAsync(_url, cancellation);
            return await connection.DoAsync(command, cancellation);
        }
        finally
        {
            connection?.Dispose();
        }
    }

    private sealed class Connection(TcpClient client) : IDisposable
    {
        private readonly NetworkStream _stream = client.GetStream();
        private readonly byte[] _buffer = new byte[16 * 1024];
        private int _from, _to;

        /// <summary>True: it has answered before.</summary>
        public bool Kept { get; private set; }

        public static async Task<Connection> OpenAsync(Uri url, CancellationToken cancellation)
        {
            var client = new TcpClient { NoDelay = true };
            try
            {
                await client.ConnectAsync(url.Host, url.Port, cancellation);
                var connection = new Connection(client);
                if (url.UserInfo.Split(':', 2) is [var user, var password])
                {
                    await connection.DoAsync(["AUTH", Uri.UnescapeDataString(user), Uri.UnescapeDataString(password)], cancellation);
                }

                connection.Kept = false;
                return connection;
            }
            catch
            {
                client.Dispose();
                throw;
            }
        }

        public async Task<object?> DoAsync(string[] command, CancellationToken cancellation)
        {
            var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"*{command.Length}\r\n");
            foreach (var word in command)
            {
                text.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
            }

            await _stream.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), cancellation);
            var answer = await ReadAsync(cancellation);
            Kept = true;
            return answer;
        }

        public void Dispose() => client.Dispose();

        private async Task<object?> ReadAsync(CancellationToken cancellation)
        {
            var line = await LineAsync(cancellation);
            switch (line[0])
            {
                case '-':
                    throw new InvalidOperationException($"Redis: {line[1..]}");
                case '$' when line == "$-1":
                case '*' when line == "*-1":
                    return null;
                case '$':
                    var bytes = new byte[int.Parse(line[1..], CultureInfo.InvariantCulture) + 2];
                    for (var i = 0; i < bytes.Length; i++)
                    {
                        bytes[i] = await ByteAsync(cancellation);
                    }

                    return Encoding.UTF8.GetString(bytes, 0, bytes.Length - 2);
                case '*':
                    var items = new object?[int.Parse(line[1..], CultureInfo.InvariantCulture)];
                    for (var i = 0; i < items.Length; i++)
                    {
                        items[i] = await ReadAsync(cancellation);
                    }

                    return items;
                default:
                    return line[1..];
            }
        }

        private async Task<string> LineAsync(CancellationToken cancellation)
        {
            var line = new StringBuilder();
            for (byte next; (next = await ByteAsync(cancellation)) != '\n';)
            {
                line.Append((char)next);
            }

            return line.ToString().TrimEnd('\r');
        }

        private async ValueTask<byte> ByteAsync(CancellationToken cancellation)
        {
            if (_from == _to)
            {
                (_from, _to) = (0, await _stream.ReadAsync(_buffer, cancellation));
                if (_to == 0)
                {
                    throw new IOException("Redis closed the connection.");
                }
            }

            return _buffer[_from++];
        }
    }
}
