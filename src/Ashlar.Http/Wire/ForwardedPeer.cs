using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.Http.Wire;

/// <summary>
/// What every request of one client connection is told about the client, formatted once when the connection is accepted:
/// X-Forwarded-For, -Proto and -Port, X-Real-IP, and the beginning of Forwarded (RFC 7239).
/// </summary>
public sealed class ForwardedPeer
{
    /// <summary>Formats it.</summary>
    /// <param name="client">The client's address; an IPv4 address mapped to IPv6 counts as IPv4.</param>
    /// <param name="secure">Whether the client speaks TLS.</param>
    /// <param name="port">The port it connected to.</param>
    /// <param name="trusted">Whether the client is a proxy whose word on the original client counts.</param>
    public ForwardedPeer(IPAddress client, bool secure, int port, bool trusted = false)
    {
        ArgumentNullException.ThrowIfNull(client);
        var address = client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client;
        var text = address.AddressFamily == AddressFamily.InterNetworkV6
            ? new IPAddress(address.GetAddressBytes()).ToString() // without a zone, which means nothing elsewhere
            : address.ToString();
        var node = address.AddressFamily == AddressFamily.InterNetworkV6 ? $"\"[{text}]\"" : text;
        var scheme = secure ? "https" : "http";
        Trusted = trusted;
        Client = address;
        Address = Encoding.ASCII.GetBytes(text);
        For = Encoding.ASCII.GetBytes($"X-Forwarded-For: {text}\r\n");
        Proto = Encoding.ASCII.GetBytes($"X-Forwarded-Proto: {scheme}\r\n");
        Port = Encoding.ASCII.GetBytes($"X-Forwarded-Port: {port}\r\n");
        Forwarded = Encoding.ASCII.GetBytes($"Forwarded: for={node};proto={scheme}");
        All = Encoding.ASCII.GetBytes(
            $"X-Forwarded-For: {text}\r\nX-Real-IP: {text}\r\nX-Forwarded-Proto: {scheme}\r\nX-Forwarded-Port: {port}\r\n"
            + $"Via: 1.1 ashlar\r\nForwarded: for={node};proto={scheme}");
    }

    /// <summary>The client's address as text, for the access log.</summary>
    public ReadOnlyMemory<byte> Address { get; }

    /// <summary>The client's address; one of IPv4 that is mapped to IPv6 is IPv4's.</summary>
    public IPAddress Client { get; }

    /// <summary>Whether what the client says about its own client is kept.</summary>
    public bool Trusted { get; }

    /// <summary>All fields of an HTTP/1.1 client that is not trusted, up to where the host is added to Forwarded.</summary>
    internal byte[] All { get; }

    internal byte[] For { get; }

    internal byte[] Proto { get; }

    internal byte[] Port { get; }

    internal byte[] Forwarded { get; }
}
