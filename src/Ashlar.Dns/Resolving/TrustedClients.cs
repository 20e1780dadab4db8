using System.Net;
using System.Net.Sockets;

namespace Ashlar.Dns.Resolving;

/// <summary>Who may ask for names that are not the stack's: loopback, and the machines of the stack. Nobody else, or anybody could aim us at others.</summary>
/// <param name="machines">Addresses of the machines.</param>
/// <param name="trustsLoopback">False: not even loopback.</param>
internal sealed class TrustedClients(IEnumerable<IPAddress> machines, bool trustsLoopback = true)
{
    private const ushort InterNetwork = 2;
    private const ushort InterNetwork6 = 10;
    private readonly byte[][] _machines = [.. machines.Select(machine => machine.MapToIPv6().GetAddressBytes())];

    /// <summary>None but loopback.</summary>
    public static TrustedClients Loopback { get; } = new([]);

    /// <summary>None at all.</summary>
    public static TrustedClients Nobody { get; } = new([], trustsLoopback: false);

    /// <summary>True: it is one.</summary>
    public bool Contains(IPAddress address) => Contains(address.AddressFamily == AddressFamily.InterNetwork ? address.MapToIPv6().GetAddressBytes() : address.GetAddressBytes());

    /// <summary>True: the address of a socket (struct sockaddr_in or sockaddr_in6) is one's.</summary>
    public bool ContainsSocketAddress(ReadOnlySpan<byte> address)
    {
        Span<byte> mapped = stackalloc byte[16];
        switch (BitConverter.ToUInt16(address))
        {
            case InterNetwork:
                if (address[4] == 127 && trustsLoopback)
                {
                    return true;
                }

                mapped[10] = mapped[11] = 0xFF;
                address.Slice(4, 4).CopyTo(mapped[12..]);
                return Contains(mapped);
            case InterNetwork6:
                return Contains(address.Slice(8, 16));
            default:
                return false;
        }
    }

    private bool Contains(ReadOnlySpan<byte> address)
    {
        ReadOnlySpan<byte> mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF];
        ReadOnlySpan<byte> loopback = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        if (trustsLoopback && ((address.StartsWith(mapped) && address[12] == 127) || address.SequenceEqual(loopback)))
        {
            return true;
        }

        foreach (var machine in _machines)
        {
            if (address.SequenceEqual(machine))
            {
                return true;
            }
        }

        return false;
    }
}
