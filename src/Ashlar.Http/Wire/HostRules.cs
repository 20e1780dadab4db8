using System.Buffers;
using System.Net;

namespace Ashlar.Http.Wire;

/// <summary>
/// The Host field and the authority of a URL: <c>name[:port]</c>. Narrower than RFC 3986: no user information, no
/// percent-encoding, no sub-delimiters, because no host that resolves has them and programs disagree about them.
/// </summary>
internal static class HostRules
{
    private static readonly SearchValues<byte> _name =
        SearchValues.Create("-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>Checks a host and says how long its name is without the port.</summary>
    public static bool TryRead(ReadOnlySpan<byte> host, out int nameLength)
    {
        nameLength = 0;
        if (host.Length is 0 or > 320)
        {
            return false;
        }

        if (host[0] == '[')
        {
            nameLength = host.IndexOf((byte)']') + 1;
            if (nameLength < 4 || !IsAddress(host[1..(nameLength - 1)]))
            {
                return false;
            }
        }
        else
        {
            var end = host.IndexOfAnyExcept(_name);
            nameLength = end < 0 ? host.Length : end;
            var name = host[..nameLength];
            if (name.Length is 0 or > 255 || name[0] == '.' || name.IndexOf(".."u8) >= 0)
            {
                return false;
            }
        }

        return nameLength == host.Length || (host[nameLength] == ':' && IsPort(host[(nameLength + 1)..]));
    }

    private static bool IsAddress(ReadOnlySpan<byte> text)
    {
        foreach (var b in text)
        {
            if (b is not ((byte)':' or (byte)'.') && Bytes.Hex(b) < 0)
            {
                return false;
            }
        }

        return text.Contains((byte)':') && IPAddress.IsValidUtf8(text);
    }

    /// <summary>A port, or nothing behind the colon, which the grammar allows.</summary>
    private static bool IsPort(ReadOnlySpan<byte> text) =>
        text.IsEmpty || (text.Length <= 5 && Bytes.TryReadDecimal(text, out var port) && port <= 65535);
}
