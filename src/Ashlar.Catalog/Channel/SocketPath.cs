using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace Ashlar.Catalog.Channel;

/// <summary>
/// Binds and connects Unix stream sockets at paths of any length. A socket address holds 108 bytes only, so the folder is
/// opened and the address is <c>/proc/self/fd/N/name</c>.
/// </summary>
internal static unsafe class SocketPath
{
    private const int AddressLength = 110;

    /// <summary>A bound, listening socket. A file that nobody answers at is replaced.</summary>
    /// <param name="path">Where.</param>
    /// <param name="owner">User the file is given to when we are root; null: stays ours. Its mode is 0600.</param>
    /// <param name="file">Device and inode of the new file.</param>
    public static Descriptor Listen(string path, uint? owner, out (ulong Device, ulong Inode) file)
    {
        using var folder = OpenFolder(path);
        var socket = NewSocket();
        try
        {
            // On Linux the file gets the mode of the socket's own inode.
            _ = Native.FChmod(socket.Number, 0b110_000_000);
            var error = Call(socket, folder, path, Native.Bind);
            if (error == Native.EADDRINUSE)
            {
                RemoveStale(path, folder);
                error = Call(socket, folder, path, Native.Bind);
            }

            if (error == Native.EADDRINUSE)
            {
                throw CatalogErrors.SocketAnswers(path);
            }

            if (error != 0)
            {
                throw CatalogErrors.SocketUnusable(path, Reason(error));
            }

            if (owner is { } user && Native.GetEffectiveUser() == 0 && Native.Chown(path, user, uint.MaxValue) != 0)
            {
                throw CatalogErrors.SocketUnusable(path, Reason(Marshal.GetLastPInvokeError()));
            }

            if (Native.Listen(socket.Number, 128) != 0)
            {
                throw CatalogErrors.SocketUnusable(path, Reason(Marshal.GetLastPInvokeError()));
            }

            file = Native.SocketFile(path, out _) ?? throw CatalogErrors.SocketUnusable(path, "it vanished");
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A connected socket.</summary>
    /// <exception cref="IOException">Nobody answers, or may not be reached.</exception>
    public static Descriptor Connect(string path)
    {
        using var folder = OpenFolder(path);
        var socket = NewSocket();
        var error = Call(socket, folder, path, Native.Connect);
        if (error == 0)
        {
            return socket;
        }

        socket.Dispose();
        throw new IOException($"Cannot connect to {path}: {Reason(error)}.", new Win32Exception(error));
    }

    private static void RemoveStale(string path, Descriptor folder)
    {
        if (Native.SocketFile(path, out var isSocket) is null)
        {
            return;
        }

        if (!isSocket)
        {
            throw CatalogErrors.SocketUnusable(path, "a file of another kind has its name");
        }

        using var probe = NewSocket();
        switch (Call(probe, folder, path, Native.Connect))
        {
            case Native.ECONNREFUSED:
                File.Delete(path);
                return;
            case Native.ENOENT:
                return;
            case 0 or Native.EAGAIN:
                throw CatalogErrors.SocketAnswers(path);
            case var error:
                throw CatalogErrors.SocketUnusable(path, Reason(error));
        }
    }

    private delegate int AddressCall(int socket, byte* address, int length);

    private static int Call(Descriptor socket, Descriptor folder, string path, AddressCall call)
    {
        var text = Encoding.UTF8.GetBytes($"/proc/self/fd/{folder.Number}/{Path.GetFileName(path)}\0");
        if (text.Length > AddressLength - 2)
        {
            throw CatalogErrors.SocketUnusable(path, "its name is longer than 80 bytes");
        }

        var address = stackalloc byte[AddressLength];
        *(ushort*)address = Native.AF_UNIX;
        text.CopyTo(new Span<byte>(address + 2, AddressLength - 2));
        return call(socket.Number, address, 2 + text.Length) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    private static Descriptor OpenFolder(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        var fd = Native.Open(folder, Native.O_PATH | Native.O_DIRECTORY | Native.O_CLOEXEC);
        if (fd >= 0)
        {
            return new Descriptor(fd);
        }

        var error = Marshal.GetLastPInvokeError();
        throw error is Native.ENOENT
            ? new DirectoryNotFoundException($"There is no folder {folder}.")
            : CatalogErrors.SocketUnusable(path, Reason(error));
    }

    // Not blocking: a connect to a listener whose queue is full answers EAGAIN instead of hanging.
    private static Descriptor NewSocket()
    {
        var fd = Native.Socket(Native.AF_UNIX, Native.SOCK_STREAM | Native.SOCK_CLOEXEC | Native.SOCK_NONBLOCK, 0);
        return fd >= 0 ? new Descriptor(fd) : throw new IOException("Cannot make a Unix socket.", new Win32Exception());
    }

    private static string Reason(int error) => Marshal.GetPInvokeErrorMessage(error);
}
