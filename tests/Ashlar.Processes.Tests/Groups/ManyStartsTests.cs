namespace Ashlar.Processes.Tests.Groups;

[Collection(nameof(ManyStartsTests))]
[CollectionDefinition(nameof(ManyStartsTests), DisableParallelization = true)]
public sealed class ManyStartsTests
{
    [Fact] // 42
    public Task A_hundred_starts_and_stops_leave_no_zombie_descriptor_or_thread() => StartAndStop(100);

    [Fact, Trait("Length", "Full")] // 42
    public Task A_thousand_starts_and_stops_leave_no_zombie_descriptor_or_thread() => StartAndStop(1000);

    private static async Task StartAndStop(int count)
    {
        using var lab = new Lab();
        await lab.RunShell("exit 0"); // What is made once is there.
        var (descriptors, watchers) = (Descriptors(), Watchers());
        for (var i = 0; i < count; i++)
        {
            var process = lab.Launcher.Start(lab.Shell(i % 2 == 0 ? "exit 3" : "sleep 1000"));
            if (i % 2 == 0)
                Assert.Equal(3, (await process.Exited.WaitAsync(Lab.Patience)).Code);
            else
                Assert.Equal(15, (await process.StopAsync(Lab.Patience).AsTask().WaitAsync(Lab.Patience)).Exit.Signal);
        }
        Assert.DoesNotContain(ProcessTable.Read(), stat => stat.Parent == Environment.ProcessId && stat.IsZombie);
        Assert.Equal(watchers, Watchers());
        // The test runner opens and closes some of its own meanwhile.
        Assert.InRange(Descriptors(), 0, descriptors + 5);
    }

    private static int Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    /// <summary>Threads of this room; the pool's come and go.</summary>
    private static int Watchers() => Directory.EnumerateDirectories("/proc/self/task")
        .Count(task => File.ReadAllText(task + "/comm").TrimEnd() is "process exits" or "access check");
}
