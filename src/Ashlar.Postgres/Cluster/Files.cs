using System.Runtime.InteropServices;
using System.Text;

namespace Ashlar.Postgres;

/// <summary>Small files that only their owner may read, whole or not there.</summary>
internal static unsafe partial class Files
{
    private const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int ReadOnlyFolder = 0x10000 | 0x80000; // O_DIRECTORY | O_CLOEXEC
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const uint WantUid = 0x8;
    private const int UidOffset = 20; // struct statx: stx_uid follows mask, blksize, attributes and nlink

    /// <summary>Writes a file beside its place, with mode 0600, and renames it.</summary>
    public static void Write(string path, string text)
    {
        var next = path + ".new";
        File.Delete(next);
        using (var file = new FileStream(next, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Mine }))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: true);
        }

        File.Move(next, path, overwrite: true);
    }

    /// <summary>Has a rename in the folder survive a power failure.</summary>
    public static void SyncFolder(string folder)
    {
        var descriptor = Open(folder, ReadOnlyFolder, 0);
        if (descriptor >= 0)
        {
            _ = Sync(descriptor);
            _ = Close(descriptor);
        }
    }

    /// <summary>
    /// Has all that was written to the file system of a folder survive a power failure. One call is much faster than one for each of
    /// the thousand files of a cluster.
    /// </summary>
    /// <exception cref="IOException">The disk could not write it.</exception>
    public static void SyncFileSystem(string folder)
    {
        var descriptor = Open(folder, ReadOnlyFolder, 0);
        var done = descriptor >= 0 ? SyncFs(descriptor) : -1;
        var error = Marshal.GetLastPInvokeError();
        _ = descriptor >= 0 ? Close(descriptor) : 0;
        if (done != 0)
        {
            throw new IOException($"{folder} cannot be written to disk: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    /// <summary>User id of the owner; null if it cannot be asked.</summary>
    public static uint? OwnerOf(string path)
    {
        var answer = stackalloc byte[256];
        return StatX(CurrentFolder, path, NoFollow, WantUid, answer) == 0 ? *(uint*)(answer + UidOffset) : null;
    }

    /// <summary>Version of the C library, which sorts text.</summary>
    public static string LibraryVersion()
    {
        try
        {
            return Marshal.PtrToStringUTF8((nint)GlibcVersion()) ?? "";
        }
        catch (EntryPointNotFoundException)
        {
            return "";
        }
    }

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFs(int descriptor);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, byte* answer);

    [LibraryImport("libc", EntryPoint = "gnu_get_libc_version")]
    private static partial byte* GlibcVersion();
}
