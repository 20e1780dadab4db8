using System.Collections.Immutable;

namespace Ashlar.Processes;

/// <summary>
/// The processes of a group: those of its leader's session, and those that left it but descend from one of these, as PostgreSQL's do.
/// </summary>
public static class ProcessTree
{
    /// <summary>Pids of the group, its leader first, then by age; empty if it is gone.</summary>
    /// <param name="leader">Pid of the session's leader.</param>
    public static ImmutableArray<int> Of(int leader)
    {
        var table = ProcessTable.Read();
        var ancestry = new Ancestry(new HashSet<int> { leader });
        foreach (var stat in table)
            ancestry.Add(stat);
        return
        [
            .. table.Where(stat => !stat.IsZombie && ancestry.LeaderOf(stat.Pid) == leader)
                .OrderBy(stat => stat.Pid == leader ? 0 : 1).ThenBy(stat => stat.StartTime).ThenBy(stat => stat.Pid).Select(stat => stat.Pid),
        ];
    }
}
