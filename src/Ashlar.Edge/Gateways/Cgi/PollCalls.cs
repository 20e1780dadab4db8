using System.Runtime.InteropServices;

namespace Ashlar.Edge.Gateways.Cgi;

/// <summary>poll(2) and what goes with it, on descriptors that do not block.</summary>
internal static unsafe partial class PollCalls
{
    public const short In = 1;
    public const short Out = 4;
    public const short Error = 8;
    public const short HungUp = 0x10;
    public const short PeerClosed = 0x2000;

    /// <summary>The other side has gone.</summary>
    public const short Gone = Error | HungUp | PeerClosed;

    private const int Interrupted = 4;
    private const int Again = 11;

    /// <summary><c>struct pollfd</c>; a negative descriptor is passed over.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Watched(int fd, short events)
    {
        public int Fd = fd;
        public short Events = events;
        public short Found;
    }

    /// <summary>Waits until something is found, or so many milliseconds; -1: for ever.</summary>
    public static void Wait(Span<Watched> watched, int milliseconds)
    {
        fixed (Watched* pointer = watched)
        {
            if (poll(pointer, (nuint)watched.Length, milliseconds) < 0)
            {
                // Interrupted: nothing is known.
                foreach (ref var one in watched)
                {
                    one.Found = 0;
                }
            }
        }
    }

    /// <summary>Bytes read; 0: the end, or a fault that is one; -1: nothing there now.</summary>
    public static int Read(int fd, Span<byte> into)
    {
        fixed (byte* pointer = into)
        {
            var count = (int)read(fd, pointer, (nuint)into.Length);
            return count >= 0 ? count : Marshal.GetLastPInvokeError() is Again or Interrupted ? -1 : 0;
        }
    }

    /// <summary>Bytes written, perhaps none; -1: nobody reads any more.</summary>
    public static int Write(int fd, ReadOnlySpan<byte> from)
    {
        fixed (byte* pointer = from)
        {
            var count = (int)write(fd, pointer, (nuint)from.Length);
            return count >= 0 ? count : Marshal.GetLastPInvokeError() is Again or Interrupted ? 0 : -1;
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(Watched* watched, nuint count, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int fd, byte* into, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, byte* from, nuint count);
}
