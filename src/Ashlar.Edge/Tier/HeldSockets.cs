using Ashlar.Catalog;
using Ashlar.Catalog.Channel;

namespace Ashlar.Edge.Tier;

/// <summary>What the edge does with listening sockets: begins and ceases to accept on them.</summary>
internal interface IAcceptSockets
{
    /// <summary>False: what it needs is not there yet. Who connects waits, and the next snapshot is looked at.</summary>
    bool CanBegin(CatalogListener listener) => true;

    void Begin(EdgeListener listener);

    /// <summary>Returns when nothing will be accepted on it any more.</summary>
    void Cease(EdgeListener listener);
}

/// <summary>
/// The listening sockets that the agent has handed down. It hands all of them down again whenever one is new: a copy of a
/// socket that is held already is closed, and the snapshot says which are to be listened on.
/// </summary>
internal sealed class HeldSockets(IAcceptSockets acceptor)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Held> _held = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Held> _received = new(StringComparer.Ordinal);

    /// <summary>Names of all sockets here.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_gate)
            {
                return [.. _held.Keys.Union(_received.Keys)];
            }
        }
    }

    /// <summary>True: some have come that nobody listens on yet.</summary>
    public bool HasNew
    {
        get
        {
            lock (_gate)
            {
                return _received.Count > 0;
            }
        }
    }

    /// <summary>All sockets here by name, the newest of each.</summary>
    public (IReadOnlyList<string> Names, IReadOnlyList<Descriptor> Descriptors) All()
    {
        lock (_gate)
        {
            var all = new SortedDictionary<string, Descriptor>(StringComparer.Ordinal);
            foreach (var (name, held) in _held.Concat(_received))
            {
                all[name] = held.Descriptor;
            }

            return ([.. all.Keys], [.. all.Values]);
        }
    }

    /// <summary>Takes over what has come.</summary>
    public void Receive(ReceivedDescriptors received)
    {
        lock (_gate)
        {
            foreach (var (name, descriptor) in received.Names.Zip(received.Descriptors))
            {
                var socket = new Held(descriptor, IdentityOf(descriptor), null);
                if (_held.TryGetValue(name, out var held) && held.Identity == socket.Identity)
                {
                    descriptor.Dispose();
                    continue;
                }

                if (_received.Remove(name, out var older))
                {
                    older.Descriptor.Dispose();
                }

                _received[name] = socket;
            }
        }
    }

    /// <summary>Listens on what the snapshot lists and has come; closes what it lists no more.</summary>
    public void Follow(CatalogSnapshot snapshot)
    {
        lock (_gate)
        {
            foreach (var listener in snapshot.Listeners.Where(listener => listener.Tier is null))
            {
                if (_received.ContainsKey(listener.Name) && acceptor.CanBegin(listener) && _received.Remove(listener.Name, out var socket))
                {
                    var began = new EdgeListener(listener.Name, socket.Descriptor.Number, listener.Port, listener.Service)
                    {
                        IsHop = listener.Hop,
                        IsSecure = listener.Tls,
                        Forward = listener.Forward,
                    };
                    acceptor.Begin(began);

                    // The new socket is served before the old one is let go.
                    Close(listener.Name);
                    _held[listener.Name] = socket with { Listener = began };
                }
            }

            foreach (var name in _held.Keys.Except(snapshot.Listeners.Select(listener => listener.Name)).ToArray())
            {
                Close(name);
            }
        }
    }

    private void Close(string name)
    {
        if (_held.Remove(name, out var held))
        {
            acceptor.Cease(held.Listener!);
            held.Descriptor.Dispose();
        }
    }

    // The kernel names a socket by its inode here: the same for every copy of it.
    private static string? IdentityOf(Descriptor descriptor) =>
        File.ResolveLinkTarget($"/proc/self/fd/{descriptor.Number}", returnFinalTarget: false)?.Name;

    private sealed record Held(Descriptor Descriptor, string? Identity, EdgeListener? Listener);
}
