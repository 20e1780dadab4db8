using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Processes;

/// <summary>
/// Keeps a log within bounds while its writer has it open: the content is copied to <c>LOG.1</c> and the log truncated. The
/// writer appends, so it goes on at the new beginning and need not know.
/// </summary>
/// <remarks>
/// Bytes that are written in the few microseconds between the end of the copy and the truncation are lost; every other way needs
/// the writer's help. Of a log that has grown beyond twice <see cref="MaximumBytes"/> before anybody looked only the last part is
/// copied: a program that floods its log fills no disk.
/// </remarks>
public sealed record LogRotation
{
    private const int CatchUpRounds = 16;
    private const long SmallestBound = 1 << 20;
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    /// <summary>Size in bytes from which a log is rotated. Default 64 MiB.</summary>
    public long MaximumBytes { get; init; } = 64 << 20;

    /// <summary>Age from which a log that is not empty is rotated. Default a week.</summary>
    public TimeSpan MaximumAge { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Rotated files kept beside the log, from 1. Default 5.</summary>
    public int Keep { get; init; } = 5;

    /// <summary>Name of the n-th rotated file, 1 being the youngest.</summary>
    public static string Rotated(string path, int number) => $"{path}.{number.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Rotates the log if it is due; true if it was. No two at once for one log.</summary>
    /// <exception cref="IOException">The copy could not be made (disk full): the log is as it was.</exception>
    public bool RotateIfDue(string path, TimeProvider? time = null)
    {
        var log = new FileInfo(path);
        if (!log.Exists || log.Length == 0)
            return false;
        var now = (time ?? TimeProvider.System).GetUtcNow();
        var last = new FileInfo(Rotated(path, 1));
        var since = last.Exists ? last.LastWriteTimeUtc : log.CreationTimeUtc;
        if (log.Length < MaximumBytes && now.UtcDateTime - since < MaximumAge)
            return false;

        var fresh = Fresh(path);
        long skipped;
        try
        {
            using var source = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            using (var target = new FileStream(fresh, new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                UnixCreateMode = Mode,
                BufferSize = 0,
            }))
            {
                skipped = CopyAndTruncate(source, target, MaximumBytes);
            }
        }
        catch
        {
            File.Delete(fresh);
            throw;
        }
        // Followers see the new LOG.1 and read from it what they have not seen yet: so it comes last, and at once.
        for (var number = Keep - 1; number >= 1; number--)
        {
            if (File.Exists(Rotated(path, number)))
            {
                File.Move(Rotated(path, number), Rotated(path, number + 1), overwrite: true);
                LogClock.Move(Rotated(path, number), Rotated(path, number + 1));
            }
        }
        LogClock.Rotate(path, Rotated(path, 1), skipped, time ?? TimeProvider.System);
        File.Move(fresh, Rotated(path, 1), overwrite: true);
        return true;
    }

    /// <summary>True: a rotation is under way, so the log and its rotated files do not fit each other yet.</summary>
    internal static bool UnderWay(string path) => File.Exists(Fresh(path));

    private static string Fresh(string path) => path + ".rotating";

    /// <summary>Gives how many bytes at the beginning were left out.</summary>
    private static long CopyAndTruncate(SafeFileHandle source, FileStream target, long maximum)
    {
        var buffer = new byte[256 * 1024];
        // Not even a small bound makes a small log lose anything.
        var most = 2 * Math.Max(maximum, SmallestBound);
        var length = RandomAccess.GetLength(source);
        var start = length > most ? length - (most / 2) : 0L;
        var offset = start;
        for (var round = 0; ; round++)
        {
            int count;
            var began = offset;
            // A writer may be as fast as we are: each round copies what came during the one before.
            for (var end = RandomAccess.GetLength(source); offset < end && (count = RandomAccess.Read(source, buffer, offset)) > 0;)
            {
                target.Write(buffer, 0, count);
                offset += count;
                if (offset - start > most)
                {
                    // It writes faster than can be copied: what it has written since is given up.
                    RandomAccess.SetLength(source, 0);
                    return start;
                }
            }
            if (offset - began < buffer.Length || round == CatchUpRounds)
                break;
        }
        for (int count; (count = RandomAccess.Read(source, buffer, offset)) > 0;)
        {
            target.Write(buffer, 0, count);
            offset += count;
            if (count < buffer.Length || offset - start > most)
                break;
        }
        RandomAccess.SetLength(source, 0);
        return start;
    }
}
