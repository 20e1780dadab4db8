using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Edge.Logging;

/// <summary>
/// A file opened with O_APPEND, so that two processes can write whole lines to it while one replaces the other (.NET's own
/// append mode seeks to the end once). Made anew when it has been moved or deleted, looked at once a second.
/// </summary>
internal sealed partial class AppendFile(string path) : IDisposable
{
    private const int WriteOnly = 0x1, Create = 0x40, AppendOnly = 0x400, CloseOnExec = 0x80000;
    private const int Interrupted = 4;
    private const int OwnerWritesGroupReads = 0b110_100_000;
    private const long LookEveryMs = 1000;

    private SafeFileHandle? _file;
    private string? _openedAt;
    private long _lookedAt;
    private bool _torn;

    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>Appends whole lines.</summary>
    /// <exception cref="IOException">It cannot be opened or written.</exception>
    public void Append(ReadOnlySpan<byte> lines)
    {
        var now = Environment.TickCount64;
        if (_file is not null && now - _lookedAt >= LookEveryMs && IsMoved(_file))
        {
            Dispose();
        }

        _lookedAt = _file is null || now - _lookedAt >= LookEveryMs ? now : _lookedAt;
        _file ??= Open();
        try
        {
            if (_torn)
            {
                // A write that failed may have left half a line.
                Write(_file, "\n"u8);
                _torn = false;
            }

            Write(_file, lines);
        }
        catch (IOException)
        {
            _torn = true;
            Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    private bool IsMoved(SafeFileHandle file) => PlaceOf(file) != _openedAt;

    // The kernel follows a rename in this link, and marks a deleted file.
    private static string? PlaceOf(SafeFileHandle file) =>
        File.ResolveLinkTarget($"/proc/self/fd/{file.DangerousGetHandle()}", returnFinalTarget: false)?.FullName;

    private SafeFileHandle Open()
    {
        var fd = open(Path, WriteOnly | Create | AppendOnly | CloseOnExec, OwnerWritesGroupReads);
        if (fd < 0)
        {
            throw Failed();
        }

        var file = new SafeFileHandle(fd, ownsHandle: true);
        _openedAt = PlaceOf(file);
        return file;
    }

    // RandomAccess refuses a FIFO opened this way, FileStream seeks: so the plain call.
    private static void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var written = write(file, bytes, bytes.Length);
            if (written < 0 && Marshal.GetLastPInvokeError() != Interrupted)
            {
                throw Failed();
            }

            bytes = bytes[(int)Math.Max(0, written)..];
        }
    }

    private static IOException Failed() => new(Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(SafeFileHandle file, ReadOnlySpan<byte> bytes, nint count);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);
}
