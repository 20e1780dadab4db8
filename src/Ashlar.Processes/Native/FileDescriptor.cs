using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Processes;

/// <summary>A file descriptor of our own, closed when disposed of.</summary>
internal sealed class FileDescriptor : SafeHandleMinusOneIsInvalid
{
    public FileDescriptor(int fd) : base(ownsHandle: true) => SetHandle(fd);

    /// <summary>The number, valid until this is disposed of.</summary>
    public int Number => (int)handle;

    /// <summary>Opens a file close-on-exec; null with <c>errno</c> where that fails.</summary>
    public static FileDescriptor? Open(string path, int flags, uint mode, out int errno)
    {
        var fd = Libc.open(path, flags | Libc.O_CLOEXEC, mode);
        errno = fd < 0 ? Marshal.GetLastPInvokeError() : 0;
        return fd < 0 ? null : new FileDescriptor(fd);
    }

    /// <summary>A descriptor of the process, close-on-exec; null when there is no such process (any more).</summary>
    public static FileDescriptor? OfProcess(int pid)
    {
        var fd = (int)Libc.syscall(Libc.SYS_pidfd_open, pid, 0, 0, 0);
        return fd < 0 ? null : new FileDescriptor(fd);
    }

    protected override bool ReleaseHandle() => Libc.close((int)handle) == 0;
}
