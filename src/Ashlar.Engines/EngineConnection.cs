using System.Net;
using System.Net.Sockets;

namespace Ashlar.Engines;

/// <summary>A connection to an engine that is asked one thing after the other. Every wait has a bound.</summary>
internal sealed class EngineConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer = new byte[16 << 10];
    private int _length;

    private EngineConnection() { }

    /// <summary>Connects.</summary>
    /// <exception cref="SocketException">Nothing listens there.</exception>
    public static async Task<EngineConnection> OpenAsync(string address, int port, CancellationToken cancellation)
    {
        var connection = new EngineConnection();
        try
        {
            await connection._socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(address), port), cancellation);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Reads one answer; false of its reader: more bytes are needed.</summary>
    public delegate bool Read<T>(ReadOnlySpan<byte> bytes, out T answer, out int consumed);

    /// <summary>Sends a question and reads its answer.</summary>
    /// <exception cref="SocketException">The connection has ended.</exception>
    public async Task<T> AskAsync<T>(ReadOnlyMemory<byte> question, Read<T> read, CancellationToken cancellation)
    {
        for (var sent = 0; sent < question.Length;)
        {
            sent += await _socket.SendAsync(question[sent..], cancellation);
        }

        while (true)
        {
            if (_length > 0 && read(_buffer.AsSpan(0, _length), out var answer, out var consumed))
            {
                _buffer.AsSpan(consumed, _length - consumed).CopyTo(_buffer);
                _length -= consumed;
                return answer;
            }

            if (_length == _buffer.Length)
            {
                Array.Resize(ref _buffer, _buffer.Length * 2); // How far it may grow, the reader says by refusing.
            }

            var count = await _socket.ReceiveAsync(_buffer.AsMemory(_length), cancellation);
            _length += count > 0 ? count : throw new SocketException((int)SocketError.ConnectionReset);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _socket.Dispose();
}
