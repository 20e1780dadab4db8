using System.Buffers.Binary;

namespace Ashlar.Processes;

/// <summary>
/// When the bytes of a log were written: points (time, length of the log then), read from the file <c>LOG.times</c> that
/// <see cref="LogClock"/> keeps. Between two points time is taken to run evenly.
/// </summary>
/// <remarks>
/// The file is a row of entries of 16 bytes, the oldest first: 8 bytes time (ticks of 100 ns since year 1, UTC), 8 bytes length, both
/// little-endian; neither ever falls.
/// </remarks>
public sealed class LogTimes
{
    internal const int EntrySize = 16;

    /// <summary>Most points of a log; <see cref="LogClock"/> thins out the older ones when it is reached.</summary>
    internal const int MostPoints = 1 << 16;

    private const int Attempts = 3;
    private readonly List<(long Ticks, long Length)> _points;

    private LogTimes(List<(long Ticks, long Length)> points) => _points = points;

    /// <summary>The points, from the oldest on; at least one.</summary>
    internal IReadOnlyList<(long Ticks, long Length)> Points => _points;

    /// <summary>Time before which nothing in this log was written.</summary>
    public DateTimeOffset Begin => TimeOf(_points[0].Ticks);

    /// <summary>Where the times of a log are kept.</summary>
    public static string PathOf(string log) => log + ".times";

    /// <summary>The times of a log up to its end as it is now; null if they are not known: never noted, damaged, or not of this log.</summary>
    /// <param name="log">The log.</param>
    /// <param name="looked">A time until which growth is known to have been noted (an agent runs); null: none.</param>
    public static LogTimes? Read(string log, DateTimeOffset? looked = null)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (Load(log) is { } times && times.Reach(new FileInfo(log), looked))
                return times;
            // It may be rotated at this moment.
        }
        return null;
    }

    /// <summary>The points that were noted of a log, whether or not they fit it; null if there are none that can be.</summary>
    internal static LogTimes? Load(string log)
    {
        try
        {
            using var file = new FileStream(PathOf(log), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (file.Length > MostPoints * EntrySize)
                return null;
            var bytes = new byte[file.Length];
            return Parse(bytes.AsSpan(0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The points in a file's bytes; null if these cannot be any. An entry that was not written to its end is left out.</summary>
    internal static LogTimes? Parse(ReadOnlySpan<byte> bytes)
    {
        var count = bytes.Length / EntrySize;
        if (count is 0 or > MostPoints)
            return null;
        var points = new List<(long Ticks, long Length)>(count + 2);
        var (ticks, length) = (1L, 0L);
        for (; bytes.Length >= EntrySize; bytes = bytes[EntrySize..])
        {
            var (t, l) = (BinaryPrimitives.ReadInt64LittleEndian(bytes), BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]));
            if (t < ticks || t > DateTime.MaxValue.Ticks || l < length)
                return null;
            points.Add((t, l));
            (ticks, length) = (t, l);
        }
        return new LogTimes(points);
    }

    /// <summary>The bytes of a file with these points.</summary>
    internal static byte[] Format(IEnumerable<(long Ticks, long Length)> points)
    {
        var bytes = new List<byte>();
        Span<byte> entry = stackalloc byte[EntrySize];
        foreach (var (ticks, length) in points)
        {
            BinaryPrimitives.WriteInt64LittleEndian(entry, ticks);
            BinaryPrimitives.WriteInt64LittleEndian(entry[8..], length);
            bytes.AddRange(entry);
        }
        return [.. bytes];
    }

    /// <summary>When the byte before an offset was written.</summary>
    /// <param name="end">An offset in the log, such as a line's <see cref="LogLine.End"/>.</param>
    public DateTimeOffset At(long end) => TimeOf(TicksAt(end));

    /// <summary>An offset before which everything is older than a time.</summary>
    public long OlderThan(DateTimeOffset time)
    {
        var after = FirstWhere(point => point.Ticks >= time.UtcTicks);
        return after == 0 ? 0 : _points[after - 1].Length;
    }

    /// <summary>The points of the log without its first bytes.</summary>
    internal IEnumerable<(long Ticks, long Length)> Without(long bytes) =>
        _points.Where(point => point.Length > bytes).Select(point => (point.Ticks, point.Length - bytes)).Prepend((TicksAt(bytes), 0));

    private static DateTimeOffset TimeOf(long ticks) => new(ticks, TimeSpan.Zero);

    /// <summary>Adds what the log itself tells: its length, and when it was last written. False: the points are not of this log.</summary>
    private bool Reach(FileInfo log, DateTimeOffset? looked)
    {
        var (ticks, length) = _points[^1];
        if (!log.Exists || log.Length < length)
            return false;
        if (log.Length == length)
            return true;
        var written = Math.Max(ticks, log.LastWriteTimeUtc.Ticks);
        if (looked is { } time && time.UtcTicks > ticks)
            _points.Add((Math.Min(time.UtcTicks, written), length));
        _points.Add((written, log.Length));
        return true;
    }

    private long TicksAt(long end)
    {
        var after = FirstWhere(point => point.Length >= end);
        if (after == 0)
            return _points[0].Ticks;
        var (ticks, length) = _points[after - 1];
        if (after == _points.Count)
            return ticks;
        var part = (double)(end - length) / (_points[after].Length - length);
        return ticks + (long)(part * (_points[after].Ticks - ticks));
    }

    private int FirstWhere(Predicate<(long Ticks, long Length)> reached)
    {
        var (low, high) = (0, _points.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (reached(_points[middle]))
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }
}
