using System.Runtime.InteropServices;

namespace Ashlar.Testing;

/// <summary>A file system of a few megabytes in memory, to fill up. Only root can mount one.</summary>
public sealed partial class SmallDisk : IDisposable
{
    private const int Detach = 2;

    private SmallDisk(string path) => Path = path;

    public string Path { get; }

    public static SmallDisk? TryMount(string folder, int megabytes)
    {
        var path = Directory.CreateDirectory(System.IO.Path.Combine(folder, "disk")).FullName;
        return Mount("tmpfs", path, "tmpfs", 0, $"size={megabytes}m") == 0 ? new SmallDisk(path) : null;
    }

    public void Dispose() => _ = Unmount(Path, Detach);

    [LibraryImport("libc", EntryPoint = "mount", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string type, nuint flags, string data);

    [LibraryImport("libc", EntryPoint = "umount2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);
}
