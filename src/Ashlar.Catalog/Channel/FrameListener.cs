using System.Net.Sockets;

namespace Ashlar.Catalog.Channel;

/// <summary>Listens on a Unix socket and accepts <see cref="FrameStream"/>s from processes that are trusted.</summary>
public sealed class FrameListener : IDisposable
{
    private readonly string _path;
    private readonly Socket _socket;
    private readonly uint? _trustedUser;
    private readonly (ulong Device, ulong Inode) _file;
    private int _disposed;

    private FrameListener(string path, Socket socket, uint? trustedUser, (ulong Device, ulong Inode) file) =>
        (_path, _socket, _trustedUser, _file) = (path, socket, trustedUser, file);

    /// <summary>
    /// Listens at a path, which may be longer than 108 bytes. A socket file left by a dead process is replaced; the caller holds
    /// the stack's lock, so that two do not do this at once.
    /// </summary>
    /// <param name="path">Path of the socket; its folder exists.</param>
    /// <param name="trustedUser">User id that may connect besides our own and root; null: none. It is made the owner of the file.</param>
    /// <exception cref="Errors.AshlarException">ASH4054: somebody answers there; ASH4055: it cannot be made.</exception>
    public static FrameListener Listen(string path, uint? trustedUser = null)
    {
        try
        {
            var descriptor = SocketPath.Listen(path, trustedUser, out var file);
            return new FrameListener(path, FrameStream.ToSocket(descriptor), trustedUser, file);
        }
        catch (DirectoryNotFoundException e)
        {
            throw CatalogErrors.SocketUnusable(path, e.Message.TrimEnd('.'));
        }
    }

    /// <summary>False: the socket's file is gone, or another's; nobody can connect any more.</summary>
    public bool IsReachable => Native.SocketFile(_path, out _) == _file;

    /// <summary>The next connection of a trusted process; others are closed at once.</summary>
    /// <exception cref="ObjectDisposedException">The listener was disposed.</exception>
    public async Task<FrameStream> AcceptAsync(CancellationToken cancellation = default)
    {
        while (true)
        {
            FrameStream? stream = null;
            try
            {
                stream = new FrameStream(await _socket.AcceptAsync(cancellation).ConfigureAwait(false));
                if (FrameStream.IsTrusted(stream.Peer, _trustedUser))
                {
                    return stream;
                }

                stream.Dispose();
            }
            catch (SocketException e)
            {
                stream?.Dispose();
                ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);

                // Out of descriptors or memory: others are served on; this one is tried again when some are free.
                if (e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
                {
                    await Task.Delay(50, cancellation).ConfigureAwait(false);
                }
            }
        }
    }

    /// <summary>Stops listening and removes the socket's file, unless another process has put its own there.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        if (IsReachable)
        {
            File.Delete(_path);
        }

        _socket.Dispose();
    }
}
