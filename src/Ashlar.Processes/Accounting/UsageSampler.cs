using System.Collections.Immutable;

namespace Ashlar.Processes;

/// <summary>What a process group used.</summary>
/// <param name="Pids">Its processes, leader first, then by age.</param>
/// <param name="Cpu">Cores used since the sample before (0.25 is a quarter of one), reaped children among them; 0 until there is a whole interval.</param>
/// <param name="CpuTime">CPU time used since its start as far as the kernel still knows.</param>
/// <param name="Rss">Resident memory in bytes, pages that processes share counted for each.</param>
/// <param name="Pss">Proportional memory in bytes (shared pages divided by their users), read now and then and followed by RSS between; null: not allowed.</param>
/// <param name="Threads">Threads of all its processes.</param>
public sealed record ProcessUsage(ImmutableArray<int> Pids, double Cpu, TimeSpan CpuTime, long Rss, long? Pss, int Threads)
{
    /// <summary>Memory in bytes to show: PSS, or RSS where the kernel does not tell it.</summary>
    public long Memory => Pss ?? Rss;
}

/// <summary>
/// Reads CPU and memory of many process groups with one pass over <c>/proc</c>. To be called about once a second by one thread.
/// </summary>
/// <remarks>
/// Processes that belong to none of the groups are looked at only every tenth time: nobody enters a session or becomes another's
/// child from outside. Only when a leader is new are they looked at again: its first children may be older than our knowing of it.
/// </remarks>
/// <param name="time">Clock.</param>
public sealed class UsageSampler(TimeProvider time)
{
    private const int FullPassEvery = 10;

    // CPU time comes in ticks of 10 ms: over a moment it says nothing.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.5);

    private readonly List<int> _pids = new(256);
    private readonly List<ProcessStat> _read = new(256);
    private readonly HashSet<int> _strangers = [];
    private readonly Dictionary<int, (long Ticks, long At, double Cpu)> _before = [];
    private readonly ProportionalMemory _memory = new(time);
    private IReadOnlySet<int> _leaders = ImmutableHashSet<int>.Empty;
    private int _pass;

    /// <summary>Takes a sample.</summary>
    /// <param name="leaders">Pids of the groups' leaders.</param>
    /// <returns>Usage by leader; groups that have gone are missing.</returns>
    public IReadOnlyDictionary<int, ProcessUsage> Sample(IReadOnlyCollection<int> leaders)
    {
        var wanted = leaders as IReadOnlySet<int> ?? leaders.ToHashSet();
        var groups = new Dictionary<int, List<ProcessStat>>(wanted.Count);
        if (_pass++ % FullPassEvery == 0 || !wanted.IsSubsetOf(_leaders))
            _strangers.Clear();
        _leaders = wanted.ToHashSet();
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
        _memory.Read(groups.Values.SelectMany(members => members));
        var usage = groups.ToDictionary(group => group.Key, group => Measure(group.Key, group.Value, now));
        Forget(groups);
        return usage;
    }

    private ProcessUsage Measure(int leader, List<ProcessStat> members, long now)
    {
        members.Sort((a, b) => (a.Pid != leader, a.StartTime, a.Pid).CompareTo((b.Pid != leader, b.StartTime, b.Pid)));
        long ticks = 0, rss = 0;
        var threads = 0;
        foreach (var stat in members)
        {
            // We reap the leaders of the other groups: what these have used all their lives would be ours in one second.
            ticks += stat.Pid == Environment.ProcessId ? stat.UserTime + stat.SystemTime : stat.CpuTime;
            rss += stat.ResidentPages * Environment.SystemPageSize;
            threads += stat.Threads;
        }
        var cpu = 0.0;
        if (!_before.TryGetValue(leader, out var before))
        {
            _before[leader] = (ticks, now, cpu);
        }
        else if (time.GetElapsedTime(before.At, now) is var elapsed && elapsed < Interval)
        {
            cpu = before.Cpu;
        }
        else
        {
            // A child that nobody reaped takes its time with it: the sum may fall.
            cpu = Math.Max(0, ticks - before.Ticks) / (double)ProcessTable.TicksPerSecond / elapsed.TotalSeconds;
            _before[leader] = (ticks, now, cpu);
        }
        return new ProcessUsage([.. members.Select(stat => stat.Pid)], cpu,
            TimeSpan.FromSeconds(ticks / (double)ProcessTable.TicksPerSecond), rss, _memory.Of(members), threads);
    }

    private void Forget(Dictionary<int, List<ProcessStat>> groups)
    {
        foreach (var leader in _before.Keys.Where(leader => !groups.ContainsKey(leader)).ToList())
            _before.Remove(leader);
        if (_pass % FullPassEvery != 0)
            return;
        _memory.Keep(groups.Values.SelectMany(members => members).Select(stat => stat.Pid).ToHashSet());
    }
}
