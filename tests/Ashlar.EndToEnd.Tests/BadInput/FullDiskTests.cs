using Ashlar.Testing;

namespace Ashlar.EndToEnd.BadInput;

/// <summary>The disk that holds the stack fills up. Needs root, to mount a small one.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task A_full_disk_stops_orders_and_not_what_runs()
    {
        await using var rig = StackOn("disk", out var yaml);
        using var disk = SmallDisk.TryMount(Path.GetDirectoryName(rig.Folder)!, 24);
        if (disk is null)
        {
            return;
        }
        File.SetUnixFileMode(rig.Folder, (UnixFileMode)0b111_101_101);
        rig.Write("ashlar.yaml", yaml);
        await rig.UpAsync();
        var web = await rig.PidAsync("web.1");
        var ballast = Fill(rig.Folder);

        // The order cannot be written down, so it is not carried out.
        var scale = Refusal.Of(await rig.AshlarAsync("scale", "web=2"), 1);
        scale.Is("ASH4064", "agent", rig.Folder, "full").Advises("Free some space");
        Assert.Equal(web, await rig.PidAsync("web.1"));
        await rig.ServesAsync();

        // A release does not fit: it is taken back.
        File.Delete(ballast);
        File.WriteAllBytes(Path.Combine(rig.Folder, "asset"), new byte[6 << 20]);
        rig.Write("ashlar.yaml", yaml + "    env: {NEW: \"1\"}\n");
        Fill(rig.Folder, leave: 4 << 20);
        Refusal.Of(await rig.AshlarAsync("up", "--detach"), 1).Is("ASH5004", "releases", rig.Folder).Advises("Free some space");
        Assert.Equal(web, await rig.PidAsync("web.1"));
        await rig.ServesAsync();

        File.Delete(ballast);
        await rig.UpAsync();
        await rig.DoAsync("scale", "web=2");
        await rig.ServesAsync();
        await rig.DoAsync("down");
        rig.IsGone();
    }

    [Fact]
    public async Task On_a_full_disk_a_first_up_is_refused_and_leaves_nothing_running()
    {
        await using var rig = StackOn("disk", out var yaml);
        using var disk = SmallDisk.TryMount(Path.GetDirectoryName(rig.Folder)!, 2);
        if (disk is null)
        {
            return;
        }
        rig.Write("ashlar.yaml", yaml);
        Fill(rig.Folder);
        var up = await rig.AshlarAsync("up", "--detach");
        Refusal.Of(up, 6).Is("ASH4004", "agent", rig.Folder, "No space left").Advises("free space");
        rig.IsGone();
    }

    private static StackRig StackOn(string folder, out string yaml)
    {
        yaml = """
            name: rig
            edge:
              listen: {http: "127.0.0.1:@PORT@"}
            services:
              web:
                run: "'@APP@'"
                route: /
                health: /up

            """;
        return new StackRig(yaml, folder);
    }

    /// <summary>Fills the disk, to its last byte or leaving some; the file to delete again.</summary>
    private static string Fill(string folder, int leave = 0)
    {
        var path = Path.Combine(folder, "ballast");
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
