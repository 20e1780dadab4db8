using Ashlar.Catalog.Store;

namespace Ashlar.Agent.Tests.Simulation;

/// <summary>The shared store in virtual time: revisions, leases, conditions, and a log from which every machine hears at its own pace.</summary>
internal sealed class SimulatedStore
{
    private readonly SortedDictionary<string, StoreEntry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<long, long> _leases = [];
    private long _lastLease;

    /// <summary>All changes ever, with the second in which each was made.</summary>
    public List<(long Second, StoreEvent Change)> Log { get; } = [];

    public long Revision { get; private set; }

    public IEnumerable<StoreEntry> Entries => _entries.Values;

    public StoreEntry? Get(string key) => _entries.GetValueOrDefault(key);

    public void Put(long second, string key, byte[] value, long lease = 0)
    {
        Revision++;
        _entries[key] = new StoreEntry(key, value, _entries.TryGetValue(key, out var known) ? known.CreateRevision : Revision, Revision, lease);
        Log.Add((second, new StoreEvent(key, value, Revision)));
    }

    public void Delete(long second, string key)
    {
        if (_entries.Remove(key))
        {
            Log.Add((second, new StoreEvent(key, null, ++Revision)));
        }
    }

    /// <summary>A lease that ends with the second given; its keys go then.</summary>
    public long Grant(long until)
    {
        _leases[++_lastLease] = until;
        return _lastLease;
    }

    /// <summary>False: it is gone.</summary>
    public bool Renew(long lease, long until) => _leases.ContainsKey(lease) && (_leases[lease] = until) == until;

    public void EndLeases(long second)
    {
        foreach (var lease in _leases.Where(l => l.Value <= second).Select(l => l.Key).ToArray())
        {
            _leases.Remove(lease);
            foreach (var key in _entries.Values.Where(e => e.Lease == lease).Select(e => e.Key).ToArray())
            {
                Delete(second, key);
            }
        }
    }
}
