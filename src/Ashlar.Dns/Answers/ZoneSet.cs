using System.Collections.Frozen;
using Ashlar.Dns.Wire;
using Ashlar.Dns.Zones;

namespace Ashlar.Dns.Answers;

/// <summary>The zones that are answered from. Never changes: another takes its place.</summary>
/// <param name="zones">The zones, each with a name of its own.</param>
public sealed class ZoneSet(IEnumerable<Zone> zones)
{
    private readonly FrozenDictionary<DnsName, Zone> _zones = zones.ToFrozenDictionary(zone => zone.Apex);

    /// <summary>None.</summary>
    public static ZoneSet Empty { get; } = new([]);

    /// <summary>All of them.</summary>
    public IEnumerable<Zone> All => _zones.Values;

    /// <summary>The zone that a name is in: of several the one with the longest name. Null: it is in none.</summary>
    public Zone? For(DnsName name)
    {
        while (true)
        {
            if (_zones.TryGetValue(name, out var zone))
            {
                return zone;
            }

            if (name.IsRoot)
            {
                return null;
            }

            name = name.Parent;
        }
    }
}
