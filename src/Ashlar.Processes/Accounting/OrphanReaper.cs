namespace Ashlar.Processes;

/// <summary>
/// Reaps the dead children that others left to us. Needed only where orphans become our children: as PID 1 of a container, or as
/// a child subreaper. To be called every few seconds.
/// </summary>
/// <remarks>
/// <c>waitpid(-1)</c> is out of the question: it would take a child away from .NET's own <see cref="System.Diagnostics.Process"/>,
/// which then ends this program. So a zombie is reaped by its pid, and only if it has been one in two passes: whoever wants it
/// has it reaped by then.
/// </remarks>
public sealed class OrphanReaper
{
    private HashSet<(int, long)> _before = [];

    /// <summary>One pass.</summary>
    /// <param name="ours">Pids of leaders that we watch: they are reaped when their group is gone.</param>
    /// <returns>How many were reaped.</returns>
    public unsafe int Reap(IReadOnlySet<int> ours)
    {
        var found = new HashSet<(int, long)>();
        var reaped = 0;
        foreach (var stat in ProcessTable.Read())
        {
            if (!stat.IsZombie || stat.Parent != Environment.ProcessId || ours.Contains(stat.Pid))
                continue;
            var key = (stat.Pid, stat.StartTime);
            if (!_before.Contains(key))
                found.Add(key);
            else if (Libc.waitpid(stat.Pid, null, Libc.WNOHANG) == stat.Pid)
                reaped++;
        }
        _before = found;
        return reaped;
    }
}
