namespace Ashlar.Processes;

/// <summary>
/// Keeps beside each log when it grew (<see cref="LogTimes"/>), so that lines of programs that write no times have one. Nobody stands
/// between a program and its log: who looks at the logs anyway, about once a second, tells what was found.
/// </summary>
/// <remarks>
/// A log that does not grow costs nothing; one that grows costs one small append a look. The file has at most 1 MiB: then every
/// second point of its older half is dropped. For one thread. What cannot be written (a full disk) is left out: times are then coarser.
/// </remarks>
/// <param name="time">Clock.</param>
public sealed class LogClock(TimeProvider? time = null)
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Dictionary<string, Known> _logs = new(StringComparer.Ordinal);

    /// <summary>Notes how long a log is and when it was last written, if it has grown.</summary>
    /// <param name="log">The log as it was found; it exists.</param>
    public void Note(FileInfo log)
    {
        var now = _time.GetUtcNow().UtcTicks;
        var path = log.FullName;
        try
        {
            var known = _logs.TryGetValue(path, out var before) ? before : Open(log);
            if (log.Length < known.Length)
                known = Begin(path, Math.Max(known.Ticks, known.Looked)); // Somebody has cut it.
            if (log.Length > known.Length)
                known = Append(path, known, log.LastWriteTimeUtc.Ticks, now, log.Length);
            _logs[path] = known with { Looked = now };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _logs.Remove(path);
        }
    }

    /// <summary>To be called when a log has been rotated or removed: what is known of it no longer holds.</summary>
    public void Forget(string path) => _logs.Remove(Path.GetFullPath(path));

    /// <summary>Lets the times of a log go with what has been moved from it, and begins them anew. What is lost of them costs no line.</summary>
    /// <param name="log">The log, which has been cut to nothing.</param>
    /// <param name="to">The file that has what was in it.</param>
    /// <param name="skipped">Bytes at its beginning that were not moved.</param>
    /// <param name="time">Clock.</param>
    internal static void Rotate(string log, string to, long skipped, TimeProvider time)
    {
        try
        {
            if (skipped > 0 && LogTimes.Load(log) is { } times)
                Write(log, times.Without(skipped));
            if (Move(log, to))
                Begin(log, time.GetUtcNow().UtcTicks);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whoever notes the next growth begins them.
        }
    }

    /// <summary>Moves the times of a log; false: there are none.</summary>
    internal static bool Move(string from, string to)
    {
        try
        {
            File.Delete(LogTimes.PathOf(to));
            File.Move(LogTimes.PathOf(from), LogTimes.PathOf(to));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void Write(string path, IEnumerable<(long Ticks, long Length)> points)
    {
        var fresh = LogTimes.PathOf(path) + ".new";
        using (var file = Open(fresh, FileMode.Create))
            file.Write(LogTimes.Format(points));
        File.Move(fresh, LogTimes.PathOf(path), overwrite: true);
    }

    private static Known Begin(string path, long ticks)
    {
        Write(path, [(ticks, 0)]);
        return new Known(1, ticks, 0, 0);
    }

    /// <summary>Goes on where an agent before us has stopped, or begins.</summary>
    private static Known Open(FileInfo log)
    {
        var path = LogTimes.PathOf(log.FullName);
        if (LogTimes.Load(log.FullName) is { } times && times.Points[^1].Length <= log.Length)
        {
            var whole = (long)times.Points.Count * LogTimes.EntrySize;
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length != whole)
                file.SetLength(whole); // The last entry was not written to its end.
            var (ticks, length) = times.Points[^1];
            return new Known(times.Points.Count, ticks, length, 0);
        }
        return Begin(log.FullName, Math.Min(log.CreationTimeUtc.Ticks, log.LastWriteTimeUtc.Ticks));
    }

    private static Known Append(string path, Known known, long written, long now, long length)
    {
        if (known.Count + 2 > LogTimes.MostPoints)
            known = Thin(path, known);
        var points = new List<(long Ticks, long Length)>(2);
        var ticks = known.Ticks;
        if (known.Looked > ticks)
            points.Add((ticks = known.Looked, known.Length));
        // The file's own time is exact for its last line, unless somebody has set it.
        points.Add((ticks = Math.Max(ticks, written >= ticks && written <= now ? written : now), length));
        using var file = Open(LogTimes.PathOf(path), FileMode.Append);
        file.Write(LogTimes.Format(points));
        return known with { Count = known.Count + points.Count, Ticks = ticks, Length = length };
    }

    private static Known Thin(string path, Known known)
    {
        if (LogTimes.Load(path) is not { } times)
            return Begin(path, known.Ticks);
        var half = times.Points.Count / 2;
        var kept = times.Points.Where((_, i) => i % 2 == 0 || i >= half).ToList();
        Write(path, kept);
        return known with { Count = kept.Count };
    }

    private static FileStream Open(string path, FileMode mode) => new(path, new FileStreamOptions
    {
        Mode = mode,
        Access = FileAccess.Write,
        Share = FileShare.ReadWrite | FileShare.Delete,
        UnixCreateMode = Mode,
        BufferSize = 0,
    });

    /// <param name="Count">Points in the file.</param>
    /// <param name="Ticks">Time of the last one.</param>
    /// <param name="Length">Length of the log at the last one.</param>
    /// <param name="Looked">When the log was last found to be that long; 0: not by us.</param>
    private sealed record Known(int Count, long Ticks, long Length, long Looked);
}
