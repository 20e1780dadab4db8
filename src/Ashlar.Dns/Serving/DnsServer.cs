using System.Net;
using Ashlar.Catalog.Channel;
using Ashlar.Dns.Answers;
using Ashlar.Monitoring;

namespace Ashlar.Dns.Serving;

/// <summary>Answers over UDP and TCP until disposed of.</summary>
public sealed class DnsServer : IAsyncDisposable
{
    private readonly List<UdpAnswers> _udp = [];
    private readonly TcpAnswers _tcp;
    private readonly MetricsFile? _own;
    private volatile AnswerView _view = AnswerView.Empty;

    /// <summary>Begins to answer on sockets that are there.</summary>
    /// <param name="tcp">The listener; the server's own from now on, though other processes may hold it too.</param>
    /// <param name="udp">The sockets of UDP, each answered by a thread.</param>
    /// <param name="metrics">Counts.</param>
    /// <param name="view">What is answered from at first.</param>
    internal DnsServer(Descriptor tcp, IEnumerable<Descriptor> udp, DnsMetrics metrics, AnswerView view)
    {
        _view = view;
        var limit = new AnswerLimit();
        _tcp = new TcpAnswers(tcp, () => _view, metrics);
        _udp.AddRange(udp.Select((socket, i) => new UdpAnswers(socket, i, () => _view, limit, metrics)));
    }

    private DnsServer(ListeningSocket tcp, ListeningSocket[] udp, MetricsFile own)
        : this(tcp.Descriptor, udp.Select(socket => socket.Descriptor), new DnsMetrics(own), AnswerView.Empty) =>
        (_own, Address) = (own, new IPEndPoint(tcp.Address, tcp.Port));

    /// <summary>Listens on an address.</summary>
    /// <param name="address">Where; port 0 takes a free one.</param>
    /// <param name="threads">Threads for UDP, each with a socket of its own.</param>
    /// <exception cref="Errors.AshlarException">The address cannot be had.</exception>
    public static DnsServer Listen(IPEndPoint address, int threads = 1)
    {
        const string Key = "dns.listen";
        var tcp = ListeningSocket.Open(address.Address, address.Port, Key);
        try
        {
            return new DnsServer(tcp, ListeningSocket.OpenDatagrams(address.Address, tcp.Port, threads, Key), MetricsFile.InMemory(DnsMetrics.SlotsFor(threads)));
        }
        catch
        {
            tcp.Dispose();
            throw;
        }
    }

    /// <summary>Where it listens, of one that has opened its sockets itself.</summary>
    public IPEndPoint Address { get; } = new(IPAddress.None, 0);

    /// <summary>The zones that everybody is answered from; may be set at any time.</summary>
    public ZoneSet Zones
    {
        get => _view.Zones;
        set => _view = _view with { Zones = value };
    }

    /// <summary>All that is answered from.</summary>
    internal AnswerView View
    {
        get => _view;
        set => _view = value;
    }

    /// <summary>Takes nothing new, and returns when what is open has its answers or the time is over.</summary>
    internal Task DrainAsync(TimeSpan grace) => _tcp.DrainAsync(grace);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _tcp.DrainAsync(TimeSpan.Zero);
        await Task.WhenAll(_udp.Select(udp => Task.Run(udp.Dispose)).Append(Task.Run(_tcp.Dispose)));
        _own?.Dispose();
    }
}
