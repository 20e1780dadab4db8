namespace Ashlar.Processes.Tests.Groups;

public sealed class StopTests
{
    [Fact] // 3
    public async Task Sigterm_is_reported_when_it_was_enough()
    {
        using var lab = new Lab();
        var process = lab.StartShell("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done");
        await lab.LogHolds("ready");
        var report = await process.StopAsync(Lab.Patience);
        Assert.Equal((7, false, 0), (report.Exit.Code, report.Killed, report.Strays));
        Assert.EndsWith("bye\n", lab.Log);
        Assert.Contains("SIGTERM", report.ToString());
    }

    [Fact] // 3
    public async Task Sigkill_is_reported_when_the_grace_was_not_enough()
    {
        using var lab = new Lab();
        var process = lab.StartShell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
        await lab.LogHolds("ready");
        var report = await process.StopAsync(TimeSpan.FromMilliseconds(100));
        Assert.Equal((9, true), (report.Exit.Signal, report.Killed));
        Assert.Contains("SIGKILL", report.ToString());
    }

    [Fact] // 1
    public async Task The_whole_group_gets_the_signal_not_only_the_leader()
    {
        using var lab = new Lab();
        var process = lab.StartShell("""
            sh -c 'trap "echo child; exit" TERM; echo one; while :; do sleep 0.01; done' &
            trap 'wait; echo leader; exit' TERM; echo two; while :; do sleep 0.01; done
            """);
        await lab.LogHolds("one");
        await lab.LogHolds("two");
        var report = await process.StopAsync(Lab.Patience);
        Assert.False(report.Killed);
        Assert.Contains("child\n", lab.Log);
        Assert.EndsWith("leader\n", lab.Log);
    }

    [Fact]
    public async Task A_member_that_needs_its_grace_gets_it_after_the_leader_is_gone()
    {
        using var lab = new Lab();
        var process = lab.StartShell("""
            sh -c 'trap "sleep 0.3; echo done; exit" TERM; echo ready; while :; do sleep 0.01; done' &
            while :; do sleep 0.01; done
            """);
        await lab.LogHolds("ready");
        var report = await process.StopAsync(Lab.Patience);
        Assert.Equal((15, false, 0), (report.Exit.Signal, report.Killed, report.Strays));
        Assert.EndsWith("done\n", lab.Log);
    }

    [Fact]
    public async Task What_the_leader_forks_with_signals_blocked_gets_the_signal_that_it_missed()
    {
        using var lab = new Lab();
        var process = lab.Start(lab.Spec("/usr/bin/env", "-S", "PATH=" + Environment.GetEnvironmentVariable("PATH"), "python3", "-c", """
            import os, signal, time
            def blocked(how): signal.pthread_sigmask(how, {signal.SIGTERM})
            blocked(signal.SIG_BLOCK)
            print("ready", flush=True)
            while not signal.sigpending(): time.sleep(0.001)
            if os.fork() == 0:
                blocked(signal.SIG_UNBLOCK)
                os.execv("/bin/sleep", ["sleep", "1000"])
            blocked(signal.SIG_UNBLOCK)
            """));
        await lab.LogHolds("ready");
        var report = await process.StopAsync(TimeSpan.FromHours(1)).AsTask().WaitAsync(Lab.Patience);
        Assert.Equal((15, false, 1), (report.Exit.Signal, report.Killed, report.Exit.LeftBehind));
    }

    [Fact] // 8
    public async Task A_second_stop_without_grace_kills_at_once()
    {
        using var lab = new Lab();
        var process = lab.StartShell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
        await lab.LogHolds("ready");
        var first = process.StopAsync(TimeSpan.FromHours(1));
        var second = await process.StopAsync(TimeSpan.Zero).AsTask().WaitAsync(Lab.Patience);
        Assert.True(second.Killed);
        Assert.True((await first).Killed);
    }

    [Fact]
    public async Task A_process_that_was_stopped_with_sigstop_wakes_up_to_end()
    {
        using var lab = new Lab();
        var process = lab.StartShell("trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done");
        await lab.LogHolds("ready");
        Assert.True(process.SignalGroup(Signals.Stop));
        var report = await process.StopAsync(Lab.Patience);
        Assert.Equal(3, report.Exit.Code);
    }

    [Fact]
    public async Task A_stop_of_what_has_ended_tells_how_it_ended()
    {
        using var lab = new Lab();
        var process = lab.StartShell("exit 5");
        await process.Exited;
        Assert.False(process.Signal(Signals.Terminate));
        Assert.False(process.SignalGroup(Signals.Terminate));
        var report = await process.StopAsync(Lab.Patience);
        Assert.Equal((5, false), (report.Exit.Code, report.Killed));
    }
}
