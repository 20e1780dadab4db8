using System.Buffers.Text;

namespace Ashlar.Processes;

/// <summary>What <c>/proc/PID/stat</c> says of one process (see <c>proc(5)</c>); times in clock ticks.</summary>
internal readonly record struct ProcessStat(
    int Pid, char State, int Parent, int Group, int Session,
    long UserTime, long SystemTime, long ChildrenUserTime, long ChildrenSystemTime,
    int Threads, long StartTime, long ResidentPages)
{
    /// <summary>True: it has ended and waits to be reaped.</summary>
    public bool IsZombie => State is 'Z' or 'X';

    /// <summary>CPU time of itself and of the children that it has reaped.</summary>
    public long CpuTime => UserTime + SystemTime + ChildrenUserTime + ChildrenSystemTime;

    /// <summary>Parses the line; false if it is not one.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out ProcessStat stat)
    {
        stat = default;
        // The name stands in brackets and may hold blanks and brackets itself: the last one closes it.
        var open = line.IndexOf((byte)'(');
        var close = line.LastIndexOf((byte)')');
        if (open < 2 || close < open || close + 3 >= line.Length || !Utf8Parser.TryParse(line, out int pid, out _))
            return false;
        var state = (char)line[close + 2];
        var rest = line[(close + 3)..];
        Span<long> fields = stackalloc long[25];
        for (var field = 4; field <= 24; field++)
        {
            rest = rest.TrimStart((byte)' ');
            if (!Utf8Parser.TryParse(rest, out fields[field], out var used))
                return false;
            rest = rest[used..];
        }
        stat = new ProcessStat(pid, state, (int)fields[4], (int)fields[5], (int)fields[6],
            fields[14], fields[15], fields[16], fields[17], (int)fields[20], fields[22], fields[24]);
        return true;
    }
}
