using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Ashlar.Catalog.Channel;

/// <summary>
/// The listening sockets of a process that does not answer any more, taken from outside (pidfd_getfd). The process may be stopped or hang;
/// it keeps its own copies. The kernel allows it as it allows ptrace: the same user or root, and where Yama restricts ptrace only the parent or root.
/// </summary>
public static class ListenersOfProcess
{
    /// <summary>Copies of all TCP sockets on which it listens, closed on exec; the caller owns them.</summary>
    /// <param name="pid">The process. It must not have been reaped, lest the number is another's by now.</param>
    /// <exception cref="IOException">There is no such process, or the kernel does not allow it.</exception>
    public static IReadOnlyList<ListeningSocket> Take(int pid)
    {
        using var process = new Descriptor((int)Native.SystemCall(Native.SYS_pidfd_open, pid, 0, 0));
        if (process.IsInvalid)
        {
            throw Refused(pid);
        }

        var taken = new List<ListeningSocket>();
        try
        {
            foreach (var number in SocketsOf(pid))
            {
                var copy = new Descriptor((int)Native.SystemCall(Native.SYS_pidfd_getfd, process.Number, number, 0));
                if (copy.IsInvalid)
                {
                    if (Marshal.GetLastPInvokeError() == Native.EBADF)
                    {
                        continue;
                    }

                    throw Refused(pid);
                }

                if (Listens(copy))
                {
                    taken.Add(ListeningSocket.Describe(copy));
                }
                else
                {
                    copy.Dispose();
                }
            }
        }
        catch
        {
            taken.ForEach(socket => socket.Dispose());
            throw;
        }

        return taken;
    }

    private static IEnumerable<int> SocketsOf(int pid)
    {
        try
        {
            return [.. new DirectoryInfo($"/proc/{pid}/fd").EnumerateFileSystemInfos()
                .Where(link => link.LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true)
                .Select(link => int.Parse(link.Name, CultureInfo.InvariantCulture))];
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private static unsafe bool Listens(Descriptor socket)
    {
        int domain = 0, listens = 0, length = sizeof(int);
        return Native.GetSockOpt(socket.Number, Native.SOL_SOCKET, Native.SO_DOMAIN, &domain, &length) == 0
            && domain is Native.AF_INET or Native.AF_INET6
            && Native.GetSockOpt(socket.Number, Native.SOL_SOCKET, Native.SO_ACCEPTCONN, &listens, &length) == 0
            && listens != 0;
    }

    private static IOException Refused(int pid)
    {
        var reason = new Win32Exception(Marshal.GetLastPInvokeError());
        return new IOException($"The sockets of pid {pid} cannot be taken: {reason.Message}", reason);
    }
}
