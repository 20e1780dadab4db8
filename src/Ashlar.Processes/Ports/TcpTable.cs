using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace Ashlar.Processes;

/// <summary>A TCP socket that listens.</summary>
/// <param name="Endpoint">Where.</param>
/// <param name="Uid">User it belongs to.</param>
/// <param name="Inode">Number that the descriptors of its holders show.</param>
internal readonly record struct ListeningSocket(IPEndPoint Endpoint, uint Uid, long Inode)
{
    /// <summary>True: a socket bound there cannot be bound here as well, or is reached there.</summary>
    public bool Covers(IPAddress address, int port) => Endpoint.Port == port
        && (Endpoint.Address.Equals(address) || IsAny(Endpoint.Address) || IsAny(address)
            || (Endpoint.Address.IsIPv4MappedToIPv6 && Endpoint.Address.MapToIPv4().Equals(address)));

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}

/// <summary>The listening TCP sockets of this network namespace, from <c>/proc/net/tcp</c> and <c>tcp6</c>.</summary>
internal static class TcpTable
{
    private const string Listen = "0A";

    /// <summary>All of them.</summary>
    public static List<ListeningSocket> Listening()
    {
        var sockets = new List<ListeningSocket>();
        foreach (var file in new[] { "/proc/net/tcp", "/proc/net/tcp6" })
        {
            if (File.Exists(file))
                sockets.AddRange(File.ReadLines(file).Skip(1).Select(Parse).TakeWhile(found => found is not null).Select(found => found!.Value));
        }
        return sockets;
    }

    /// <summary>One line; null if it is no listening socket. The kernel lists these before all others, so reading can end there.</summary>
    internal static ListeningSocket? Parse(string line)
    {
        var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 10 || fields[3] != Listen || ParseEndpoint(fields[1]) is not { } endpoint
            || !uint.TryParse(fields[7], CultureInfo.InvariantCulture, out var uid)
            || !long.TryParse(fields[9], CultureInfo.InvariantCulture, out var inode))
            return null;
        return new ListeningSocket(endpoint, uid, inode);
    }

    /// <summary>The inodes of the sockets that a process has open; empty if we may not look.</summary>
    public static HashSet<long> SocketsOf(int pid)
    {
        var inodes = new HashSet<long>();
        try
        {
            foreach (var entry in new DirectoryInfo($"/proc/{pid}/fd").EnumerateFileSystemInfos())
            {
                if (entry.LinkTarget is { } target && target.StartsWith("socket:[", StringComparison.Ordinal)
                    && long.TryParse(target.AsSpan(8, target.Length - 9), CultureInfo.InvariantCulture, out var inode))
                    inodes.Add(inode);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone meanwhile, or another user's.
        }
        return inodes;
    }

    /// <summary>Each 32-bit word of the address stands in the machine's byte order.</summary>
    private static IPEndPoint? ParseEndpoint(string text)
    {
        var colon = text.IndexOf(':');
        if (colon is not (8 or 32) || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var port)
            || port is < 0 or > IPEndPoint.MaxPort)
            return null;
        var bytes = new byte[colon / 2];
        for (var word = 0; word < bytes.Length / 4; word++)
        {
            if (!uint.TryParse(text.AsSpan(word * 8, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value))
                return null;
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(word * 4), value);
        }
        return new IPEndPoint(new IPAddress(bytes), port);
    }
}
