using System.Diagnostics;

namespace Ashlar.Processes.Tests.Groups;

public sealed class ReapingTests
{
    [Fact] // 11
    public async Task It_lives_beside_the_process_class_of_dotnet()
    {
        using var lab = new Lab();
        using var theirs = Process.Start("/bin/sh", ["-c", "sleep 0.1; exit 9"]);
        for (var i = 0; i < 10; i++)
            Assert.Equal(i, (await lab.RunShell($"exit {i}")).Code);
        await theirs.WaitForExitAsync().WaitAsync(Lab.Patience);
        Assert.Equal(9, theirs.ExitCode);
    }

    [Fact] // 10, 11
    public async Task A_dead_child_that_nobody_wants_is_reaped_by_its_pid_in_the_second_pass()
    {
        using var lab = new Lab();
        using var log = FileDescriptor.Open("/dev/null", Libc.O_WRONLY, 0, out _)!;
        var pid = Spawn.Start("/bin/true", ["true"], [], "/", log.Number, []);
        var reaper = new OrphanReaper();
        await Lab.Until(() => ProcessTable.TryRead(pid, out var stat) && stat.IsZombie, "the zombie");
        reaper.Reap(new HashSet<int>());
        Assert.True(ProcessTable.TryRead(pid, out _));
        reaper.Reap(new HashSet<int> { pid });
        Assert.True(ProcessTable.TryRead(pid, out _)); // Ours: left alone, whatever the number of passes.
        reaper.Reap(new HashSet<int>());
        reaper.Reap(new HashSet<int>());
        Assert.False(ProcessTable.TryRead(pid, out _));
    }

    [Fact] // 13
    public async Task The_end_is_known_though_a_grandchild_keeps_the_output_open()
    {
        using var lab = new Lab();
        var exit = await lab.RunShell("sleep 1000 & exit 4");
        Assert.Equal((4, 1), (exit.Code, exit.LeftBehind));
    }

    [Fact] // 16
    public async Task The_chain_of_tools_before_a_program_keeps_its_pid()
    {
        using var lab = new Lab();
        var process = lab.Start(lab.Shell("echo $$") with { OpenFiles = 100, Cpu = 1 });
        await process.Exited;
        Assert.Equal($"{process.Identity.Pid}\n", lab.Log);
    }
}
