namespace Ashlar.Processes;

/// <summary>Cuts a stream of bytes into lines; holds at most one line's cap of them.</summary>
/// <param name="cap">Longest line in bytes; a longer one is cut there (never within a UTF-8 character).</param>
internal sealed class LineSplitter(int cap = LineSplitter.DefaultCap)
{
    public const int DefaultCap = 64 * 1024;

    private readonly byte[] _held = new byte[cap];
    private int _length;

    /// <summary>True: the beginning of a line is held.</summary>
    public bool HoldsPart => _length > 0;

    /// <summary>Takes the next bytes.</summary>
    /// <param name="data">The bytes.</param>
    /// <param name="offset">Where in the log they begin.</param>
    /// <param name="lines">Receives the lines that they complete.</param>
    public void Add(ReadOnlySpan<byte> data, long offset, List<LogLine> lines)
    {
        while (!data.IsEmpty)
        {
            var newline = data.IndexOf((byte)'\n');
            var part = newline < 0 ? data : data[..newline];
            var room = cap - _length;
            if (part.Length > room)
            {
                Hold(part[..room]);
                offset += room;
                data = data[room..];
                Cut(offset, lines);
                continue;
            }
            Hold(part);
            offset += part.Length;
            if (newline < 0)
                return;
            offset++;
            data = data[(newline + 1)..];
            lines.Add(new LogLine(_held.AsSpan(0, _length).ToArray(), offset, Complete: true));
            _length = 0;
        }
    }

    /// <summary>Gives out the part of a line that is held.</summary>
    public void Flush(long offset, List<LogLine> lines)
    {
        if (_length > 0)
            lines.Add(new LogLine(_held.AsSpan(0, _length).ToArray(), offset, Complete: false));
        _length = 0;
    }

    private void Hold(ReadOnlySpan<byte> part)
    {
        part.CopyTo(_held.AsSpan(_length));
        _length += part.Length;
    }

    private void Cut(long offset, List<LogLine> lines)
    {
        var kept = UnfinishedCharacter(_held);
        lines.Add(new LogLine(_held.AsSpan(0, cap - kept).ToArray(), offset - kept, Complete: false));
        _held.AsSpan(cap - kept).CopyTo(_held);
        _length = kept;
    }

    /// <summary>How many bytes at the end are the beginning of a UTF-8 character whose rest is yet to come.</summary>
    private static int UnfinishedCharacter(ReadOnlySpan<byte> bytes)
    {
        for (var back = 1; back <= 3 && back < bytes.Length; back++)
        {
            var b = bytes[^back];
            if ((b & 0xC0) == 0x80)
                continue;
            var size = b >= 0xF0 ? 4 : b >= 0xE0 ? 3 : b >= 0xC0 ? 2 : 1;
            return size > back ? back : 0;
        }
        return 0;
    }
}
