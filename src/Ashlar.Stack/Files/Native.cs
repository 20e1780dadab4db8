using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Stack;

/// <summary>The two calls .NET has no equal for.</summary>
internal static partial class Native
{
    private const int ReadOnly = 0;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int PathMax = 4096;

    /// <summary>Opens for reading; unlike .NET's own open it does not wait for a writer when the path is a named pipe.</summary>
    /// <exception cref="IOException">It cannot be opened; the message is the system's.</exception>
    public static SafeFileHandle OpenWithoutWaiting(string path)
    {
        var descriptor = Open(path, ReadOnly | NonBlocking | CloseOnExec);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new IOException(Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));
    }

    public static bool CanSeek(this SafeFileHandle handle)
    {
        using var probe = new FileStream(new SafeFileHandle(handle.DangerousGetHandle(), ownsHandle: false), FileAccess.Read, 0);
        return probe.CanSeek;
    }

    /// <summary>The path with every symbolic link followed (POSIX realpath); the path itself when that fails.</summary>
    public static string RealPath(string path)
    {
        Span<byte> buffer = stackalloc byte[PathMax];
        return Resolve(path, buffer) == 0
            ? Path.GetFullPath(path)
            : Encoding.UTF8.GetString(buffer[..buffer.IndexOf((byte)0)]);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "realpath", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Resolve(string path, Span<byte> resolved);
}
