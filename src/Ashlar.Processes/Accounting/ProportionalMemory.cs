using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace Ashlar.Processes;

/// <summary>
/// PSS of processes: pages that several share, divided by how many do. Reading it walks all pages of a process (milliseconds for a large
/// one), so it is read seldom, and followed by resident memory meanwhile: the figure neither jumps nor stands still between two readings.
/// </summary>
/// <param name="time">Clock.</param>
internal sealed class ProportionalMemory(TimeProvider time)
{
    // A new process is read at once, so that nobody is shown another figure first; many at once, as far as that is cheap.
    private const int MostNew = 4;

    // A process that has grown or shrunk by so much shares another part of its pages than before.
    private const double Moved = 0.2;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(60);
    private readonly Dictionary<int, Reading> _readings = [];

    /// <summary>Reads what is new, and one of those that have changed much or were read long ago.</summary>
    public void Read(IEnumerable<ProcessStat> processes)
    {
        var now = time.GetTimestamp();
        var left = MostNew;
        (ProcessStat Stat, double Need)? neediest = null;
        foreach (var stat in processes)
        {
            if (!Knows(stat, out var known))
            {
                if (left-- > 0)
                    Read(stat, now);
                continue;
            }
            var moved = Math.Abs(stat.ResidentPages - known.Resident) / (double)Math.Max(1, known.Resident);
            var need = Math.Max(moved / Moved, time.GetElapsedTime(known.At, now) / Every);
            if (need >= 1 && known.Bytes >= 0 && (neediest is null || need > neediest.Value.Need))
                neediest = (stat, need);
        }
        if (left == MostNew && neediest is { } chosen)
            Read(chosen.Stat, now);
    }

    /// <summary>Bytes of a group; null where none of its processes could be read.</summary>
    public long? Of(IReadOnlyCollection<ProcessStat> group)
    {
        double read = 0, residentOfRead = 0, residentOfNew = 0, refused = 0;
        foreach (var stat in group)
        {
            var resident = (double)stat.ResidentPages * Environment.SystemPageSize;
            if (!Knows(stat, out var known))
            {
                residentOfNew += resident;
            }
            else if (known.Bytes < 0)
            {
                refused += resident;
            }
            else
            {
                read += known.Resident == 0 ? known.Bytes : known.Bytes * (stat.ResidentPages / (double)known.Resident);
                residentOfRead += resident;
            }
        }
        // What is not read yet shares as much as the others of its group.
        return residentOfRead == 0 ? null : (long)(read + (residentOfNew * read / residentOfRead) + refused);
    }

    /// <summary>Forgets all but these.</summary>
    public void Keep(IReadOnlySet<int> pids)
    {
        foreach (var pid in _readings.Keys.Where(pid => !pids.Contains(pid)).ToList())
            _readings.Remove(pid);
    }

    private bool Knows(ProcessStat stat, [NotNullWhen(true)] out Reading? known) => _readings.TryGetValue(stat.Pid, out known) && known.StartTime == stat.StartTime;

    private void Read(ProcessStat stat, long now) => _readings[stat.Pid] = new Reading(stat.StartTime, ReadPss(stat.Pid), stat.ResidentPages, now);

    /// <summary>Bytes; -1 where the kernel has no such file or does not let us.</summary>
    private static long ReadPss(int pid)
    {
        Span<byte> buffer = stackalloc byte[2048];
        var length = ProcessTable.ReadSmall($"/proc/{pid}/smaps_rollup", buffer);
        if (length <= 0)
            return -1;
        var at = buffer[..length].IndexOf("\nPss:"u8);
        return at >= 0 && Utf8Parser.TryParse(buffer[(at + 5)..length].TrimStart((byte)' '), out long kib, out _) ? kib * 1024 : -1;
    }

    /// <param name="StartTime">Of the process: pids come again.</param>
    /// <param name="Bytes">Its PSS; -1: not to be had.</param>
    /// <param name="Resident">Its resident pages then.</param>
    /// <param name="At">When.</param>
    private sealed record Reading(long StartTime, long Bytes, long Resident, long At);
}
