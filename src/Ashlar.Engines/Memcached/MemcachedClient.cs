using System.Collections.Immutable;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.Engines.Memcached;

/// <summary>What was received is not Memcached's text protocol, or larger than we take.</summary>
internal sealed class MemcachedException(string message) : Exception(message);

/// <summary>A client for what Ashlar itself asks Memcached by its text protocol (protocol.txt of its source).</summary>
internal sealed class MemcachedClient : IDisposable
{
    /// <summary>Longest answer that is read.</summary>
    public const int Largest = 64 << 10;

    private readonly EngineConnection _connection;

    private MemcachedClient(EngineConnection connection) => _connection = connection;

    /// <summary>Connects.</summary>
    /// <exception cref="SocketException">Nothing listens there.</exception>
    public static async Task<MemcachedClient> OpenAsync(string address, int port, CancellationToken cancellation) =>
        new(await EngineConnection.OpenAsync(address, port, cancellation));

    /// <summary>Its version.</summary>
    /// <exception cref="MemcachedException">It is no Memcached.</exception>
    public Task<string> VersionAsync(CancellationToken cancellation) => _connection.AskAsync<string>("version\r\n"u8.ToArray(), TryReadVersion, cancellation);

    /// <summary>Its figures by name.</summary>
    /// <exception cref="MemcachedException">It is no Memcached.</exception>
    public Task<ImmutableDictionary<string, string>> StatsAsync(CancellationToken cancellation) =>
        _connection.AskAsync<ImmutableDictionary<string, string>>("stats\r\n"u8.ToArray(), TryReadStats, cancellation);

    /// <summary>Reads <c>VERSION 1.6.18</c>. False: more bytes are needed.</summary>
    internal static bool TryReadVersion(ReadOnlySpan<byte> bytes, out string version, out int consumed)
    {
        version = "";
        if (!TryReadLine(bytes, 0, out var line, out consumed))
        {
            return false;
        }

        version = line.StartsWith("VERSION ", StringComparison.Ordinal) ? line[8..] : throw new MemcachedException("it does not tell its version");
        return true;
    }

    /// <summary>Reads <c>STAT name value</c> lines up to <c>END</c>. False: more bytes are needed.</summary>
    internal static bool TryReadStats(ReadOnlySpan<byte> bytes, out ImmutableDictionary<string, string> stats, out int consumed)
    {
        var found = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        (stats, consumed) = (ImmutableDictionary<string, string>.Empty, 0);
        var at = 0;
        while (TryReadLine(bytes, at, out var line, out var end))
        {
            at = end;
            if (line == "END")
            {
                (stats, consumed) = (found.ToImmutable(), at);
                return true;
            }

            var words = line.Split(' ', 3);
            if (words is not ["STAT", var name, var value])
            {
                throw new MemcachedException("it does not tell its figures");
            }

            found[name] = value;
        }

        return false;
    }

    /// <inheritdoc />
    public void Dispose() => _connection.Dispose();

    private static bool TryReadLine(ReadOnlySpan<byte> bytes, int at, out string line, out int end)
    {
        var length = bytes[at..].IndexOf("\r\n"u8);
        (line, end) = length < 0 ? ("", 0) : (Encoding.ASCII.GetString(bytes.Slice(at, length)), at + length + 2);
        return length >= 0 || (bytes.Length >= Largest ? throw new MemcachedException($"an answer is longer than {Largest} bytes") : false);
    }
}
