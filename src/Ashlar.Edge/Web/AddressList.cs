using System.Net;
using System.Net.Sockets;

namespace Ashlar.Edge.Web;

/// <summary>Addresses and networks (<c>10.0.0.0/8</c>, <c>2001:db8::/32</c>, <c>all</c>). IPv4 mapped into IPv6 counts as IPv4.</summary>
internal sealed class AddressList
{
    private readonly IPNetwork[] _networks;
    private readonly bool _all;

    /// <summary>Nobody.</summary>
    public static AddressList None { get; } = new([]);

    /// <param name="texts">As the stack file has them; what is none is left out.</param>
    public AddressList(IEnumerable<string> texts)
    {
        var list = texts.ToArray();
        _all = list.Contains("all");
        _networks = [.. list.Select(Parse).OfType<IPNetwork>()];
    }

    /// <summary>True: there is nothing in it.</summary>
    public bool IsEmpty => !_all && _networks.Length == 0;

    public bool Contains(IPAddress address)
    {
        if (_all)
        {
            return true;
        }

        foreach (var network in _networks)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }

    private static IPNetwork? Parse(string text)
    {
        if (IPAddress.TryParse(text, out var address))
        {
            address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
            return new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
        }

        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !IPAddress.TryParse(text.AsSpan(0, slash), out var start) || !int.TryParse(text.AsSpan(slash + 1), out var length))
        {
            return null;
        }

        if (start.IsIPv4MappedToIPv6 && length >= 96)
        {
            (start, length) = (start.MapToIPv4(), length - 96);
        }

        return length < 0 || length > start.GetAddressBytes().Length * 8 ? null : new IPNetwork(Masked(start, length), length);
    }

    // 10.1.2.3/8 means the network that the address lies in.
    private static IPAddress Masked(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var bits = Math.Clamp(length - 8 * i, 0, 8);
            bytes[i] &= (byte)(0xff << (8 - bits));
        }

        return new IPAddress(bytes);
    }
}
