using Ashlar.Catalog;
using Ashlar.Catalog.Channel;
using Ashlar.Dns.Serving;

namespace Ashlar.Dns.Tier;

/// <summary>
/// The sockets that the agent has handed down, and the server that answers on them. It hands all of them down again whenever one is new: a copy of a
/// socket that is held already is closed. New ones are answered before the old are let go.
/// </summary>
/// <param name="metrics">Counts.</param>
/// <param name="view">What is answered from.</param>
/// <param name="say">Gets what people should know.</param>
internal sealed class HeldServer(DnsMetrics metrics, Func<AnswerView> view, Action<string> say) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, (Descriptor Socket, string? Identity)> _received = new(StringComparer.Ordinal);
    private SortedDictionary<string, (Descriptor Socket, string? Identity)> _held = new(StringComparer.Ordinal);
    private volatile DnsServer? _server;
    private bool _ended;

    /// <summary>The server; null: it has no sockets yet.</summary>
    public DnsServer? Server => _server;

    /// <summary>Names of all sockets here.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_gate)
            {
                return _ended ? [] : [.. _held.Keys.Union(_received.Keys)];
            }
        }
    }

    /// <summary>All sockets here by name, the newest of each.</summary>
    public (IReadOnlyList<string> Names, IReadOnlyList<Descriptor> Descriptors) All()
    {
        lock (_gate)
        {
            var all = new SortedDictionary<string, Descriptor>(StringComparer.Ordinal);
            foreach (var (name, held) in _ended ? [] : _held.Concat(_received))
            {
                all[name] = held.Socket;
            }

            return ([.. all.Keys], [.. all.Values]);
        }
    }

    /// <summary>Takes over what has come.</summary>
    public void Receive(ReceivedDescriptors received)
    {
        lock (_gate)
        {
            foreach (var (name, socket) in received.Names.Zip(received.Descriptors))
            {
                var identity = IdentityOf(socket);
                if (_ended || (_held.TryGetValue(name, out var held) && held.Identity == identity))
                {
                    socket.Dispose();
                    continue;
                }

                if (_received.Remove(name, out var older))
                {
                    older.Socket.Dispose();
                }

                _received[name] = (socket, identity);
            }
        }
    }

    /// <summary>Answers on what the snapshot lists and has come.</summary>
    /// <exception cref="IOException">This process has no descriptor left.</exception>
    public async Task FollowAsync(CatalogSnapshot snapshot)
    {
        DnsServer? old = null;
        SortedDictionary<string, (Descriptor Socket, string? Identity)> given;
        lock (_gate)
        {
            var wanted = snapshot.Listeners.Where(listener => listener.Tier == CatalogDns.Tier).ToDictionary(listener => listener.Name);
            var now = new SortedDictionary<string, (Descriptor Socket, string? Identity)>(StringComparer.Ordinal);
            foreach (var (name, socket) in _held.Concat(_received).Where(socket => wanted.ContainsKey(socket.Key)))
            {
                now[name] = socket;
            }

            var tcp = wanted.Values.FirstOrDefault(listener => !listener.IsDatagram && now.ContainsKey(listener.Name));
            if (_ended || tcp is null || now.Values.Select(socket => socket.Identity).SequenceEqual(_held.Values.Select(socket => socket.Identity)))
            {
                return;
            }

            // The server has copies of its own: it may end while the sockets are handed on.
            var udp = wanted.Values.Where(listener => listener.IsDatagram && now.ContainsKey(listener.Name)).OrderBy(listener => listener.Name, StringComparer.Ordinal);
            var next = new DnsServer(now[tcp.Name].Socket.Duplicate(), [.. udp.Select(listener => now[listener.Name].Socket.Duplicate())], metrics, view());
            say($"answers on {tcp.Address}:{tcp.Port}");
            (old, _server) = (_server, next);
            next.View = view(); // It may have changed before the server could be told.
            (given, _held) = (_held, now);
            _received.Clear();
        }

        if (old is not null)
        {
            await old.DisposeAsync();
        }

        foreach (var (name, socket) in given)
        {
            if (!_held.TryGetValue(name, out var kept) || !ReferenceEquals(kept.Socket, socket.Socket))
            {
                socket.Socket.Dispose();
            }
        }
    }

    /// <summary>Takes no connection more, and returns when what is open has its answers or the time is over.</summary>
    public Task DrainAsync(TimeSpan grace) => _server?.DrainAsync(grace) ?? Task.CompletedTask;

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_ended)
            {
                return;
            }

            _ended = true;
        }

        await (_server?.DisposeAsync() ?? ValueTask.CompletedTask);
        foreach (var (_, socket) in _held.Concat(_received))
        {
            socket.Socket.Dispose();
        }
    }

    // The kernel names a socket by its inode here: the same for every copy of it.
    private static string? IdentityOf(Descriptor descriptor) => File.ResolveLinkTarget($"/proc/self/fd/{descriptor.Number}", returnFinalTarget: false)?.Name;
}
