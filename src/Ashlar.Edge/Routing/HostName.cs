using System.Text;

namespace Ashlar.Edge.Routing;

/// <summary>Host names as routing compares them: bytes, without port and trailing dot, without regard to case (RFC 9110 4.2.3).</summary>
internal static class HostName
{
    /// <summary>The part of a Host value that names the host: no port, no trailing dot. An IPv6 literal keeps its brackets.</summary>
    public static ReadOnlySpan<byte> Strip(ReadOnlySpan<byte> host)
    {
        var end = host.Length > 0 && host[0] == '[' ? host.IndexOf((byte)']') + 1 : host.IndexOf((byte)':');
        if (end > 0)
        {
            host = host[..end];
        }

        return host.Length > 1 && host[^1] == '.' ? host[..^1] : host;
    }

    /// <summary>True for names that mean this machine: <c>localhost</c> and names under it (RFC 6761 6.3), 127.0.0.0/8, <c>[::1]</c>.</summary>
    public static bool IsLoopback(ReadOnlySpan<byte> name)
    {
        var suffix = "localhost"u8;
        if (name.Length >= suffix.Length && Ascii.EqualsIgnoreCase(name[^suffix.Length..], suffix))
        {
            return name.Length == suffix.Length || name[^(suffix.Length + 1)] == '.';
        }

        return name.SequenceEqual("[::1]"u8) || (name.StartsWith("127."u8) && IsDottedDecimal(name));
    }

    // 127.evil.test is a name, not an address.
    private static bool IsDottedDecimal(ReadOnlySpan<byte> name)
    {
        foreach (var b in name)
        {
            if (b is not ((>= (byte)'0' and <= (byte)'9') or (byte)'.'))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Keys are lower-case bytes; a span of any case finds them without allocation.</summary>
    public sealed class Comparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static Comparer Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => Ascii.EqualsIgnoreCase(x, y);

        public int GetHashCode(byte[] name) => GetHashCode((ReadOnlySpan<byte>)name);

        public bool Equals(ReadOnlySpan<byte> name, byte[] other) => Ascii.EqualsIgnoreCase(name, other);

        public byte[] Create(ReadOnlySpan<byte> name) => name.ToArray();

        // FNV-1a over the lower-cased bytes: short names, and a table that only the stack's owner fills.
        public int GetHashCode(ReadOnlySpan<byte> name)
        {
            var hash = 2166136261u;
            foreach (var b in name)
            {
                var lower = b is >= (byte)'A' and <= (byte)'Z' ? (byte)(b | 0x20) : b;
                hash = (hash ^ lower) * 16777619u;
            }

            return (int)hash;
        }
    }
}
