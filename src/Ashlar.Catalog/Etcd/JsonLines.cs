namespace Ashlar.Catalog.Etcd;

/// <summary>Reads a stream of JSON values, one a line, as etcd's gateway writes its streams. A line has a longest length.</summary>
internal sealed class JsonLines(Stream stream, int longest)
{
    private const int FirstBuffer = 16 << 10;
    private byte[] _buffer = new byte[Math.Min(FirstBuffer, longest)];
    private int _start;
    private int _end;
    private int _searched;

    /// <summary>The next line that is not empty, without its end; valid until the next call. Null: the stream has ended, with or without half a line.</summary>
    /// <exception cref="InvalidDataException">A line is longer than allowed.</exception>
    /// <exception cref="IOException">The connection fails.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var at = _buffer.AsSpan(_searched, _end - _searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                var line = _buffer.AsMemory(_start, _searched + at - _start);
                _start = _searched = _searched + at + 1;
                if (!line.Span.IsWhiteSpace())
                {
                    return line;
                }

                continue;
            }

            _searched = _end;
            MakeRoom();
            var count = await stream.ReadAsync(_buffer.AsMemory(_end), cancellation).ConfigureAwait(false);
            if (count == 0)
            {
                return null;
            }

            _end += count;
        }
    }

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_end, _searched, _start) = (_end - _start, _searched - _start, 0);
        }

        if (_end == _buffer.Length)
        {
            if (_end >= longest)
            {
                throw new InvalidDataException($"A line of more than {longest} bytes.");
            }

            Array.Resize(ref _buffer, Math.Min(_buffer.Length * 2, longest));
        }
    }
}

file static class Whitespace
{
    public static bool IsWhiteSpace(this ReadOnlySpan<byte> line) => !line.ContainsAnyExcept(" \t\r"u8);

    public static bool IsWhiteSpace(this Span<byte> line) => IsWhiteSpace((ReadOnlySpan<byte>)line);
}
