namespace Ashlar.Http.Tests.Wire;

/// <summary>Makes hostile messages of ordinary ones; the same seed makes the same.</summary>
internal sealed class Mutator(int seed)
{
    public const int MaxLength = 8 * 1024;

    private static readonly byte[][] _requests = [.. Corpus.Accepted.Concat(Corpus.Accepted).Concat(Corpus.Hostile).Select(WireText.Bytes)];
    private static readonly byte[][] _responses = [.. Corpus.Responses.Select(WireText.Bytes)];
    private static readonly byte[][] _bodies = [.. Corpus.ChunkedBodies.Select(WireText.Bytes)];

    private static readonly byte[][] _words = [.. new[]
    {
        "\r\n", "\r\n\r\n", "\n", "\r", " ", "\t", ":", ";", ",", "\0", "\x0b", "\x7f", "\xff", "%2e", "%00", "..", "/../", "#", "?", "0", "1", "f",
        "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: ", "Host: b\r\n", "Connection: ",
        "Upgrade: websocket\r\n", "close", "upgrade", "keep-alive", "host", "X-Forwarded-For: 1\r\n", "X_A: 1\r\n", "TE: trailers\r\n", "Trailer: x\r\n",
        "Expect: 100-continue\r\n", "0\r\n\r\n", "5\r\nhello\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "http://b", "chunked",
        "HTTP/1.1 200 OK\r\n", "\r\nContent-Length : 5", "\"", "\\", "_", "-", "@", "[::1]", "*", "OPTIONS ", "HEAD ", "POST ",
    }.Select(WireText.Bytes)];

    /// <summary>Whole lines: put between lines they change what a message means without spoiling its form.</summary>
    private static readonly byte[][] _lines = [.. Corpus.Accepted.Concat(Corpus.Hostile).Concat(Corpus.Responses)
        .SelectMany(message => message.Split("\r\n").Skip(1))
        .Where(line => line.Contains(':', StringComparison.Ordinal))
        .Select(line => WireText.Bytes(line + "\r\n"))];

    private readonly Random _random = new(seed);
    private readonly byte[] _buffer = new byte[MaxLength];
    private int _length;

    public ReadOnlySpan<byte> NextRequest() => Mutate(_requests);

    public ReadOnlySpan<byte> NextResponse() => Mutate(_responses);

    public ReadOnlySpan<byte> NextBody() => Mutate(_bodies);

    public int Next(int below) => _random.Next(below);

    private ReadOnlySpan<byte> Mutate(byte[][] corpus)
    {
        var start = corpus[_random.Next(corpus.Length)];
        start.CopyTo(_buffer, 0);
        _length = start.Length;
        for (var count = Math.Max(1, _random.Next(5) - 1); count > 0; count--)
        {
            Once(corpus);
        }

        return _buffer.AsSpan(0, _length);
    }

    private void Once(byte[][] corpus)
    {
        var at = _random.Next(_length + 1);
        switch (_random.Next(9))
        {
            case 0 when at < _length:
                _buffer[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1:
                Insert(at, [(byte)_random.Next(256)]);
                break;
            case 2:
                Insert(at, _words[_random.Next(_words.Length)]);
                break;
            case 3 when at < _length:
                var count = Math.Min(1 + _random.Next(_random.Next(2) == 0 ? 2 : 40), _length - at);
                _buffer.AsSpan(at + count, _length - at - count).CopyTo(_buffer.AsSpan(at));
                _length -= count;
                break;
            case 4:
                Insert(_random.Next(_length + 1), _buffer.AsSpan(at, Math.Min(_random.Next(60), _length - at)).ToArray());
                break;
            case >= 5 and < 8:
                var line = _buffer.AsSpan(at, _length - at).IndexOf("\r\n"u8);
                Insert(line < 0 ? at : at + line + 2, _lines[_random.Next(_lines.Length)]);
                break;
            default:
                var other = corpus[_random.Next(corpus.Length)];
                var from = _random.Next(other.Length);
                Insert(at, other.AsSpan(from, Math.Min(_random.Next(80), other.Length - from)));
                break;
        }
    }

    private void Insert(int at, ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length <= MaxLength)
        {
            _buffer.AsSpan(at, _length - at).CopyTo(_buffer.AsSpan(at + bytes.Length));
            bytes.CopyTo(_buffer.AsSpan(at));
            _length += bytes.Length;
        }
    }
}
