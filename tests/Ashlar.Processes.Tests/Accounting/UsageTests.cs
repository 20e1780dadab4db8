using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Ashlar.Processes.Tests.Accounting;

public sealed partial class UsageTests
{
    /// <summary>Burns CPU for about the time given, in a process of its own that is reaped, and then waits.</summary>
    private const string Burn = "perl -e 'while ((times)[0] < 0.5) {}'";

    /// <summary>CPU seconds of a shell's children that it has reaped, as its <c>times</c> tells: on a busy host far more than they were asked to burn.</summary>
    private static double Told(string log) => Times().Matches(log).Skip(2).Take(2)
        .Sum(match => (60 * double.Parse(match.Groups["m"].ValueSpan, CultureInfo.InvariantCulture)) + double.Parse(match.Groups["s"].ValueSpan, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"(?<m>\d+)m(?<s>[\d.]+)s", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Times();

    private static async Task<ProcessUsage> Settled(Lab lab, ManagedProcess process, UsageSampler sampler)
    {
        await lab.LogHolds("burnt");
        return sampler.Sample([process.Identity.Pid])[process.Identity.Pid];
    }

    [Fact] // 39
    public async Task Cpu_of_children_that_have_been_reaped_is_counted()
    {
        using var lab = new Lab();
        var time = new ManualTime();
        var process = lab.StartShell($"{Burn}; {Burn}; times; echo burnt; sleep 1000");
        var sampler = new UsageSampler(time);
        sampler.Sample([process.Identity.Pid]);
        time.Advance(10);
        var usage = await Settled(lab, process, sampler);
        var told = Told(await lab.LogHolds("burnt"));
        Assert.True(told > 0.9, $"{told} s");
        Assert.InRange(usage.CpuTime.TotalSeconds, told - 0.1, told + 0.3);
        Assert.Equal(usage.CpuTime.TotalSeconds / 10, usage.Cpu, 0.02); // In 10 s by this clock.
    }

    [Fact] // 39
    public async Task Memory_is_pss_because_rss_counts_shared_pages_for_each()
    {
        using var lab = new Lab();
        var process = lab.StartShell("perl -e '$x = \"x\" x 50000000; for (1..3) { unless (fork) { sleep 1000; exit } } $| = 1; print \"burnt\\n\"; sleep 1000' & wait");
        var sampler = new UsageSampler(TimeProvider.System);
        var usage = await Settled(lab, process, sampler);
        usage = sampler.Sample([process.Identity.Pid])[process.Identity.Pid]; // A few new processes a pass.
        Assert.Equal(5, usage.Pids.Length);
        Assert.InRange(usage.Rss, 190_000_000, 600_000_000);
        Assert.InRange(usage.Memory, 48_000_000, usage.Rss / 2);
        Assert.Equal(5, usage.Threads);
    }

    [Fact]
    public async Task Memory_is_pss_from_the_first_sample_and_goes_with_the_process_between_readings()
    {
        using var lab = new Lab();
        var process = lab.StartShell("exec perl -e '$| = 1; $x = \"x\" x 30000000; print \"burnt\\n\"; <STDIN>; sleep 1000'");
        var sampler = new UsageSampler(new ManualTime());
        var usage = await Settled(lab, process, sampler);
        Assert.NotNull(usage.Pss);
        for (var i = 0; i < 20; i++)
        {
            var next = sampler.Sample([process.Identity.Pid])[process.Identity.Pid];
            Assert.InRange(next.Memory, usage.Memory * 0.95, usage.Memory * 1.05);
        }
    }

    [Fact]
    public async Task Cpu_is_told_after_a_whole_interval_and_stays_until_the_next_is_over()
    {
        using var lab = new Lab();
        var time = new ManualTime();
        var process = lab.StartShell($"{Burn}; times; echo burnt; sleep 1000");
        var sampler = new UsageSampler(time);
        sampler.Sample([process.Identity.Pid]);
        time.Advance(0.01);
        Assert.Equal(0, (await Settled(lab, process, sampler)).Cpu);
        time.Advance(0.99);
        var whole = sampler.Sample([process.Identity.Pid])[process.Identity.Pid].Cpu;
        var told = Told(await lab.LogHolds("burnt"));
        Assert.InRange(whole, told - 0.1, told + 0.3);
        time.Advance(0.01);
        Assert.Equal(whole, sampler.Sample([process.Identity.Pid])[process.Identity.Pid].Cpu);
        time.Advance(1);
        Assert.Equal(0, sampler.Sample([process.Identity.Pid])[process.Identity.Pid].Cpu, 1);
    }

    [Fact]
    public async Task Cpu_of_a_group_is_not_its_starters_when_it_has_ended()
    {
        using var lab = new Lab();
        var time = new ManualTime();
        var process = lab.StartShell($"{Burn}; {Burn}; {Burn}; {Burn}; echo burnt; sleep 1000");
        var sampler = new UsageSampler(time);
        await lab.LogHolds("burnt");
        sampler.Sample([Environment.ProcessId, process.Identity.Pid]);
        await process.StopAsync(TimeSpan.Zero);
        time.Advance(10);
        Assert.InRange(sampler.Sample([Environment.ProcessId])[Environment.ProcessId].Cpu, 0, 0.15); // The group would add 2 s in 10.
    }

    [Fact]
    public async Task Processes_are_listed_leader_first_and_gone_groups_are_missing()
    {
        using var lab = new Lab();
        var process = lab.StartShell("sleep 1000 & sleep 1000 & echo burnt; wait");
        var other = lab.StartShell("sleep 1000");
        var sampler = new UsageSampler(TimeProvider.System);
        await lab.LogHolds("burnt");
        var pids = ProcessTree.Of(process.Identity.Pid);
        Assert.Equal((3, process.Identity.Pid), (pids.Length, pids[0]));
        var usage = sampler.Sample([process.Identity.Pid, other.Identity.Pid]);
        Assert.Equal(pids.AsEnumerable(), usage[process.Identity.Pid].Pids);
        await process.StopAsync(TimeSpan.Zero);
        Assert.Equal([other.Identity.Pid], sampler.Sample([process.Identity.Pid, other.Identity.Pid]).Keys);
        Assert.Empty(ProcessTree.Of(process.Identity.Pid));
    }

    [Fact]
    public void A_process_name_with_blanks_and_brackets_is_read()
    {
        const string Line = "42 (a) b (c)) S 1 42 42 0 -1 4194304 1 2 3 4 50 60 70 80 20 0 9 0 12345 1000 77 18446744073709551615";
        Assert.True(ProcessStat.TryParse(Encoding.ASCII.GetBytes(Line), out var stat));
        Assert.Equal(new ProcessStat(42, 'S', 1, 42, 42, 50, 60, 70, 80, 9, 12345, 77), stat);
        Assert.Equal(260, stat.CpuTime);
    }

    [Fact]
    public void Mutated_stat_lines_never_throw()
    {
        const int Seed = 3;
        var random = new Random(Seed);
        var valid = File.ReadAllBytes("/proc/self/stat");
        for (var round = 0; round < 20_000; round++)
        {
            var line = (byte[])valid.Clone();
            for (var i = random.Next(1, 6); i > 0; i--)
                line[random.Next(line.Length)] = (byte)random.Next(256);
            var error = Record.Exception(() => ProcessStat.TryParse(line.AsSpan(0, random.Next(line.Length + 1)), out _));
            Assert.True(error is null, string.Create(CultureInfo.InvariantCulture, $"seed {Seed}, round {round}: {error}"));
        }
    }

    [Fact]
    public async Task Processes_that_leave_the_session_as_PostgreSQLs_do_are_still_counted_and_killed_with_the_leader()
    {
        using var lab = new Lab();
        // Each of them leads a session of its own, and the last has an empty environment: nothing but its parent tells whose it is.
        var process = lab.StartShell("setsid sh -c 'env -i setsid sleep 1000 & echo burnt; wait' & wait");
        await lab.LogHolds("burnt");
        await Lab.Until(() => ProcessTree.Of(process.Identity.Pid).Length >= 3, "three processes");
        var pids = ProcessTree.Of(process.Identity.Pid);
        var usage = new UsageSampler(TimeProvider.System).Sample([process.Identity.Pid]);
        Assert.Equal(pids.Order(), usage[process.Identity.Pid].Pids.Order());
        await process.StopAsync(TimeSpan.Zero);
        Assert.All(pids, pid => Assert.False(Lab.Lives(pid)));
    }
}
