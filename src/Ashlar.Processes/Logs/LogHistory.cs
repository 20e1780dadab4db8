using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Processes;

/// <summary>
/// What a log and the files rotated from it hold already, each line with the time at which it was written where that is known
/// (<see cref="LogTimes"/>). In bounded memory.
/// </summary>
/// <param name="path">The log; it need not exist.</param>
/// <param name="looked">A time until which growth is known to have been noted (an agent runs); null: none.</param>
public sealed class LogHistory(string path, DateTimeOffset? looked = null)
{
    private const int ReadSize = 128 * 1024;
    private static readonly TimeSpan RotationPause = TimeSpan.FromMilliseconds(20);
    private const int RotationPauses = 100;

    /// <summary>As <see cref="LogTail.Last"/>, with times.</summary>
    public ImmutableArray<LogLine> Last(int count)
    {
        var lines = LogTail.Last(path, count);
        var times = LogTimes.Read(path, looked);
        // Lines of the rotated file end at or before the beginning of the log.
        var rotated = LogRotation.Rotated(path, 1);
        var older = !lines.IsEmpty && lines[0].End <= 0 ? LogTimes.Read(rotated) : null;
        var length = older is null ? 0 : LogTail.End(rotated);
        return [.. lines.Select(line => line with { Time = line.End > 0 ? times?.At(line.End) : older?.At(length + line.End) })];
    }

    /// <summary>
    /// The lines written at a time or later, oldest first, up to the end of the log as it is now; null if times are not known. The
    /// <see cref="LogLine.End"/> of a line of a rotated file is 0.
    /// </summary>
    public IEnumerable<LogLine>? Since(DateTimeOffset since)
    {
        while (true)
        {
            var settled = AwaitRotation();
            var mark = LogTail.RotationMark(path);
            var parts = Open(since);
            if (!settled || (LogTail.RotationMark(path) == mark && !LogRotation.UnderWay(path)))
                return parts.Count == 0 ? null : Read(parts, since, mark);
            foreach (var part in parts)
                part.Handle.Dispose();
        }
    }

    private Stack<Part> Open(DateTimeOffset since)
    {
        var parts = new Stack<Part>();
        for (var number = 0; ; number++)
        {
            var file = number == 0 ? path : LogRotation.Rotated(path, number);
            if (!File.Exists(file) || LogTimes.Read(file, number == 0 ? looked : null) is not { } times || TryOpen(file) is not { } handle)
                return parts;
            parts.Push(new Part(handle, times, number == 0));
            if (times.Begin < since)
                return parts; // Older files are older.
        }
    }

    private IEnumerable<LogLine> Read(Stack<Part> parts, DateTimeOffset since, (long, DateTime) mark)
    {
        var splitter = new LineSplitter();
        var lines = new List<LogLine>();
        var buffer = new byte[ReadSize];
        var start = parts.Peek().Times.OlderThan(since);
        // From within a line, most likely: what ends the first one is sought, beginning with the byte before.
        var seeking = start > 0;
        var offset = Math.Max(0, start - 1);
        foreach (var part in parts)
        {
            using var handle = part.Handle;
            foreach (var count in Chunks(part, buffer, offset, mark))
            {
                splitter.Add(buffer.AsSpan(0, count), offset, lines);
                offset += count;
                foreach (var line in lines)
                {
                    var time = part.Times.At(line.End);
                    if (!seeking && time >= since)
                        yield return line with { Time = time, End = part.Current ? line.End : 0 };
                    seeking &= !line.Complete;
                }
                lines.Clear();
            }
            if (part.Current)
            {
                splitter.Flush(offset, lines);
                foreach (var line in lines.Where(_ => !seeking))
                    yield return line with { Time = part.Times.At(line.End) };
            }
            offset = 0;
        }
    }

    /// <summary>Reads a file into the buffer, again and again, and gives how much it got. The log itself may be rotated meanwhile.</summary>
    private IEnumerable<int> Chunks(Part part, byte[] buffer, long offset, (long, DateTime) mark)
    {
        var (handle, length) = (part.Handle, part.Length);
        SafeFileHandle? moved = null;
        try
        {
            while (offset < length)
            {
                var count = RandomAccess.Read(handle, buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - offset)), offset);
                if (part.Current && moved is null && (count == 0 || LogTail.RotationMark(path) != mark))
                {
                    // What was just read may come from behind the cut: it is read again from the file it belongs to.
                    moved = Moved(part.Times);
                    if (moved is null)
                        yield break;
                    handle = moved;
                    continue;
                }
                if (count == 0)
                    yield break;
                offset += count;
                yield return count;
            }
        }
        finally
        {
            moved?.Dispose();
        }
    }

    /// <summary>The log was cut while we read it: what we have not seen is in a rotated file, known by the beginning of its times.</summary>
    private SafeFileHandle? Moved(LogTimes times)
    {
        AwaitRotation();
        for (var number = 1; LogRotation.Rotated(path, number) is var file && File.Exists(file); number++)
        {
            if (LogTimes.Load(file) is { } there && there.Points[0] == times.Points[0])
                return TryOpen(file);
        }
        return null;
    }

    /// <summary>False: one does not end; its agent was killed.</summary>
    private bool AwaitRotation()
    {
        for (var pause = 0; LogRotation.UnderWay(path); pause++)
        {
            if (pause == RotationPauses)
                return false;
            Thread.Sleep(RotationPause);
        }
        return true;
    }

    private static SafeFileHandle? TryOpen(string file)
    {
        try
        {
            return File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <param name="Handle">Opened at once: a rotation changes names.</param>
    /// <param name="Times">Its times.</param>
    /// <param name="Current">True: the log itself, which is being written; false: a rotated file.</param>
    private sealed record Part(SafeFileHandle Handle, LogTimes Times, bool Current)
    {
        public long Length { get; } = RandomAccess.GetLength(Handle);
    }
}
