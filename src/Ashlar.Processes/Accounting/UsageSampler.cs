using System.Buffers.Text;
using System.Collections.Immutable;

namespace Ashlar.Processes;

/// <summary>What a process group used.</summary>
/// <param name="Pids">Its processes, leader first, then by age.</param>
/// <param name="Cpu">Cores used since the sample before (0.25 is a quarter of one), reaped children among them; 0 in the first.</param>
/// <param name="CpuTime">CPU time used since its start as far as the kernel still knows.</param>
/// <param name="Rss">Resident memory in bytes, pages that processes share counted for each.</param>
/// <param name="Pss">Proportional memory in bytes (shared pages divided by their users), read now and then; null: not yet, or not allowed.</param>
/// <param name="Threads">Threads of all its processes.</param>
public sealed record ProcessUsage(ImmutableArray<int> Pids, double Cpu, TimeSpan CpuTime, long Rss, long? Pss, int Threads)
{
    /// <summary>Memory in bytes to show: PSS where lately read, else RSS.</summary>
    public long Memory => Pss ?? Rss;
}

/// <summary>
/// Reads CPU and memory of many process groups with one pass over <c>/proc</c>. To be called about once a second by one thread.
/// </summary>
/// <remarks>
/// Processes that belong to none of the groups are looked at only every tenth time: nobody enters a session or becomes another's
/// child from outside. PSS walks all pages of a process (milliseconds for a large one), so at most one process is read in a pass, each once a minute.
/// </remarks>
/// <param name="time">Clock.</param>
public sealed class UsageSampler(TimeProvider time)
{
    private const int FullPassEvery = 10;

    private static readonly TimeSpan PssEvery = TimeSpan.FromSeconds(60);

    private readonly List<int> _pids = new(256);
    private readonly List<ProcessStat> _read = new(256);
    private readonly HashSet<int> _strangers = [];
    private readonly Dictionary<int, (long Ticks, long At)> _before = [];
    private readonly Dictionary<int, (long StartTime, long Bytes, long At)> _pss = [];
    private int _pass;

    /// <summary>Takes a sample.</summary>
    /// <param name="leaders">Pids of the groups' leaders.</param>
    /// <returns>Usage by leader; groups that have gone are missing.</returns>
    public IReadOnlyDictionary<int, ProcessUsage> Sample(IReadOnlyCollection<int> leaders)
    {
        var wanted = leaders as IReadOnlySet<int> ?? leaders.ToHashSet();
        var groups = new Dictionary<int, List<ProcessStat>>(wanted.Count);
        if (_pass++ % FullPassEvery == 0)
            _strangers.Clear();
        ProcessTable.ListPids(_pids);
        var now = time.GetTimestamp();
        _read.Clear();
        var ancestry = new Ancestry(wanted);
        foreach (var pid in _pids)
        {
            if ((_strangers.Contains(pid) && !wanted.Contains(pid)) || !ProcessTable.TryRead(pid, out var stat))
                continue;
            _read.Add(stat);
            ancestry.Add(stat);
        }
        foreach (var stat in _read)
        {
            if (ancestry.LeaderOf(stat.Pid) is not { } leader)
            {
                _strangers.Add(stat.Pid);
                continue;
            }
            if (stat.IsZombie)
                continue;
            if (!groups.TryGetValue(leader, out var members))
                groups[leader] = members = [];
            members.Add(stat);
        }
        ReadOnePss(groups, now);
        var usage = groups.ToDictionary(group => group.Key, group => Measure(group.Key, group.Value, now));
        Forget(groups);
        return usage;
    }

    private ProcessUsage Measure(int leader, List<ProcessStat> members, long now)
    {
        members.Sort((a, b) => (a.Pid != leader, a.StartTime, a.Pid).CompareTo((b.Pid != leader, b.StartTime, b.Pid)));
        long ticks = 0, rss = 0, pss = 0;
        var threads = 0;
        var anyPss = false;
        foreach (var stat in members)
        {
            var resident = stat.ResidentPages * Environment.SystemPageSize;
            ticks += stat.CpuTime;
            rss += resident;
            threads += stat.Threads;
            var read = _pss.TryGetValue(stat.Pid, out var known) && known.StartTime == stat.StartTime && known.Bytes >= 0;
            anyPss |= read;
            pss += read ? known.Bytes : resident;
        }
        var cpu = 0.0;
        if (_before.TryGetValue(leader, out var before))
        {
            var elapsed = time.GetElapsedTime(before.At, now).TotalSeconds;
            // A child that nobody reaped takes its time with it: the sum may fall.
            cpu = elapsed <= 0 ? 0 : Math.Max(0, ticks - before.Ticks) / (double)ProcessTable.TicksPerSecond / elapsed;
        }
        _before[leader] = (ticks, now);
        return new ProcessUsage([.. members.Select(stat => stat.Pid)], cpu,
            TimeSpan.FromSeconds(ticks / (double)ProcessTable.TicksPerSecond), rss, anyPss ? pss : null, threads);
    }

    /// <summary>Reads the process whose PSS is oldest, if it is old enough.</summary>
    private void ReadOnePss(Dictionary<int, List<ProcessStat>> groups, long now)
    {
        (int Pid, long StartTime)? oldest = null;
        var oldestAt = long.MaxValue;
        foreach (var stat in groups.Values.SelectMany(members => members))
        {
            var at = _pss.TryGetValue(stat.Pid, out var known) && known.StartTime == stat.StartTime ? known.At : long.MinValue;
            if (at < oldestAt)
                (oldest, oldestAt) = ((stat.Pid, stat.StartTime), at);
        }
        if (oldest is not { } chosen || (oldestAt != long.MinValue && time.GetElapsedTime(oldestAt, now) < PssEvery))
            return;
        _pss[chosen.Pid] = (chosen.StartTime, ReadPss(chosen.Pid), now);
    }

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

    private void Forget(Dictionary<int, List<ProcessStat>> groups)
    {
        foreach (var leader in _before.Keys.Where(leader => !groups.ContainsKey(leader)).ToList())
            _before.Remove(leader);
        if (_pass % FullPassEvery != 0)
            return;
        var alive = groups.Values.SelectMany(members => members).Select(stat => stat.Pid).ToHashSet();
        foreach (var pid in _pss.Keys.Where(pid => !alive.Contains(pid)).ToList())
            _pss.Remove(pid);
    }
}
