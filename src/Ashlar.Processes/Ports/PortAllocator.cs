using System.Net;
using System.Net.Sockets;

namespace Ashlar.Processes;

/// <summary>
/// Gives out TCP ports of a range, each to one holder at a time. The next one is sought after the last given, so that a port
/// lies fallow as long as possible before it is used again. Safe for use by several threads.
/// </summary>
public sealed class PortAllocator
{
    private readonly Lock _lock = new();
    private readonly HashSet<int> _held = [];
    private int _next;

    /// <summary>Makes one for a range.</summary>
    /// <param name="first">First port. The default range ends below the one that Linux takes outgoing connections from.</param>
    /// <param name="last">Last port, inclusive.</param>
    /// <param name="random">Where in the range to begin: two stacks on one machine then seldom ask for the same port.</param>
    public PortAllocator(int first = 20_000, int last = 29_999, Random? random = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(first, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(last, IPEndPoint.MaxPort);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, last);
        (First, Last) = (first, last);
        _next = (random ?? Random.Shared).Next(first, last + 1);
    }

    /// <summary>First port of the range.</summary>
    public int First { get; }

    /// <summary>Last port of the range.</summary>
    public int Last { get; }

    /// <summary>A port that nobody holds and that can be bound at 127.0.0.1 and 0.0.0.0 now.</summary>
    /// <exception cref="Errors.AshlarException">ASH2015: there is none.</exception>
    public int Take()
    {
        lock (_lock)
        {
            for (var tries = Last - First + 1; tries > 0; tries--)
            {
                var port = _next;
                _next = port == Last ? First : port + 1;
                if (!_held.Contains(port) && CanBind(IPAddress.Loopback, port) && CanBind(IPAddress.Any, port))
                {
                    _held.Add(port);
                    return port;
                }
            }
        }
        throw ProcessErrors.NoFreePort(First, Last);
    }

    /// <summary>Marks a port as held, e.g. an adopted instance's. False: it was already.</summary>
    public bool Reserve(int port)
    {
        lock (_lock)
            return _held.Add(port);
    }

    /// <summary>Gives a port back.</summary>
    public void Release(int port)
    {
        lock (_lock)
            _held.Remove(port);
    }

    /// <summary>True: a server could listen there now.</summary>
    public static bool CanBind(IPAddress address, int port)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(1);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
