using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Testing.Machines;

/// <summary>
/// A host's link through this process, which holds back what the host sends. In place of netem, which many kernels of virtual machines lack.
/// </summary>
/// <remarks>
/// The link's end leaves the bridge and a tap takes its place; packets are carried between them, in their order. Both sides speak with
/// virtio headers (linux/virtio_net.h), so checksums and segments that the kernel has left for later stay as they are.
/// </remarks>
internal sealed partial class SlowLink : IDisposable
{
    private const int HeaderAndLargest = 10 + 14 + 65536;
    private const int PollMilliseconds = 100;
    private readonly SafeFileHandle _link;
    private readonly SafeFileHandle _tap;
    private readonly BlockingCollection<(long Due, byte[] Packet)> _sent = new(boundedCapacity: 20_000);
    private readonly Thread[] _threads;
    private volatile bool _ended;

    private SlowLink(SafeFileHandle link, SafeFileHandle tap)
    {
        (_link, _tap) = (link, tap);
        _threads = [new Thread(Collect), new Thread(Deliver), new Thread(Return)];
    }

    /// <summary>Whether this user may make a tap.</summary>
    public static bool IsPossible => Access("/dev/net/tun", 6 /* R_OK | W_OK */) == 0;

    /// <summary>What the host's packets wait; may be changed at any time.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>By how much that varies, up and down.</summary>
    public TimeSpan Jitter { get; set; }

    /// <summary>The tap's name beside a port.</summary>
    public static string TapOf(string port) => "t" + port;

    /// <summary>Makes the tap and takes hold of the link; who calls then changes the bridge's ports, and starts it.</summary>
    public static SlowLink Open(string inside, string port)
    {
        var (link, tap) = NetworkNamespace.Inside(inside, () =>
        {
            var tap = NetworkNamespace.Check(OpenFile("/dev/net/tun", 0x80002 /* O_RDWR | O_CLOEXEC */), "/dev/net/tun");
            // IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
            var request = new InterfaceRequest(TapOf(port), 0x2 | 0x1000 | 0x4000);
            NetworkNamespace.Check(Control(tap, 0x400454ca /* TUNSETIFF */, ref request), "TUNSETIFF");
            NetworkNamespace.Check(Control(tap, 0x400454d0 /* TUNSETOFFLOAD */, 0x1 | 0x2 | 0x4 /* checksums, TCP over IPv4 and IPv6 */), "TUNSETOFFLOAD");
            var link = NetworkNamespace.Check(OpenSocket(17 /* AF_PACKET */, 3 | 0x80000 /* SOCK_RAW | SOCK_CLOEXEC */, 0), "socket");
            var one = 1;
            NetworkNamespace.Check(SetOption(link, 263, 15 /* PACKET_VNET_HDR */, ref one, sizeof(int)), "PACKET_VNET_HDR");
            NetworkNamespace.Check(SetOption(link, 263, 23 /* PACKET_IGNORE_OUTGOING */, ref one, sizeof(int)), "PACKET_IGNORE_OUTGOING");
            var large = 8 << 20;
            if (SetOption(link, 1, 33 /* SO_RCVBUFFORCE */, ref large, sizeof(int)) < 0)
            {
                NetworkNamespace.Check(SetOption(link, 1, 8 /* SO_RCVBUF */, ref large, sizeof(int)), "SO_RCVBUF"); // as large as an ordinary user's may be
            }
            var address = new LinkAddress(NetworkNamespace.Check((int)IndexOf(port), port));
            NetworkNamespace.Check(Bind(link, ref address, Marshal.SizeOf<LinkAddress>()), "bind");
            return (link, tap);
        });
        return new SlowLink(new SafeFileHandle(link, ownsHandle: true), new SafeFileHandle(tap, ownsHandle: true));
    }

    /// <summary>Begins to carry.</summary>
    public void Start()
    {
        foreach (var thread in _threads)
        {
            thread.IsBackground = true;
            thread.Start();
        }
    }

    /// <summary>Ends it; the tap is gone, what was on its way is lost.</summary>
    public void Dispose()
    {
        _ended = true;
        foreach (var thread in _threads.Where(t => t.ThreadState != System.Threading.ThreadState.Unstarted))
        {
            thread.Join();
        }
        _link.Dispose();
        _tap.Dispose();
        _sent.Dispose();
    }

    private void Collect()
    {
        var last = 0L;
        Carry(_link, packet =>
        {
            var wait = Delay + Jitter * (2 * Random.Shared.NextDouble() - 1);
            last = Math.Max(last, Stopwatch.GetTimestamp() + (long)(wait.TotalSeconds * Stopwatch.Frequency));
            _ = _sent.TryAdd((last, packet.ToArray())); // a queue has an end, as everywhere
        });
    }

    private void Deliver()
    {
        while (!_ended)
        {
            if (!_sent.TryTake(out var next, PollMilliseconds))
            {
                continue;
            }
            while (!_ended && Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), next.Due) is { Ticks: > 0 } wait)
            {
                Thread.Sleep(TimeSpan.FromMilliseconds(Math.Clamp(wait.TotalMilliseconds, 1, PollMilliseconds)));
            }
            _ = Write(_tap, next.Packet, next.Packet.Length);
        }
    }

    private void Return() => Carry(_tap, packet => _ = Write(_link, packet, packet.Length));

    private void Carry(SafeHandle from, Action<Span<byte>> take)
    {
        var buffer = new byte[HeaderAndLargest];
        while (!_ended)
        {
            var readable = new PollRequest((int)from.DangerousGetHandle(), 1);
            if (Poll(ref readable, 1, PollMilliseconds) > 0 && Read(from, buffer, buffer.Length) is > 0 and var length)
            {
                take(buffer.AsSpan(0, (int)length));
            }
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollRequest(int descriptor, short events)
    {
        public int Descriptor = descriptor;
        public short Events = events;
        public short Happened;
    }

    [StructLayout(LayoutKind.Sequential, Size = 40)]
    private unsafe struct InterfaceRequest
    {
        private fixed byte _name[16];
        private readonly short _flags;

        public InterfaceRequest(string name, int flags)
        {
            _flags = (short)flags;
            fixed (byte* start = _name)
            {
                Encoding.ASCII.GetBytes(name, new Span<byte>(start, 15));
            }
        }
    }

    // sockaddr_ll: all protocols of one link.
    [StructLayout(LayoutKind.Sequential, Size = 20)]
    private readonly struct LinkAddress(int index)
    {
        private readonly ushort _family = 17;
        private readonly ushort _protocol = 0x0300; // ETH_P_ALL in network order
        private readonly int _index = index;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int descriptor, nuint request, ref InterfaceRequest argument);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int descriptor, nuint request, nint argument);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(int socket, int level, int option, ref int value, int length);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int socket, ref LinkAddress address, int length);

    [LibraryImport("libc", EntryPoint = "if_nametoindex", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint IndexOf(string name);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollRequest request, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeHandle from, byte[] buffer, nint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeHandle to, ReadOnlySpan<byte> buffer, nint length);
}
