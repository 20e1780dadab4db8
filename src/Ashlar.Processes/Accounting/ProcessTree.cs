using System.Collections.Immutable;

namespace Ashlar.Processes;

/// <summary>The processes of a session.</summary>
public static class ProcessTree
{
    /// <summary>Pids of the session, its leader first, then by age; empty if it is gone.</summary>
    /// <param name="leader">Pid of the session's leader.</param>
    public static ImmutableArray<int> Of(int leader) =>
        [.. ProcessTable.Read().Where(stat => stat.Session == leader && !stat.IsZombie)
            .OrderBy(stat => stat.Pid == leader ? 0 : 1).ThenBy(stat => stat.StartTime).ThenBy(stat => stat.Pid).Select(stat => stat.Pid)];
}
