using System.Net;
using System.Text;

namespace Ashlar.Edge.Web;

/// <summary>The client behind proxies that are trusted: the last address of X-Forwarded-For that is none of theirs.</summary>
internal static class ForwardedClient
{
    private const int LongestAddress = 64;

    /// <summary>Reads one field, from its end. Null: it names nobody but trusted proxies, or what it says is no list of addresses.</summary>
    /// <param name="value">Value of the field.</param>
    /// <param name="trusted">The proxies.</param>
    public static IPAddress? Find(ReadOnlySpan<byte> value, AddressList trusted)
    {
        IPAddress? last = null;
        while (!value.IsEmpty)
        {
            var comma = value.LastIndexOf((byte)',');
            var address = Read(value[(comma + 1)..]);
            if (address is null)
            {
                // Whoever wrote this stands before one that is trusted: what is before it means nothing.
                return last;
            }

            last = address;
            if (!trusted.Contains(address))
            {
                return address;
            }

            value = comma < 0 ? default : value[..comma];
        }

        return last;
    }

    /// <summary>An address as proxies write it: with white space around it, with a port, an IPv6 one in brackets.</summary>
    public static IPAddress? Read(ReadOnlySpan<byte> text)
    {
        Span<char> chars = stackalloc char[LongestAddress];
        if (text.Length > LongestAddress || !Encoding.ASCII.TryGetChars(text, chars, out var length))
        {
            return null;
        }

        var address = ((ReadOnlySpan<char>)chars[..length]).Trim(" \t\"");
        if (address is ['[', ..] && address.IndexOf(']') is var bracket and > 0)
        {
            address = address[1..bracket];
        }
        else if (address.IndexOf('.') > 0 && address.IndexOf(':') is var colon and > 0 && address.LastIndexOf(':') == colon)
        {
            address = address[..colon];
        }

        // IPAddress takes 1 and 0x7f.1 for addresses too.
        var isPlain = address.IndexOf(':') >= 0 || address.Count('.') == 3;
        return isPlain && IPAddress.TryParse(address, out var found) ? found.IsIPv4MappedToIPv6 ? found.MapToIPv4() : found : null;
    }
}
