using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Ashlar.Http.Transport;

/// <summary>An IP address and port in the kernel's form (<c>sockaddr_in</c>, <c>sockaddr_in6</c>).</summary>
internal static class SocketAddress
{
    /// <summary>Size of the largest form.</summary>
    public const int MaxLength = 28;

    private const int Inet4Length = 16;

    /// <summary>Writes <paramref name="endPoint"/>; returns the length.</summary>
    public static int Write(IPEndPoint endPoint, Span<byte> destination)
    {
        destination[..MaxLength].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)endPoint.Port);
        if (endPoint.AddressFamily == AddressFamily.InterNetwork)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(destination, LibC.AddressFamilyInet);
            endPoint.Address.TryWriteBytes(destination[4..], out _);
            return Inet4Length;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(destination, LibC.AddressFamilyInet6);
        endPoint.Address.TryWriteBytes(destination[8..], out _);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[24..], (uint)endPoint.Address.ScopeId);
        return MaxLength;
    }

    /// <summary>The bytes of the IP address alone, without port.</summary>
    public static ReadOnlySpan<byte> AddressBytes(ReadOnlySpan<byte> address) =>
        BinaryPrimitives.ReadUInt16LittleEndian(address) == LibC.AddressFamilyInet ? address.Slice(4, 4) : address.Slice(8, 16);

    /// <summary>Reads the IP address; an IPv4 address mapped into IPv6 comes out as IPv4.</summary>
    public static IPAddress ReadAddress(ReadOnlySpan<byte> address)
    {
        if (BinaryPrimitives.ReadUInt16LittleEndian(address) == LibC.AddressFamilyInet)
        {
            return new IPAddress(address.Slice(4, 4));
        }

        var v6 = new IPAddress(address.Slice(8, 16));
        return v6.IsIPv4MappedToIPv6 ? v6.MapToIPv4() : v6;
    }
}
