namespace Ashlar.Processes;

/// <summary>
/// Tells which group a process belongs to: that of its session's leader, else that of the nearest ancestor that has one. A process
/// that leaves its session (<c>setsid</c>) keeps its parent.
/// </summary>
/// <param name="leaders">Pids of the groups' leaders.</param>
internal sealed class Ancestry(IReadOnlySet<int> leaders)
{
    // Parents form no cycles, but the table is read while they change.
    private const int Deepest = 64;
    private readonly Dictionary<int, (int Parent, int Session)> _known = [];

    /// <summary>Learns of a process. Zombies count too: their children may live.</summary>
    public void Add(in ProcessStat stat) => _known[stat.Pid] = (stat.Parent, stat.Session);

    /// <summary>The leader of the process's group; null: it belongs to none of the groups.</summary>
    public int? LeaderOf(int pid)
    {
        // An agent that another supervisor has started may lead no session.
        if (leaders.Contains(pid) && _known.ContainsKey(pid))
            return pid;
        for (var depth = 0; depth < Deepest && _known.TryGetValue(pid, out var process); depth++)
        {
            if (leaders.Contains(process.Session))
                return process.Session;
            if (leaders.Contains(process.Parent))
                return process.Parent;
            pid = process.Parent;
        }
        return null;
    }
}
