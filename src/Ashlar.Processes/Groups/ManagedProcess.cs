using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Ashlar.Processes;

/// <summary>
/// One process group that we watch over: a session leader with all that it starts. Made by <see cref="ProcessLauncher"/>.
/// </summary>
/// <remarks>
/// The leader stays unreaped until the last of its group is gone. So long its pid cannot be given away, and a signal to the
/// group can meet no stranger.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "It lets go of what it holds when its process has ended.")]
public sealed class ManagedProcess
{
    /// <summary>Time that processes get which outlive a leader that ended by itself, between SIGTERM and SIGKILL.</summary>
    public static readonly TimeSpan LeftoverGrace = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan ForeignStatusPatience = TimeSpan.FromSeconds(1);

    private readonly FileDescriptor _handle;
    private readonly ControlGroup? _group;
    private readonly GroupMembers _members;
    private readonly ExitWatcher _watcher;
    private readonly TimeProvider _time;
    private readonly long _oomKillsBefore;
    private readonly CancellationTokenSource _killNow;
    private readonly Lock _lock = new();
    private long? _deadline;
    private long _stopBegan;
    private long _stopTick = long.MaxValue;
    private bool _killed;
    private int _strays;
    private bool _released;

    internal ManagedProcess(ProcessIdentity identity, string tag, FileDescriptor handle, ControlGroup? group,
        ImmutableArray<string> warnings, ExitWatcher watcher, TimeProvider time)
    {
        Identity = identity;
        Tag = tag;
        Warnings = warnings;
        _handle = handle;
        _group = group;
        _members = new GroupMembers(identity, tag, group);
        _watcher = watcher;
        _time = time;
        _oomKillsBefore = group?.OutOfMemoryKills() ?? 0;
        _killNow = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        Exited = Task.Run(WatchAsync);
    }

    /// <summary>Names the leader for ever; to be stored for <see cref="ProcessLauncher.Adopt"/>.</summary>
    public ProcessIdentity Identity { get; }

    /// <summary>The tag of this start.</summary>
    public string Tag { get; }

    /// <summary>What could not be had at the start (a limit that this machine refuses), for people.</summary>
    public ImmutableArray<string> Warnings { get; }

    /// <summary>Completes when the leader has ended and nothing of its group is left.</summary>
    public Task<ExitReport> Exited { get; }

    /// <summary>Sends a signal to the leader. False: it has ended, or it may not be signalled by us.</summary>
    public bool Signal(int signal)
    {
        lock (_lock)
            return !_released && SendTo(_handle, signal);
    }

    /// <summary>Sends a signal to every process of the group. False: there is none left, or none that we may signal.</summary>
    public bool SignalGroup(int signal)
    {
        lock (_lock)
            return !_released && ProcessTable.Is(Identity) && Libc.kill(-Identity.Pid, signal) == 0;
    }

    /// <summary>
    /// SIGTERM to the group, or what else it is asked to end by; after the grace SIGKILL to all that is left, wherever it went. Called
    /// again with a shorter grace it hastens a stop that is under way; zero kills at once.
    /// </summary>
    /// <param name="grace">Time between the request and SIGKILL.</param>
    /// <param name="request">How it is asked.</param>
    public async ValueTask<StopReport> StopAsync(TimeSpan grace, StopRequest request = StopRequest.TerminateGroup)
    {
        lock (_lock)
        {
            var now = _time.GetTimestamp();
            if (_deadline is null)
            {
                _stopBegan = now;
                _stopTick = ProcessTable.Now();
                if (grace > TimeSpan.Zero && Ask(request))
                    SignalGroup(Signals.Continue); // A stopped process would sleep through it.
            }
            var deadline = now + (long)(Math.Max(0, grace.TotalSeconds) * _time.TimestampFrequency);
            if (!_released && (_deadline is null || deadline < _deadline))
            {
                _deadline = deadline;
                if (grace > TimeSpan.Zero)
                    _killNow.CancelAfter(grace);
                else
                    _killNow.Cancel();
            }
        }
        var exit = await Exited;
        return new StopReport(exit, _killed, _strays, _time.GetElapsedTime(_stopBegan));
    }

    /// <summary>True: a stop has been asked for, so its end is no crash.</summary>
    public bool Stopping
    {
        get
        {
            lock (_lock)
                return _deadline is not null;
        }
    }

    private bool Ask(StopRequest request) => request switch
    {
        StopRequest.InterruptLeader => Signal(Signals.Interrupt),
        StopRequest.TerminateLeader => Signal(Signals.Terminate),
        _ => SignalGroup(Signals.Terminate),
    };

