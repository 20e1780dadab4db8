using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Processes;

/// <summary>
/// Reads a log that is being written, in bounded memory, across rotation by <see cref="LogRotation"/>. It reads only when the
/// caller asks for the next line, so a program that floods its log costs us nothing.
/// </summary>
/// <param name="path">The log; it need not exist yet.</param>
/// <param name="time">Clock of the waits.</param>
public sealed class LogTail(string path, TimeProvider? time = null)
{
    private const int ReadSize = 128 * 1024;
    private const int TailLimit = 1 << 20;

    /// <summary>How long an unfinished line is held back before it is given out as it is.</summary>
    public static readonly TimeSpan PartPatience = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RotationPatience = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>How often bytes were, or may have been, missed because the log was cut faster than it was read.</summary>
    public int Gaps { get; private set; }

    /// <summary>The last lines of a log, oldest first: at most <paramref name="count"/>, out of its last MiB.</summary>
    public static ImmutableArray<LogLine> Last(string path, int count)
    {
        var bytes = ReadEnd(path, TailLimit, out var start, out var end);
        if (start == 0 && bytes.AsSpan().Count((byte)'\n') < count)
        {
            // It may have been rotated just now.
            var older = ReadEnd(LogRotation.Rotated(path, 1), TailLimit - bytes.Length, out start, out _);
            bytes = [.. older, .. bytes];
        }
        var lines = new List<LogLine>();
        var splitter = new LineSplitter();
        splitter.Add(bytes, end - bytes.Length, lines);
        splitter.Flush(end, lines);
        if (start > 0 && lines.Count > 1)
            lines.RemoveAt(0); // Its beginning is not in what was read.
        return [.. lines.TakeLast(count)];
    }

    /// <summary>Offset at the end of the log as it is now; 0 if there is none yet.</summary>
    public static long End(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    /// <summary>The lines from an offset on, for ever, as they are written.</summary>
    /// <param name="offset">Where to begin: 0, <see cref="End"/>, or a line's <see cref="LogLine.End"/>.</param>
    /// <param name="cancellationToken">Ends it; what has been written by then and not been asked for is not read.</param>
    public async IAsyncEnumerable<LogLine> FollowAsync(long offset, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var buffer = new byte[ReadSize];
        var lines = new List<LogLine>();
        var splitter = new LineSplitter();
        var rotation = RotationMark(path);
        var pause = ShortestPause;
        var quietSince = _time.GetTimestamp();
        using var log = await OpenAsync(cancellationToken);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = RandomAccess.Read(log, buffer, offset);
            if (RotationMark(path) is var mark && mark != rotation)
            {
                // What was just read may come from behind the cut: it is read again from the file it belongs to.
                rotation = mark;
                foreach (var line in Remainder(offset, splitter, buffer))
                    yield return line;
                offset = 0;
                continue;
            }
            if (count > 0)
            {
                splitter.Add(buffer.AsSpan(0, count), offset, lines);
                offset += count;
                pause = ShortestPause;
                quietSince = _time.GetTimestamp();
            }
            else if (RandomAccess.GetLength(log) < offset)
            {
                if (await RotatedAsync(rotation, cancellationToken))
                    continue;
                Gaps++; // Somebody else has cut it.
                splitter.Flush(offset, lines);
                offset = 0;
            }
            else if (splitter.HoldsPart && _time.GetElapsedTime(quietSince) >= PartPatience)
            {
                splitter.Flush(offset, lines);
            }
            foreach (var line in lines)
                yield return line;
            lines.Clear();
            if (count > 0)
                continue;
            await Task.Delay(pause, _time, cancellationToken);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>What the rotated file has from an offset on.</summary>
    private IEnumerable<LogLine> Remainder(long offset, LineSplitter splitter, byte[] buffer)
    {
        var lines = new List<LogLine>();
        SafeFileHandle rotated;
        try
        {
            rotated = OpenRead(LogRotation.Rotated(path, 1));
        }
        catch (IOException)
        {
            Gaps++;
            yield break;
        }
        using (rotated)
        {
            if (RandomAccess.GetLength(rotated) < offset)
                Gaps++; // Rotated twice since we looked.
            for (int count; (count = RandomAccess.Read(rotated, buffer, offset)) > 0; offset += count)
            {
                lines.Clear();
                splitter.Add(buffer.AsSpan(0, count), offset, lines);
                foreach (var line in lines)
                    yield return line with { End = 0 };
            }
        }
    }

    /// <summary>A rotation truncates first and shows its copy a moment later.</summary>
    private async Task<bool> RotatedAsync((long, DateTime) before, CancellationToken cancellationToken)
    {
        for (var waited = TimeSpan.Zero; waited < RotationPatience; waited += ShortestPause)
        {
            if (RotationMark(path) != before)
                return true;
            if (!LogRotation.UnderWay(path))
                return RotationMark(path) != before;
            await Task.Delay(ShortestPause, _time, cancellationToken);
        }
        return false;
    }

    /// <summary>Changes with every rotation.</summary>
    internal static (long Length, DateTime Written) RotationMark(string path) =>
        new FileInfo(LogRotation.Rotated(path, 1)) is { Exists: true } file ? (file.Length, file.LastWriteTimeUtc) : default;

    private async Task<SafeFileHandle> OpenAsync(CancellationToken cancellationToken)
    {
        while (!File.Exists(path))
            await Task.Delay(LongestPause, _time, cancellationToken);
        return OpenRead(path);
    }

    private static SafeFileHandle OpenRead(string path) =>
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private static byte[] ReadEnd(string path, int limit, out long start, out long end)
    {
        (start, end) = (0, 0);
        if (!File.Exists(path) || limit <= 0)
            return [];
        using var file = OpenRead(path);
        var length = RandomAccess.GetLength(file);
        var bytes = new byte[Math.Min(length, limit)];
        start = length - bytes.Length;
        var read = 0;
        for (int count; read < bytes.Length && (count = RandomAccess.Read(file, bytes.AsSpan(read), start + read)) > 0;)
            read += count;
        end = start + read;
        return bytes[..read];
    }
}
