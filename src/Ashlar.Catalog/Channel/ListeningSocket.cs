using System.Net;
using System.Runtime.InteropServices;

namespace Ashlar.Catalog.Channel;

/// <summary>A TCP listener or UDP socket that the agent opens and hands down, closed on exec. Listeners have SO_REUSEADDR and do not block.</summary>
/// <param name="Descriptor">The socket. No .NET Socket is ever made of it: it is shared with the tiers.</param>
/// <param name="Address">Address it is bound to.</param>
/// <param name="Port">Its port, also when 0 was asked for.</param>
public sealed record ListeningSocket(Descriptor Descriptor, IPAddress Address, int Port) : IDisposable
{
    /// <summary>Connections that may wait to be accepted (the kernel cuts it to net.core.somaxconn).</summary>
    public const int Backlog = 4096;

    private const int DatagramRoom = 1 << 20;
    private const int IPv4AddressLength = 16;
    private const int IPv6AddressLength = 28;

    /// <summary>Opens a listener.</summary>
    /// <param name="address">IPv4 or IPv6 address; <c>::</c> takes IPv4 as well.</param>
    /// <param name="port">Port; 0: any free one.</param>
    /// <param name="key">Key of the stack file that says it, for the errors: <c>edge.listen.http</c>.</param>
    /// <exception cref="Errors.AshlarException">ASH4015 in use, ASH4051 not permitted, ASH4052 no such address here, ASH4053 other.</exception>
    public static ListeningSocket Open(IPAddress address, int port, string key) =>
        Open(address, port, key, Native.SOCK_STREAM | Native.SOCK_NONBLOCK, Native.SO_REUSEADDR);

    /// <summary>Opens UDP sockets of one address, between which the kernel divides the clients. They block.</summary>
    /// <param name="address">IPv4 or IPv6 address; <c>::</c> takes IPv4 as well.</param>
    /// <param name="port">Port.</param>
    /// <param name="count">How many.</param>
    /// <param name="key">Key of the stack file that says it, for the errors.</param>
    /// <exception cref="Errors.AshlarException">As <see cref="Open(IPAddress, int, string)"/>.</exception>
    public static ListeningSocket[] OpenDatagrams(IPAddress address, int port, int count, string key)
    {
        // One that may share would also share with a stranger of the same user: so first one that may not.
        Open(address, port, key, Native.SOCK_DGRAM, option: 0).Dispose();
        var opened = new List<ListeningSocket>(count);
        try
        {
            while (opened.Count < count)
            {
                opened.Add(Open(address, port, key, Native.SOCK_DGRAM, Native.SO_REUSEPORT));
            }

            return [.. opened];
        }
        catch
        {
            opened.ForEach(socket => socket.Dispose());
            throw;
        }
    }

    private static unsafe ListeningSocket Open(IPAddress address, int port, string key, int type, int option)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)port, (uint)ushort.MaxValue, nameof(port));
        var version6 = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        var fd = Native.Socket(version6 ? Native.AF_INET6 : Native.AF_INET, type | Native.SOCK_CLOEXEC, 0);
        if (fd < 0)
        {
            throw Failure(address, port, key, Marshal.GetLastPInvokeError());
        }

        var descriptor = new Descriptor(fd);
        int yes = 1, no = 0, room = DatagramRoom;
        var datagrams = (type & Native.SOCK_DGRAM) != 0;
        if (datagrams)
        {
            // Whether the kernel gives all of it or less: what waits here is what a restart does not lose.
            _ = Native.SetSockOpt(fd, Native.SOL_SOCKET, Native.SO_RCVBUF, &room, sizeof(int));
        }

        var target = stackalloc byte[IPv6AddressLength];
        var length = Encode(target, address, port);
        var failed = (option != 0 && Native.SetSockOpt(fd, Native.SOL_SOCKET, option, &yes, sizeof(int)) != 0)
            || (version6 && Native.SetSockOpt(fd, Native.IPPROTO_IPV6, Native.IPV6_V6ONLY, &no, sizeof(int)) != 0)
            || Native.Bind(fd, target, length) != 0
            || (!datagrams && Native.Listen(fd, Backlog) != 0)
            || Native.GetSockName(fd, target, &length) != 0;
        if (!failed)
        {
            return new ListeningSocket(descriptor, address, (target[2] << 8) | target[3]);
        }

        var error = Marshal.GetLastPInvokeError();
        descriptor.Dispose();
        throw Failure(address, port, key, error);
    }

    /// <summary>What a listening socket that came over the channel is bound to.</summary>
    /// <exception cref="ArgumentException">It is not a socket of the internet.</exception>
    public static unsafe ListeningSocket Describe(Descriptor descriptor)
    {
        var address = stackalloc byte[IPv6AddressLength];
        var length = IPv6AddressLength;
        if (Native.GetSockName(descriptor.Number, address, &length) != 0)
        {
            throw new ArgumentException("Not a socket.", nameof(descriptor));
        }

        var ip = *(ushort*)address switch
        {
            Native.AF_INET => new IPAddress(new ReadOnlySpan<byte>(address + 4, 4)),
            Native.AF_INET6 => new IPAddress(new ReadOnlySpan<byte>(address + 8, 16), *(uint*)(address + 24)),
            _ => throw new ArgumentException("Not a socket of the internet.", nameof(descriptor)),
        };
        return new ListeningSocket(descriptor, ip, (address[2] << 8) | address[3]);
    }

    /// <summary>Closes this process's copy; the listener goes on where another process holds one.</summary>
    public void Dispose() => Descriptor.Dispose();

    // struct sockaddr_in, struct sockaddr_in6.
    private static unsafe int Encode(byte* target, IPAddress address, int port)
    {
        new Span<byte>(target, IPv6AddressLength).Clear();
        var version6 = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        *(ushort*)target = (ushort)(version6 ? Native.AF_INET6 : Native.AF_INET);
        target[2] = (byte)(port >> 8);
        target[3] = (byte)port;
        address.TryWriteBytes(new Span<byte>(target + (version6 ? 8 : 4), 16), out _);
        if (version6)
        {
            *(uint*)(target + 24) = (uint)address.ScopeId;
        }

        return version6 ? IPv6AddressLength : IPv4AddressLength;
    }

    private static Errors.AshlarException Failure(IPAddress address, int port, string key, int error) => error switch
    {
        Native.EADDRINUSE => CatalogErrors.AddressInUse(Show(address), port, key),
        Native.EACCES or Native.EPERM => CatalogErrors.PortNeedsPrivilege(Show(address), port, key),
        Native.EADDRNOTAVAIL => CatalogErrors.AddressNotHere(Show(address), port, key),
        _ => CatalogErrors.ListenFailed(Show(address), port, key, Marshal.GetPInvokeErrorMessage(error)),
    };

    private static string Show(IPAddress address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();
}
