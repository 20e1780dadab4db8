using System.Buffers;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Stack;

/// <summary>A text file of a stack, read whole: regular, at most 1 MiB, UTF-8, without NUL.</summary>
internal sealed class SourceFile
{
    /// <summary>No honest stack file comes near it.</summary>
    public const int Limit = 1 << 20;

    private readonly int[] _lines;

    private SourceFile(string path, string text)
    {
        Path = path;
        Text = text;
        _lines = LineStarts(text);
    }

    public string Path { get; }

    /// <summary>Without a byte order mark.</summary>
    public string Text { get; }

    /// <summary>The file; null when it cannot be used, which is then in the report.</summary>
    public static SourceFile? Read(string path, Report report)
    {
        if (Directory.Exists(path))
        {
            report.Add(StackErrors.IsDirectory(path));
            return null;
        }

        byte[] bytes;
        try
        {
            using var handle = Native.OpenWithoutWaiting(path);
            var length = handle.CanSeek() ? RandomAccess.GetLength(handle) : 0;
            if (length > Limit)
            {
                report.Add(StackErrors.TooLarge(path, length));
                return null;
            }

            bytes = ReadBounded(handle, out var more);
            if (more)
            {
                report.Add(StackErrors.TooLarge(path, null));
                return null;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            report.Add(StackErrors.Unreadable(path, e.Message));
            return null;
        }

        return FromBytes(path, bytes, report);
    }

    /// <summary>The same checks for bytes that are already here.</summary>
    public static SourceFile? FromBytes(string path, ReadOnlySpan<byte> bytes, Report report)
    {
        if (bytes.StartsWith("\uFEFF"u8))
        {
            bytes = bytes[3..];
        }

        if (FirstBad(bytes) is { } bad)
        {
            var before = Encoding.UTF8.GetString(bytes[..bad]);
            var line = before.Count('\n') + 1;
            var column = before.Length - (before.LastIndexOf('\n') + 1) + 1;
            var position = new Position(path, line, column);
            report.Add(bytes[bad] == 0 ? StackErrors.NulByte(position) : StackErrors.NotUtf8(position, bytes[bad]));
            return null;
        }

        return new SourceFile(path, Encoding.UTF8.GetString(bytes));
    }

    /// <summary>Line and column of an index into <see cref="Text"/>.</summary>
    public Position At(int index)
    {
        var line = Array.BinarySearch(_lines, index);
        line = line < 0 ? ~line - 1 : line;
        return new Position(Path, line + 1, index - _lines[line] + 1);
    }

    /// <summary>A line, counted from 1, without its end; empty beyond the last.</summary>
    public ReadOnlySpan<char> Line(int number)
    {
        if (number < 1 || number > _lines.Length)
        {
            return default;
        }

        var end = number < _lines.Length ? _lines[number] : Text.Length;
        return Text.AsSpan(_lines[number - 1], end - _lines[number - 1]).TrimEnd("\r\n");
    }

    /// <summary>How many lines there are.</summary>
    public int Lines => _lines.Length;

    private static byte[] ReadBounded(SafeFileHandle handle, out bool more)
    {
        using var stream = new FileStream(handle, FileAccess.Read, bufferSize: 0);
        var buffer = new byte[Limit + 1];
        var count = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        more = count > Limit;
        return buffer[..count];
    }

    private static int? FirstBad(ReadOnlySpan<byte> bytes)
    {
        var index = 0;
        while (index < bytes.Length)
        {
            if (bytes[index] == 0 || Rune.DecodeFromUtf8(bytes[index..], out _, out var length) != OperationStatus.Done)
            {
                return index;
            }

            index += length;
        }

        return null;
    }

    private static int[] LineStarts(string text)
    {
        var starts = new List<int> { 0 };
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\n')
            {
                starts.Add(i + 1);
            }
        }

        return [.. starts];
    }
}
