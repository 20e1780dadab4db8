using System.Collections.Immutable;

namespace Ashlar.Processes;

/// <summary>All that is needed to start one process group. Data only: it is stored and compared.</summary>
public sealed record LaunchSpec
{
    /// <summary>Program (a path or a name on the child's PATH) and its arguments; secrets never stand here.</summary>
    public required ImmutableArray<string> Command { get; init; }

    /// <summary>The whole environment of the child.</summary>
    public ImmutableSortedDictionary<string, string> Environment { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Absolute folder it starts in.</summary>
    public required string WorkingDirectory { get; init; }

    /// <summary>Absolute path of the file that its stdout and stderr are appended to.</summary>
    public required string LogPath { get; init; }

    /// <summary>User to run as; null: the agent's own.</summary>
    public string? User { get; init; }

    /// <summary>Value of <c>ASHLAR_INSTANCE_ID</c> in the child: finds strays that left the session (unique per start).</summary>
    public required string Tag { get; init; }

    /// <summary>RLIMIT_NOFILE; null: inherited.</summary>
    public int? OpenFiles { get; init; }

    /// <summary>RLIMIT_CORE in bytes; null: inherited.</summary>
    public long? CoreSize { get; init; }

    /// <summary>cgroup memory limit in bytes; null: none.</summary>
    public long? Memory { get; init; }

    /// <summary>cgroup CPU limit in cores; null: none.</summary>
    public double? Cpu { get; init; }
}

/// <summary>How a process group is asked to end.</summary>
public enum StopRequest
{
    /// <summary>SIGTERM to the whole group.</summary>
    TerminateGroup,

    /// <summary>SIGTERM to the leader alone, which ends its children itself (Redis, Memcached).</summary>
    TerminateLeader,

    /// <summary>SIGINT to the leader alone: PostgreSQL's fast shutdown, which ends its sessions and loses nothing.</summary>
    InterruptLeader,
}

/// <summary>Names one process for ever: a pid is reused, the three together are not.</summary>
/// <param name="Pid">Process id, which is its session's and group's id too.</param>
/// <param name="StartTime">Field 22 of <c>/proc/PID/stat</c>, in clock ticks since boot.</param>
/// <param name="BootId"><c>/proc/sys/kernel/random/boot_id</c>.</param>
public sealed record ProcessIdentity(int Pid, long StartTime, string BootId)
{
    /// <summary>True: it runs; one that has ended and waits to be reaped does not.</summary>
    public bool IsRunning() =>
        BootId == ProcessTable.BootId && ProcessTable.TryRead(Pid, out var stat) && stat.StartTime == StartTime && !stat.IsZombie;
}
