using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Ashlar.Edge.Hopping;

/// <summary>
/// The field <c>Ashlar-Hop</c> between edges: in a request the service and the instance that is meant (<c>web web.3</c>), or
/// <c>:bytes</c> and an engine's instance, to be spoken to in its own protocol; in an answer how many requests that instance has (<c>17</c>),
/// or with 503 <c>none</c>: nothing here can serve it, and nobody has seen it. It is taken from machines of the stack alone and never passed on.
/// </summary>
internal static class HopField
{
    /// <summary>In the place of a service: what follows the head are an engine's own bytes.</summary>
    public const string Bytes = ":bytes";

    /// <summary>Bytes that suffice for <see cref="WriteLoad"/>.</summary>
    public const int LongestLoad = 32;

    /// <summary>What a connection whose bytes are forwarded says on behalf of its client, who speaks no HTTP.</summary>
    public static ReadOnlySpan<byte> Opening =>
        "GET / HTTP/1.1\r\nHost: bytes\r\nConnection: upgrade\r\nUpgrade: ashlar-bytes\r\n\r\n"u8;

    /// <summary>The way to the engine is open.</summary>
    public static ReadOnlySpan<byte> Opened =>
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ashlar-bytes\r\n\r\n"u8;

    /// <summary>The line for a request.</summary>
    public static byte[] Line(string service, string instance) => Encoding.ASCII.GetBytes($"Ashlar-Hop: {service} {instance}\r\n");

    /// <summary>The answer of an edge that has nothing to serve the request with.</summary>
    public static ReadOnlySpan<byte> None(bool keepAlive) => keepAlive
        ? "HTTP/1.1 503 Service Unavailable\r\nAshlar-Hop: none\r\nContent-Length: 0\r\n\r\n"u8
        : "HTTP/1.1 503 Service Unavailable\r\nAshlar-Hop: none\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8;

    /// <summary>
    /// Writes the line of an answer that says how many requests the instance has, whoever sent them. With 503 nothing may be said: an edge of
    /// an earlier version takes the field itself for <c>none</c>.
    /// </summary>
    public static Span<byte> WriteLoad(Span<byte> destination, int load)
    {
        Utf8.TryWrite(destination, CultureInfo.InvariantCulture, $"Ashlar-Hop: {load}\r\n", out var written);
        return destination[..written];
    }

    /// <summary>Reads what <see cref="WriteLoad"/> wrote; negative: it is something else.</summary>
    public static int ReadLoad(ReadOnlySpan<byte> value) =>
        Utf8Parser.TryParse(value, out int load, out var consumed) && consumed == value.Length ? load : -1;

    /// <summary>Takes a request's field apart; both are empty if it is malformed.</summary>
    public static void Split(ReadOnlySpan<byte> value, out ReadOnlySpan<byte> service, out ReadOnlySpan<byte> instance)
    {
        var space = value.IndexOf((byte)' ');
        service = space < 0 ? default : value[..space];
        instance = space < 0 ? default : value[(space + 1)..];
    }
}
