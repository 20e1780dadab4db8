using System.Runtime.InteropServices;

namespace Ashlar.Edge.Web;

/// <summary>The system's calls for files, by paths that are bytes: a path in a URL need not be UTF-8.</summary>
internal static unsafe partial class FileCalls
{
    public const int ReadOnly = 0;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;
    public const int PathOnly = 0x200000;

    public const int ErrorAgain = 11;
    public const int ErrorInterrupted = 4;

    private const int NoWait = 8;
    private const int EmptyPath = 0x1000;
    private const uint BasicStats = 0x7ff;
    private const int TypeMask = 0xf000;
    private const int RegularType = 0x8000;
    private const int FolderType = 0x4000;

    /// <summary><c>struct statx</c> (statx(2)), as far as it is looked at.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct Facts
    {
        [FieldOffset(28)]
        public ushort Mode;
        [FieldOffset(32)]
        public ulong Inode;
        [FieldOffset(40)]
        public ulong Size;
        [FieldOffset(112)]
        public long ModifiedSeconds;
        [FieldOffset(120)]
        public uint ModifiedNanoseconds;

        public readonly bool IsFile => (Mode & TypeMask) == RegularType;

        public readonly bool IsFolder => (Mode & TypeMask) == FolderType;
    }

    /// <summary>Opens a path that ends with NUL; negative: it cannot be.</summary>
    public static int Open(ReadOnlySpan<byte> path, int flags)
    {
        fixed (byte* pointer = path)
        {
            return open(pointer, flags | CloseOnExec, 0);
        }
    }

    /// <summary>What is known of an open file.</summary>
    public static bool Stat(int fd, out Facts facts)
    {
        fixed (Facts* pointer = &facts)
        {
            byte none = 0;
            return statx(fd, &none, EmptyPath, BasicStats, pointer) == 0;
        }
    }

    /// <summary>Where a link of <c>/proc/self/fd</c> leads; 0 if that cannot be said.</summary>
    public static int ReadLink(ReadOnlySpan<byte> path, Span<byte> target)
    {
        fixed (byte* pointer = path, into = target)
        {
            var length = (int)readlink(pointer, into, (nuint)target.Length);
            return length < 0 || length == target.Length ? 0 : length;
        }
    }

    public static int Read(int fd, Span<byte> destination, long offset)
    {
        fixed (byte* pointer = destination)
        {
            return (int)pread(fd, pointer, (nuint)destination.Length, offset);
        }
    }

    /// <summary>
    /// True: reading there waits for no disk, as far as its first and its last byte tell; also where the file system cannot say.
    /// </summary>
    public static bool IsInMemory(int fd, long offset, int length)
    {
        byte probe;
        var vector = stackalloc nuint[2] { (nuint)(&probe), 1 };
        foreach (var at in (ReadOnlySpan<long>)[offset, offset + length / 2, offset + length - 1])
        {
            if (preadv2(fd, vector, 1, (nint)at, 0, NoWait) < 0 && Marshal.GetLastPInvokeError() == ErrorAgain)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads so that it is in memory afterwards.</summary>
    public static void ReadAhead(int fd, long offset, int length)
    {
        Span<byte> buffer = stackalloc byte[64 * 1024];
        for (var end = offset + length; offset < end && Read(fd, buffer, offset) is var read and > 0;)
        {
            offset += read;
        }
    }

    public static void Close(int fd) => _ = close(fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int open(byte* path, int flags, int mode);

    [LibraryImport("libc")]
    private static partial int statx(int fd, byte* path, int flags, uint mask, Facts* facts);

    [LibraryImport("libc")]
    private static partial nint readlink(byte* path, byte* target, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pread(int fd, byte* destination, nuint length, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint preadv2(int fd, nuint* vectors, int count, nint low, nint high, int flags);

    [LibraryImport("libc")]
    private static partial int close(int fd);
}
