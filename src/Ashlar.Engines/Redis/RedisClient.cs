using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.Engines.Redis;

/// <summary>A client for what Ashlar itself asks Redis: one command after the other.</summary>
internal sealed class RedisClient : IDisposable
{
    private readonly EngineConnection _connection;

    private RedisClient(EngineConnection connection) => _connection = connection;

    /// <summary>Connects and says who it is.</summary>
    /// <exception cref="SocketException">Nothing listens there.</exception>
    /// <exception cref="RespException">It is no Redis, or does not know us.</exception>
    public static async Task<RedisClient> OpenAsync(string address, int port, string user, string password, CancellationToken cancellation)
    {
        var client = new RedisClient(await EngineConnection.OpenAsync(address, port, cancellation));
        try
        {
            var answer = await client.AskAsync(cancellation, "AUTH", user, password);
            return answer.Kind == RespKind.Error ? throw new RespException(answer.Text) : client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Asks; an error is an answer.</summary>
    public Task<RespValue> AskAsync(CancellationToken cancellation, params string[] command) =>
        _connection.AskAsync<RespValue>(Write(command), RespReader.TryRead, cancellation);

    /// <summary>What it says of itself.</summary>
    /// <exception cref="RespException">It says no.</exception>
    public async Task<RedisInfo> InfoAsync(CancellationToken cancellation) => await AskAsync(cancellation, "INFO") switch
    {
        { Kind: RespKind.Bulk } answer => RedisInfo.Parse(answer.Text),
        { Kind: RespKind.Error } answer => throw new RespException(answer.Text),
        _ => throw new RespException("INFO is answered by something else"),
    };

    /// <summary>A command as a list of bulks.</summary>
    internal static byte[] Write(params string[] command)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"*{command.Length}\r\n");
        foreach (var word in command)
        {
            text.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <inheritdoc />
    public void Dispose() => _connection.Dispose();
}
