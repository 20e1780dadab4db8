using System.Buffers;
using System.Text;

namespace Ashlar.Processes;

/// <summary>
/// Finds the processes that belong to one start: those of its session, those that descend from it, those in its cgroup, and those that
/// left all of these but still carry its tag in their environment.
/// </summary>
/// <param name="leader">Leader of the session; null: only the tag is known.</param>
/// <param name="tag">Value of <c>ASHLAR_INSTANCE_ID</c>.</param>
/// <param name="group">Its cgroup, or null.</param>
internal sealed class GroupMembers(ProcessIdentity? leader, string tag, ControlGroup? group)
{
    private readonly byte[] _marker = Encoding.UTF8.GetBytes($"{ChildEnvironment.TagVariable}={tag}\0");

    private const int KillRounds = 200;
    private readonly HashSet<(int Pid, long StartTime)> _remembered = [];

    /// <summary>
    /// Notes who the members are. To be called before the leader is killed: some leave its session and write over their environment
    /// (PostgreSQL's), and when it is gone they descend from nobody.
    /// </summary>
    public void Remember()
    {
        lock (_remembered)
            _remembered.UnionWith(Find().Select(stat => (stat.Pid, stat.StartTime)));
    }

    /// <summary>The members that live, without the leader.</summary>
    public List<ProcessStat> Find()
    {
        var grouped = group?.Pids();
        var table = ProcessTable.Read();
        // A session's id is not given away while a member lives; if another process has it, then ours is empty.
        var session = leader is not null && !table.Exists(stat => stat.Pid == leader.Pid && stat.StartTime != leader.StartTime)
            ? leader.Pid
            : -1;
        var ancestry = new Ancestry(new HashSet<int> { session });
        foreach (var stat in table)
            ancestry.Add(stat);
        lock (_remembered)
        {
            return table.FindAll(stat => !stat.IsZombie && stat.Pid != leader?.Pid && stat.Pid != Environment.ProcessId
                && (ancestry.LeaderOf(stat.Pid) == session || _remembered.Contains((stat.Pid, stat.StartTime))
                    || grouped?.Contains(stat.Pid) is true || HasTag(stat.Pid)));
        }
    }

    /// <summary>Waits until no member lives; false if it was cancelled before.</summary>
    public async Task<bool> EndedAsync(ExitWatcher watcher, CancellationToken cancellationToken)
    {
        for (var left = Find(); left.Count > 0; left = Find())
        {
            if (cancellationToken.IsCancellationRequested)
                return false;
            using var handle = Open(left[0]);
            try
            {
                if (handle is not null)
                    await watcher.WaitAsync(handle, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Kills all members, also those that fork meanwhile, and waits until they are gone. Gives how many there were.</summary>
    public async Task<int> KillAsync(ExitWatcher watcher, TimeProvider time)
    {
        var killed = new HashSet<(int, long)>();
        for (var round = 0; round < KillRounds; round++)
        {
            var left = Find();
            if (left.Count == 0)
                break;
            if (group?.Kill() is not true)
                left = StandStill(left);
            foreach (var member in left)
            {
                Signal(member, Signals.Kill);
                killed.Add((member.Pid, member.StartTime));
            }
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1), time);
            await EndedAsync(watcher, patience.Token);
        }
        return killed.Count;
    }

    /// <summary>Sends a signal to exactly the process meant; false if it is gone.</summary>
    public static bool Signal(in ProcessStat member, int signal)
    {
        using var handle = Open(member);
        return handle is not null && ManagedProcess.SendTo(handle, signal);
    }

    /// <summary>
    /// Stops all members before any is killed: what stands still does not fork, so that a tree which grows faster than it is
    /// killed comes to its end too.
    /// </summary>
    private List<ProcessStat> StandStill(List<ProcessStat> found)
    {
        var stopped = new HashSet<(int, long)>();
        for (var round = 0; round < KillRounds; round++)
        {
            var grew = false;
            foreach (var member in found)
            {
                if (stopped.Add((member.Pid, member.StartTime)))
                    grew |= Signal(member, Signals.Stop);
            }
            if (!grew)
                return found;
            found = Find();
        }
        return found;
    }

    private static FileDescriptor? Open(in ProcessStat member)
    {
        var handle = FileDescriptor.OfProcess(member.Pid);
        if (handle is null || (ProcessTable.TryRead(member.Pid, out var now) && now.StartTime == member.StartTime))
            return handle;
        handle.Dispose();
        return null;
    }

    private bool HasTag(int pid)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(128 * 1024);
        try
        {
            var length = ProcessTable.ReadSmall($"/proc/{pid}/environ", buffer);
            if (length <= 0)
                return false;
            var at = buffer.AsSpan(0, length).IndexOf(_marker);
            return at == 0 || (at > 0 && buffer[at - 1] == 0);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
