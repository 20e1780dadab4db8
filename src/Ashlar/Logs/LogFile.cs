using System.Text;

namespace Ashlar.Logs;

/// <summary>Reads one log: its last lines, then what is added. Follows a truncation and a new file of the same name.</summary>
internal sealed class LogFile(string path)
{
    /// <summary>A line is shown up to this many bytes; the rest begins a line of its own.</summary>
    public const int LongestLine = 64 << 10;

    private const int Block = 64 << 10;
    private readonly List<byte> _partial = [];
    private long _position;

    /// <summary>Goes to the end, so that only what comes is read.</summary>
    public void SkipToEnd() => _position = Length();

    /// <summary>The last <paramref name="count"/> complete lines, read backwards from the end; goes on from there.</summary>
    public IReadOnlyList<string> Last(int count)
    {
        using var stream = Open();
        if (stream is null) return [];
        var end = stream.Length;
        var start = end;
        var buffer = new byte[Block];
        var breaks = 0;
        while (start > 0 && breaks <= count)
        {
            var size = (int)Math.Min(Block, start);
            stream.Position = start - size;
            stream.ReadExactly(buffer, 0, size);
            for (var i = size - 1; i >= 0 && breaks <= count; i--)
            {
                if (buffer[i] == '\n' && ++breaks > count)
                {
                    start -= size - i - 1;
                    break;
                }
            }

            if (breaks <= count) start -= size;
        }

        _position = start;
        return ReadNew().TakeLast(count).ToList();
    }

    /// <summary>The lines that were completed since the last call.</summary>
    public IReadOnlyList<string> ReadNew()
    {
        using var stream = Open();
        if (stream is null) return [];
        if (stream.Length < _position)
        {
            _position = 0; // truncated, or another file has its name
            _partial.Clear();
        }

        var lines = new List<string>();
        var buffer = new byte[Block];
        stream.Position = _position;
        for (int read; (read = stream.Read(buffer)) > 0; _position += read) Split(buffer.AsSpan(0, read), lines);
        return lines;
    }

    private void Split(ReadOnlySpan<byte> bytes, List<string> lines)
    {
        while (!bytes.IsEmpty)
        {
            var room = bytes[..Math.Min(bytes.Length, LongestLine - _partial.Count)];
            var end = room.IndexOf((byte)'\n');
            _partial.AddRange(end < 0 ? room : room[..end]);
            bytes = bytes[(end < 0 ? room.Length : end + 1)..];
            if (end < 0 && _partial.Count < LongestLine) return;
            lines.Add(Encoding.UTF8.GetString([.. _partial]).TrimEnd('\r'));
            _partial.Clear();
        }
    }

    private long Length() => File.Exists(path) ? new FileInfo(path).Length : 0;

    private FileStream? Open()
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
