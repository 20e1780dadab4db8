using Ashlar.Testing;
using Ashlar.Testing.Machines;
using static Ashlar.EndToEnd.Tests.Machines.FleetSteps;

namespace Ashlar.EndToEnd.Tests.Machines;

/// <summary>The disk of one machine of several fills up.</summary>
[Trait("Length", "Full")]
public sealed class FullDiskOfAMachineTests
{
    [MachinesFact]
    public async Task A_machine_whose_disk_is_full_fails_a_release_by_name_and_all_serve_on_as_before()
    {
        await using var net = await MachineNet.CreateAsync(2);
        using var disk = SmallDisk.TryMount(net[1].Folder, 24) ?? throw new InvalidOperationException("No file system can be mounted.");
        File.SetUnixFileMode(disk.Path, (UnixFileMode)0b111_101_101);
        Directory.CreateSymbolicLink(Path.Combine(net[1].Folder, "stack"), disk.Path);
        var (first, second) = await TwoAsync(net);
        await first.DoAsync("scale", "web=4");
        var before = await PidsAsync(first, "web", "m1");
        var there = await PidsAsync(second, "web", "m2");
        var ballast = Fill(disk.Path, leave: 2 << 20);

        // A release that does not fit there: the others are not touched, and what ran there runs on.
        File.WriteAllBytes(Path.Combine(first.Folder, "asset"), new byte[6 << 20]);
        var up = await first.AshlarAsync("up", "--detach");
        Assert.True(up.ExitCode == 1 && up.Error.Contains("On machine m2", StringComparison.Ordinal) && up.Error.Contains("ASH5004", StringComparison.Ordinal), $"{up}\n{second.AgentLog()}");
        Assert.Equal(before, await PidsAsync(first, "web", "m1"));
        Assert.Equal(there, await PidsAsync(second, "web", "m2"));
        Assert.All(await InstancesAsync(first, "web"), i => Assert.Equal("v1", i.Release));
        await AnswersAsync(first, second);

        // To its last byte: orders that need no room there go on, and it is said that they are not kept there.
        Fill(disk.Path, name: "rest");
        await UntilAsync(Soon, async () => (await first.AshlarAsync("scale", "web=5")).ExitCode == 0);
        await UntilAsync(Soon, async () => (await first.AshlarAsync("status")).Output.Contains("m2: The disk that holds the store", StringComparison.Ordinal));
        await AnswersAsync(first, second);

        File.Delete(ballast);
        File.Delete(Path.Combine(disk.Path, "rest"));
        await UntilAsync(Soon, async () => (await first.AshlarAsync("up", "--detach")).ExitCode == 0);
        await UntilAsync(Soon, async () => await InstancesAsync(second, "web") is { Count: 5 } web && web.All(i => i.State == "healthy" && i.Release != "v1"));
        await AnswersAsync(first, second);
        await second.DownAsync();
        await first.DownAsync();
    }

    private static string Fill(string folder, int leave = 0, string name = "ballast")
    {
        var path = Path.Combine(folder, name);
        var block = new byte[4096];
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 0);
        try
        {
            while (true)
            {
                file.Write(block);
            }
        }
        catch (IOException)
        {
            file.SetLength(Math.Max(0, file.Length - leave));
            return path;
        }
    }
}
