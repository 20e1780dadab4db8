using System.Globalization;

namespace Ashlar.Processes.Tests.Groups;

public sealed class StrayTests
{
    private static int Pid(Lab lab, string name)
    {
        var file = Path.Combine(lab.Folder, name);
        return File.Exists(file) && int.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out var pid) ? pid : 0;
    }

    [Fact] // 5, 14
    public async Task What_leaves_the_session_is_stopped_too()
    {
        using var lab = new Lab();
        var process = lab.StartShell("setsid sh -c 'trap \"\" TERM; echo $$ > stray; while :; do sleep 0.01; done' & while :; do sleep 0.01; done");
        await Lab.Until(() => Pid(lab, "stray") > 0, "the stray");
        var report = await process.StopAsync(TimeSpan.FromMilliseconds(200));
        Assert.True(report.Strays >= 1);
        Assert.False(Lab.Lives(Pid(lab, "stray")));
    }

    [Fact] // 14
    public async Task A_daemon_left_by_a_leader_that_ended_is_ended_too_and_counted()
    {
        using var lab = new Lab();
        var exit = await lab.RunShell("setsid sh -c 'echo $$ > stray; exec sleep 1000' & while [ ! -s stray ]; do sleep 0.01; done; exit 0");
        Assert.Equal((0, 1), (exit.Code, exit.LeftBehind));
        Assert.Contains("left 1 process behind", ProcessErrors.WentToBackground("web.1", exit.LeftBehind).Error.Message);
        Assert.False(Lab.Lives(Pid(lab, "stray")));
    }

    [Fact] // 6
    public async Task Without_a_cgroup_strays_are_found_by_the_tag_in_their_environment()
    {
        using var lab = new Lab();
        var spec = lab.Shell("echo $$ > stray; exec sleep 1000");
        var other = lab.Start(spec with { Tag = spec.Tag + "0" }); // Only the whole tag counts.
        await Lab.Until(() => Pid(lab, "stray") > 0, "the stray");
        Assert.Equal(0, await lab.Launcher.SweepAsync(spec.Tag));
        Assert.True(Lab.Lives(other.Identity.Pid));
        Assert.Equal(1, await lab.Launcher.SweepAsync(spec.Tag + "0"));
        Assert.Equal(9, (await other.Exited.WaitAsync(Lab.Patience)).Signal);
    }

    [Theory] // 5
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_bomb_of_daemons_that_fork_away_is_ended(bool useControlGroup)
    {
        using var lab = new Lab();
        var spec = lab.Shell("""
            END=$(($(date +%s) + 20)); export END
            cat > bomb <<'END'
            [ $(date +%s) -lt $END ] && [ -e bomb ] || exit 0 # Should the test fail, it fizzles out.
            trap '' TERM
            echo $$ >> pids
            sleep 0.02
            setsid sh ./bomb & setsid sh -c 'exec sleep 20' &
            exec sleep 0.01
            END
            sh ./bomb; sh ./bomb; sh ./bomb; while :; do sleep 0.01; done
            """);
        var process = useControlGroup ? lab.Start(spec) : lab.StartWithoutControlGroup(spec);
        var pids = Path.Combine(lab.Folder, "pids");
        await Lab.Until(() => File.Exists(pids) && File.ReadLines(pids).Count() > 10, "the bomb to go off");
        await process.StopAsync(TimeSpan.FromMilliseconds(50)).AsTask().WaitAsync(Lab.Patience);
        Assert.Empty(new GroupMembers(null, spec.Tag, null).Find());
    }
}
