using System.Runtime.InteropServices;
using System.Text;

namespace Ashlar.Delivery.Contents;

/// <summary>What kind of thing a path names.</summary>
internal enum FileKind
{
    Other,
    File,
    Folder,
    Link,
}

/// <summary>What lstat says of a file: enough to know it again unchanged.</summary>
internal sealed record FileStatus(FileKind Kind, int Permissions, long Size, ulong Inode, long Modified, long Changed)
{
    private const int NotFound = 2;
    private const int NotFolder = 20;

    /// <summary>The status of what is at a path, no link followed; null if nothing is there.</summary>
    /// <exception cref="IOException">It cannot be asked.</exception>
    public static unsafe FileStatus? Of(string path)
    {
        const int currentFolder = -100, noFollow = 0x100;
        const uint basicStats = 0x7ff;
        var buffer = stackalloc byte[256];
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            if (StatX(currentFolder, name, noFollow, basicStats, buffer) != 0)
            {
                var error = Marshal.GetLastPInvokeError();
                return error is NotFound or NotFolder
                    ? null
                    : throw new IOException($"Cannot ask for the status of {path}: {Marshal.GetPInvokeErrorMessage(error)}.", error);
            }
        }

        // struct statx: mode 28, inode 32, size 40, change time 96, modification time 112 (seconds, nanoseconds).
        var mode = *(ushort*)(buffer + 28);
        var kind = (mode & 0xF000) switch
        {
            0x8000 => FileKind.File,
            0x4000 => FileKind.Folder,
            0xA000 => FileKind.Link,
            _ => FileKind.Other,
        };
        return new FileStatus(kind, mode & 0xFFF, *(long*)(buffer + 40), *(ulong*)(buffer + 32), Time(buffer + 112), Time(buffer + 96));
    }

    private static unsafe long Time(byte* timestamp) => (*(long*)timestamp * 1_000_000_000) + *(uint*)(timestamp + 8);

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static extern unsafe int StatX(int folder, byte* path, int flags, uint mask, byte* buffer);
}
