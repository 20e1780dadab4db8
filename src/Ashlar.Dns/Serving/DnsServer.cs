using System.Net;
using Ashlar.Dns.Answers;

namespace Ashlar.Dns.Serving;

/// <summary>Answers over UDP and TCP on one address until disposed of.</summary>
public sealed class DnsServer : IDisposable
{
    private readonly UdpAnswers _udp;
    private readonly TcpAnswers _tcp;
    private volatile ZoneSet _zones = ZoneSet.Empty;

    /// <summary>Begins to listen.</summary>
    /// <param name="address">Where; port 0 takes a free one.</param>
    /// <param name="threads">Threads for UDP, each with a socket of its own.</param>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be had.</exception>
    public DnsServer(IPEndPoint address, int threads = 1)
    {
        _tcp = new TcpAnswers(address, () => _zones);
        try
        {
            _udp = new UdpAnswers(_tcp.Address, threads, () => _zones);
        }
        catch
        {
            _tcp.Dispose();
            throw;
        }
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address => _tcp.Address;

    /// <summary>What is answered from; may be set at any time.</summary>
    public ZoneSet Zones
    {
        get => _zones;
        set => _zones = value;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _udp.Dispose();
        _tcp.Dispose();
    }
}
