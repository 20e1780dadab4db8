using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ashlar.Stack;

/// <summary>Addresses to listen on: <c>8080</c> for all of the machine, <c>127.0.0.1:8080</c>, <c>[::1]:8080</c>.</summary>
internal static class ListenText
{
    /// <summary>What a bare port listens on: <c>::</c>, which takes IPv4 as well, where the kernel has IPv6.</summary>
    public static string All => Socket.OSSupportsIPv6 ? "::" : "0.0.0.0";

    /// <summary>What a schema says of it.</summary>
    public const string Pattern = @"^([0-9.]+:|\[[0-9A-Fa-f:.]+\]:|localhost:|\*:)?[0-9]{1,5}$";

    /// <summary>The address; null if the text is none.</summary>
    public static ListenAddress? Parse(string text)
    {
        var colon = text.LastIndexOf(':');
        var host = colon < 0 ? "*" : text[..colon];
        if (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65535)
        {
            return null;
        }

        return host switch
        {
            "localhost" => new ListenAddress("127.0.0.1", port),
            "*" => new ListenAddress(All, port),
            ['[', .. var inner, ']'] => Literal(inner, AddressFamily.InterNetworkV6, port),
            _ => Literal(host, AddressFamily.InterNetwork, port),
        };
    }

    private static ListenAddress? Literal(string host, AddressFamily family, int port)
    {
        // IPAddress also reads "1" and "0x7f.1" as IPv4; four decimal parts are what people mean.
        var isPlain = family != AddressFamily.InterNetwork || host.Count(c => c == '.') == 3;
        return isPlain && IPAddress.TryParse(host, out var address) && address.AddressFamily == family && !host.Contains('%')
            ? new ListenAddress(address.ToString(), port)
            : null;
    }
}
