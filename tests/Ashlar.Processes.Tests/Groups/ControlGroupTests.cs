using Ashlar.Testing;

namespace Ashlar.Processes.Tests.Groups;

public sealed class ControlGroupTests
{
    [Fact] // 40
    public async Task A_limit_that_is_refused_is_a_warning_and_the_process_runs()
    {
        using var lab = new Lab();
        var process = lab.StartWithoutControlGroup(lab.Shell("echo runs") with { Cpu = 0.5, Memory = 64 << 20 });
        Assert.Equal(2, process.Warnings.Length);
        Assert.Contains("no CPU limit", process.Warnings[0]);
        Assert.Contains("no memory limit", process.Warnings[1]);
        Assert.Equal(0, (await process.Exited).Code);
        Assert.Equal("runs\n", lab.Log);
    }

    [Fact] // 25
    public async Task A_kill_by_the_memory_limit_is_shown_as_such()
    {
        using var lab = new Lab();
        var process = lab.Start(lab.Shell("perl -e '$x = \"x\" x 200000000'; exit 3") with { Memory = 32 << 20 });
        var exit = await process.Exited.WaitAsync(Lab.Patience);
        if (process.Warnings.Length > 0)
            return; // No cgroup to be had here.
        Assert.True(exit.OutOfMemory);
        Assert.Equal("out of memory (limit 32 MiB)", exit.ToString());
        Assert.False(exit.Success);
    }

    [Fact] // 40
    public async Task A_cpu_limit_holds_from_the_first_instruction_on()
    {
        using var lab = new Lab();
        var process = lab.Start(lab.Shell("cat /proc/self/cgroup; perl -e 'while ((times)[0] + (times)[1] < 0.3) {}'") with { Cpu = 0.5 });
        Assert.Equal(0, (await process.Exited.WaitAsync(Lab.Patience)).Code);
        if (process.Warnings.Length == 0)
            Assert.Contains($"/ashlar/test-{Environment.ProcessId}/", lab.Log);
    }

    [Fact] // 40
    public async Task The_cgroup_is_gone_when_the_process_is()
    {
        using var lab = new Lab();
        var process = lab.Start(lab.Shell("echo up; sleep 1000") with { Cpu = 1, Memory = 64 << 20 });
        await lab.LogHolds("up");
        var group = ControlGroups.Find($"test-{Environment.ProcessId}", process.Tag, process.Identity.Pid, null);
        Assert.Equal(lab.Launcher.HasControlGroups, group is not null);
        await process.StopAsync(Lab.Patience);
        Assert.Empty(Directory.Exists("/sys/fs/cgroup")
            ? Directory.EnumerateDirectories("/sys/fs/cgroup", "*" + lab.Name + "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
            : []);
    }

    [Theory]
    [InlineData("/user.slice/x", "", "/user.slice/x")]
    [InlineData("/system.slice/ashlar.service/ashlar-agent", "", "/system.slice/ashlar.service")]
    public void In_a_pure_v2_tree_limits_are_written_in_its_own_words_below_our_own_cgroup(string own, string root, string expected)
    {
        using var folder = new TempFolder();
        foreach (var path in new[] { own, expected })
        {
            Directory.CreateDirectory(folder.Path + path);
            File.WriteAllText(folder.Path + path + "/cgroup.controllers", "cpuset cpu io memory pids\n");
        }
        foreach (var below in new[] { "", "/ashlar", "/ashlar/shop" })
            folder.Write((expected + below + "/cgroup.subtree_control").TrimStart('/'), "");
        foreach (var file in new[] { "cpu.max", "memory.max", "cgroup.procs", "memory.events" })
            folder.Write($"{expected}/ashlar/shop/web.1%2F7/{file}".TrimStart('/'), "");
        var groups = ControlGroups.Detect([$"30 23 0:26 /{root} {folder.Path} rw,nosuid - cgroup2 cgroup2 rw"], [$"0::{own}"]);

        var group = groups.Make("shop", "web.1/7", 1.5, 512 << 20, out var warnings);

        Assert.Empty(warnings);
        var made = $"{folder.Path}{expected}/ashlar/shop/web.1%2F7";
        Assert.Equal("150000 100000", File.ReadAllText(made + "/cpu.max"));
        Assert.Equal("536870912", File.ReadAllText(made + "/memory.max"));
        Assert.Equal("+cpu +memory", File.ReadAllText($"{folder.Path}{expected}/cgroup.subtree_control"));
        Assert.Equal([made + "/cgroup.procs"], group!.Doors);
        File.WriteAllText(made + "/memory.events", "low 0\nhigh 0\nmax 4\noom 2\noom_kill 2\noom_group_kill 0\n");
        Assert.Equal(2, group.OutOfMemoryKills());
    }

    [Fact]
    public void Nonsense_in_the_kernels_tables_means_no_cgroup()
    {
        Assert.False(ControlGroups.Detect(["", "a b", "1 2 3 4 5 - cgroup2", "x - y - z"], ["", ":", "0:", "::"]).Available);
        Assert.False(ControlGroups.Detect(["30 23 0:26 / /no/such/mount rw - cgroup2 cgroup2 rw"], ["0::/"]).Available);
    }
}
