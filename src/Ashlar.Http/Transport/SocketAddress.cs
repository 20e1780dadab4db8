using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.Http.Transport;

/// <summary>An address in the kernel's form: <c>sockaddr_in</c>, <c>sockaddr_in6</c>, <c>sockaddr_un</c>.</summary>
internal static class SocketAddress
{
    /// <summary>Size of the largest form.</summary>
    public const int MaxLength = 110;

    private const int Inet4Length = 16;
    private const int Inet6Length = 28;

    /// <summary>Writes <paramref name="endPoint"/>; returns the length.</summary>
    public static int Write(EndPoint endPoint, Span<byte> destination)
    {
        destination[..MaxLength].Clear();
        return endPoint is IPEndPoint inet ? Write(inet, destination) : WriteUnix(endPoint.ToString()!, destination);
    }

    /// <summary>The family that an address was written for.</summary>
    public static int Family(ReadOnlySpan<byte> address) => BinaryPrimitives.ReadUInt16LittleEndian(address);

    // The path and its NUL.
    private static int WriteUnix(string path, Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(destination, LibC.AddressFamilyUnix);
        return 2 + Encoding.UTF8.GetBytes(path, destination[2..(MaxLength - 1)]) + 1;
    }

    private static int Write(IPEndPoint endPoint, Span<byte> destination)
    {
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
        return Inet6Length;
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