    internal static bool SendTo(FileDescriptor process, int signal) =>
        Libc.syscall(Libc.SYS_pidfd_send_signal, process.Number, signal, 0, 0) == 0;

    /// <summary>Ends and reaps a child that cannot be watched.</summary>
    internal static unsafe void Abandon(int pid)
    {
        _ = Libc.kill(-pid, Signals.Kill);
        _ = Libc.kill(pid, Signals.Kill);
        _ = Libc.waitpid(pid, null, 0);
    }

    private async Task<ExitReport> WatchAsync()
    {
        try
        {
            await _watcher.WaitAsync(_handle, _killNow.Token);
        }
        catch (OperationCanceledException) when (_killNow.IsCancellationRequested)
        {
            _killed = true;
            _members.Remember();
            SignalGroup(Signals.Kill);
            Signal(Signals.Kill);
            await _watcher.WaitAsync(_handle);
        }
        var exit = await ReadStatusAsync();
        var left = await EndLeftoversAsync();
        return Release(exit) with { LeftBehind = left };
    }

    /// <summary>Brings to an end what outlives the leader; gives how many that were.</summary>
    private async Task<int> EndLeftoversAsync()
    {
        if (!_killed)
        {
            var left = _members.Find();
            if (left.Count == 0)
                return 0;
            var stopping = Stopping;
            if (!stopping)
                _killNow.CancelAfter(LeftoverGrace);
            foreach (var member in left)
            {
                // In a stop those that stayed in the group have had their SIGTERM: a second one means "at once" to some.
                if (!stopping || member.Group != Identity.Pid || IsMissed(member, left))
                    GroupMembers.Signal(member, Signals.Terminate);
            }
            if (await _members.EndedAsync(_watcher, _killNow.Token))
                return left.Count;
            _killed |= stopping;
            _strays = await _members.KillAsync(_watcher, _time);
            return left.Count;
        }
        _strays = await _members.KillAsync(_watcher, _time);
        return _strays;
    }

    /// <summary>
    /// True: the leader started it after the signal, while it had signals blocked (shells have when they fork), so it was not there
    /// to get it. What another member starts in its own shutdown is that member's affair.
    /// </summary>
    private bool IsMissed(ProcessStat member, List<ProcessStat> all) =>
        member.StartTime >= _stopTick && !all.Exists(other => other.Pid == member.Parent);

    private async Task<ExitReport> ReadStatusAsync()
    {
        if (ChildStatus(Libc.WNOWAIT) is { } own)
            return own;
        // Not our child: the kernel tells its status once its parent has reaped it, if it is new enough to tell at all.
        var began = _time.GetTimestamp();
        do
        {
            if (ForeignStatus(out var supported) is { } foreign)
                return foreign;
            if (!supported)
                break;
            await Task.Delay(TimeSpan.FromMilliseconds(20), _time);
        }
        while (_time.GetElapsedTime(began) < ForeignStatusPatience);
        return new ExitReport();
    }

    private unsafe ExitReport? ChildStatus(int extra)
    {
        Libc.SigInfo info = default;
        if (Libc.waitid(Libc.P_PIDFD, (uint)_handle.Number, &info, Libc.WEXITED | Libc.WNOHANG | extra) != 0 || info.Pid == 0)
            return null;
        return info.Code == Libc.CLD_EXITED ? new ExitReport { Code = info.Status } : new ExitReport { Signal = info.Status };
    }

    private unsafe ExitReport? ForeignStatus(out bool supported)
    {
        var info = new Libc.PidfdInfo { Mask = Libc.PidfdInfo.ExitMask };
        var answer = Libc.ioctl(_handle.Number, Libc.PidfdInfo.Request, &info);
        supported = answer == 0 || Marshal.GetLastPInvokeError() == Libc.ESRCH;
        return answer == 0 && (info.Mask & Libc.PidfdInfo.ExitMask) != 0 ? ExitReport.FromWaitStatus(info.ExitCode) : null;
    }

    private ExitReport Release(ExitReport exit)
    {
        lock (_lock)
        {
            _released = true;
            ChildStatus(extra: 0);
            _handle.Dispose();
        }
        _killNow.Dispose();
        if (_group is null)
            return exit;
        var report = exit with { OutOfMemory = _group.OutOfMemoryKills() > _oomKillsBefore, MemoryLimit = _group.MemoryLimit };
        _group.Remove();
        return report;
    }
}
