namespace Ashlar.Processes.Tests.Groups;

public sealed class AdoptionTests
{
    private const string UntilGo = "while [ ! -e go ]; do sleep 0.01; done; ";

    private static async Task<ProcessIdentity> Orphan(Lab lab, string script, string tag)
    {
        var supervisor = lab.StartWithoutControlGroup(lab.Spec([.. Supervisor.Command("start", lab.Folder, script, tag)]));
        var line = (await lab.LogHolds("\n")).Split('\n')[0];
        // The supervisor alone is killed; what it started is in a session of its own.
        Assert.True(supervisor.Signal(Signals.Kill));
        Assert.Equal(9, (await supervisor.Exited.WaitAsync(Lab.Patience)).Signal);
        return Supervisor.Parse(line);
    }

    [Fact] // 17, 31
    public async Task Killing_the_supervisor_leaves_its_children_running_and_writing_and_the_next_one_adopts_them()
    {
        using var lab = new Lab();
        var identity = await Orphan(lab, "n=0; while [ ! -e go ]; do echo tick; n=$((n+1)); sleep 0.01; done; echo last", lab.Name);
        var log = Path.Combine(lab.Folder, "child.log");
        var length = new FileInfo(log).Length;
        await Lab.Until(() => new FileInfo(log).Length > length + 20, "the orphan to write on");
        var adopted = lab.Launcher.Adopt(identity, lab.Name)!;
        Assert.Equal(identity, adopted.Identity);
        var report = await adopted.StopAsync(Lab.Patience).AsTask().WaitAsync(Lab.Patience);
        Assert.False(report.Killed);
        Assert.False(Lab.Lives(identity.Pid));
    }

    [Fact] // 18
    public async Task The_exit_code_of_an_adopted_process_is_right_or_unknown_but_never_wrong()
    {
        using var lab = new Lab();
        var identity = await Orphan(lab, UntilGo + "exit 37", lab.Name);
        var adopted = lab.Launcher.Adopt(identity, lab.Name)!;
        File.WriteAllText(Path.Combine(lab.Folder, "go"), "");
        var exit = await adopted.Exited.WaitAsync(Lab.Patience);
        Assert.True(exit.Code is 37 or null && exit.Signal is null, exit.ToString());
        Assert.Equal(exit.Code is null ? "exit code unknown" : "exit 37", exit.ToString());
    }

    [Fact] // 19
    public async Task A_pid_that_belongs_to_another_process_now_is_not_adopted()
    {
        using var lab = new Lab();
        var process = lab.StartShell("sleep 1000");
        var identity = process.Identity;
        Assert.Null(lab.Launcher.Adopt(identity with { StartTime = identity.StartTime - 1 }, process.Tag));
        Assert.Null(lab.Launcher.Adopt(identity with { BootId = Guid.Empty.ToString() }, process.Tag));
        Assert.True(Lab.Lives(identity.Pid));
        await process.StopAsync(TimeSpan.Zero);
        Assert.Null(lab.Launcher.Adopt(identity, process.Tag));
    }

    [Fact] // 5, 17
    public async Task What_a_dead_leader_left_behind_is_found_by_its_tag()
    {
        using var lab = new Lab();
        var identity = await Orphan(lab, "setsid sleep 1000 & echo $! > left; " + UntilGo, lab.Name);
        await Lab.Until(() => File.Exists(Path.Combine(lab.Folder, "left")), "the daemon");
        using (var leader = FileDescriptor.OfProcess(identity.Pid)!)
            ManagedProcess.SendTo(leader, Signals.Kill);
        await Lab.Until(() => !Lab.Lives(identity.Pid), "the leader to die");
        await Lab.Until(() => new GroupMembers(null, lab.Name, null).Find().Exists(stat => ProcessTable.Name(stat.Pid) == "sleep"), "the daemon");
        Assert.True(await lab.Launcher.SweepAsync(lab.Name) >= 1);
        Assert.Empty(new GroupMembers(null, lab.Name, null).Find());
    }

    [Fact] // 17
    public async Task After_an_execve_in_place_children_are_children_still_and_their_exit_code_is_known()
    {
        using var lab = new Lab();
        var supervisor = lab.Start(lab.Spec([.. Supervisor.Command("replace", lab.Folder, UntilGo + "exit 37", lab.Name)]));
        Assert.Equal(0, (await supervisor.Exited.WaitAsync(Lab.Patience)).Code);
        var lines = lab.Log.Split('\n');
        Assert.Equal($"before {supervisor.Identity.Pid}", lines[1]);
        Assert.Equal($"after {supervisor.Identity.Pid} in {lab.Folder}", lines[2]);
        Assert.Equal("exit 37", lines[3]);
    }

    [Fact] // 7
    public async Task A_program_that_replaces_ours_gets_default_signals_no_descriptors_and_its_own_environment()
    {
        using var lab = new Lab();
        var script = "grep -E '^Sig(Ign|Blk)' /proc/self/status; ls /proc/self/fd | wc -l; env | grep -v PWD; yes | head -n 1; exit 6";
        var exit = await lab.Run(lab.Spec([.. Supervisor.Command("exec", "/bin/sh", "-c", script)]));
        Assert.Equal(6, exit.Code);
        var lines = lab.Log.Split('\n');
        Assert.EndsWith("0000000000000000", lines[0]);
        Assert.Matches("0000000[01][08]0000000$", lines[1]);
        Assert.Equal("4", lines[2]);
        Assert.Equal(["ONLY=this", "PATH=/usr/bin:/bin"], lines[3..5].Order());
        Assert.Equal("y", lines[5]);
    }

    [Fact]
    public void A_program_that_cannot_replace_ours_leaves_us_as_we_were()
    {
        var before = File.ReadLines("/proc/thread-self/status").Where(line => line.StartsWith("Sig")).ToArray();
        var folder = Environment.CurrentDirectory;
        var error = Assert.Throws<Ashlar.Errors.AshlarException>(() =>
            ExecInPlace.Run("/no/such/program", ["x"], new Dictionary<string, string>(), "/")).Error;
        Assert.Equal("ASH2010", error.Code);
        Assert.Equal(folder, Environment.CurrentDirectory);
        Assert.Equal(before[^2..], File.ReadLines("/proc/thread-self/status").Where(line => line.StartsWith("Sig")).ToArray()[^2..]);
    }
}
