using System.Runtime.InteropServices;

namespace Ashlar.Dns.Serving;

/// <summary>What .NET's sockets do not offer: many datagrams in one call, and sockets that other processes share. Linux, 64 bits.</summary>
internal static unsafe partial class Sockets
{
    public const int OfSocket = 1;
    public const int OfInternet = 0;
    public const int OfInternet6 = 41;
    public const int ReceiveTimeout = 20;
    public const int PacketInformation = 8;
    public const int ReceivePacketInformation6 = 49;
    public const int WaitForOne = 0x10000;
    public const int DoNotWait = 0x40;
    public const int NoSignal = 0x4000;
    public const int BadDescriptor = 9;
    public const short Readable = 1;
    public const int NotBlocking = 0x800;
    public const int CloseOnExec = 0x80000;

    [LibraryImport("libc", EntryPoint = "recvmmsg", SetLastError = true)]
    public static partial int ReceiveMany(int fd, Datagram* messages, uint count, int flags, void* timeout);

    [LibraryImport("libc", EntryPoint = "sendmmsg")]
    public static partial int SendMany(int fd, Datagram* messages, uint count, int flags);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    public static partial int SetOption(int fd, int level, int name, void* value, int length);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    public static partial int Accept(int fd, void* address, void* length, int flags);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollEntry* entries, nuint count, int milliseconds);
}

/// <summary>struct mmsghdr with its struct msghdr, whose flags are padded to 8 octets.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Datagram
{
    public byte* Name;
    public uint NameLength;
    public Piece* Pieces;
    public nuint PieceCount;
    public byte* Control;
    public nuint ControlLength;
    public long Flags;
    public uint Length;
}

/// <summary>struct iovec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Piece
{
    public byte* Base;
    public nuint Length;
}

/// <summary>struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollEntry
{
    public int Descriptor;
    public short Wanted;
    public short Found;
}
