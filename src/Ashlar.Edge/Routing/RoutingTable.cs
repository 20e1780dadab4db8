using System.Text;
using Ashlar.Catalog;
using Ashlar.Edge.Balancing;
using Ashlar.Edge.Hopping;
using Ashlar.Edge.Web;

namespace Ashlar.Edge.Routing;

/// <summary>
/// Which service a request belongs to: by host (its own routes first, then those for any host), then by the longest path
/// prefix on whole segments. Immutable and built once per snapshot; a match allocates nothing.
/// </summary>
public sealed class RoutingTable
{
    private readonly Dictionary<byte[], PathRoute[]>.AlternateLookup<ReadOnlySpan<byte>> _byHost;
    private readonly Dictionary<string, ServiceTarget>.AlternateLookup<ReadOnlySpan<char>> _byName;
    private readonly PathRoute[] _anyHost;
    private readonly bool _onlyKnownHosts;

    private RoutingTable(
        Dictionary<byte[], PathRoute[]> byHost, PathRoute[] anyHost, Dictionary<string, ServiceTarget> byName, bool onlyKnownHosts, HopTable hops)
    {
        Hops = hops;
        _byHost = byHost.GetAlternateLookup<ReadOnlySpan<byte>>();
        _anyHost = anyHost;
        _byName = byName.GetAlternateLookup<ReadOnlySpan<char>>();
        _onlyKnownHosts = onlyKnownHosts;
    }

    /// <summary>Knows no service and no route.</summary>
    public static RoutingTable Empty { get; } =
        new(new(HostName.Comparer.Instance), [], new(StringComparer.Ordinal), onlyKnownHosts: false, HopTable.Empty);

    /// <summary>The service that the routes give this request to; null if none does.</summary>
    /// <param name="host">Effective host as received; a port and a trailing dot are ignored, case too.</param>
    /// <param name="path">Path of the target as received (not decoded, not normalised), without query.</param>
    public ServiceTarget? Match(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path) => Match(host, path, out _);

    /// <summary>The same, with the length of the path prefix that decided.</summary>
    internal ServiceTarget? Match(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path, out int prefix)
    {
        var name = HostName.Strip(host);
        prefix = 0;
        if (_byHost.TryGetValue(name, out var own))
        {
            return Longest(own, path, out prefix) ?? Longest(_anyHost, path, out prefix);
        }

        return _onlyKnownHosts && !HostName.IsLoopback(name) ? null : Longest(_anyHost, path, out prefix);
    }

    /// <summary>What the edge does as a web server; null: nothing.</summary>
    internal WebTable? Web { get; private init; }

    /// <summary>False if requests for this host never match: it is none of the stack's domains and no route names it.</summary>
    public bool KnowsHost(ReadOnlySpan<byte> host)
    {
        var name = HostName.Strip(host);
        return !_onlyKnownHosts || _byHost.ContainsKey(name) || HostName.IsLoopback(name);
    }

    /// <summary>The service of this name, for listeners that belong to one service; null if there is none.</summary>
    public ServiceTarget? ByName(string service) => _byName.TryGetValue(service, out var target) ? target : null;

    /// <summary>The same for a name in ASCII.</summary>
    internal ServiceTarget? ByName(ReadOnlySpan<byte> service)
    {
        Span<char> name = stackalloc char[128];
        return service.Length <= name.Length && Encoding.ASCII.TryGetChars(service, name, out var length)
            && _byName.TryGetValue(name[..length], out var target) ? target : null;
    }

    /// <summary>What other machines may ask, and what may be asked of them.</summary>
    internal HopTable Hops { get; }

    /// <summary>What the public listeners answer themselves.</summary>
    internal FrontRules Front { get; private init; } = FrontRules.None;

    internal static RoutingTable Build(CatalogSnapshot snapshot, Dictionary<string, ServiceTarget> targets, HopTable hops, WebTable? web)
    {
        var byHost = new Dictionary<byte[], List<PathRoute>>(HostName.Comparer.Instance);
        foreach (var domain in snapshot.Domains)
        {
            byHost.TryAdd(Key(domain), []);
        }

        List<PathRoute> anyHost = [];
        foreach (var service in snapshot.Services)
        {
            foreach (var route in service.Routes)
            {
                var list = anyHost;
                if (route.Host is not null && !byHost.TryGetValue(Key(route.Host), out list!))
                {
                    byHost[Key(route.Host)] = list = [];
                }

                list.Add(new PathRoute(Prefix(route.PathPrefix), targets[service.Name]));
            }
        }

        return new RoutingTable(
            byHost.ToDictionary(pair => pair.Key, pair => LongestFirst(pair.Value), HostName.Comparer.Instance),
            LongestFirst(anyHost),
            snapshot.Services.ToDictionary(service => service.Name, service => targets[service.Name], StringComparer.Ordinal),
            onlyKnownHosts: snapshot.Domains.Length > 0,
            hops)
        {
            Front = new FrontRules(snapshot),
            Web = web,
        };
    }

    private static ServiceTarget? Longest(PathRoute[] routes, ReadOnlySpan<byte> path, out int prefix)
    {
        prefix = 0;
        foreach (var route in routes)
        {
            if (route.Covers(path))
            {
                prefix = route.Prefix.Length;
                return route.Service;
            }
        }

        return null;
    }

    private static byte[] Key(string host) => HostName.Strip(Encoding.ASCII.GetBytes(host.ToLowerInvariant())).ToArray();

    // Without its trailing slash a prefix covers itself and what lies under it; "/" becomes empty and covers all.
    private static byte[] Prefix(string prefix) => Encoding.UTF8.GetBytes(prefix.TrimEnd('/'));

    private static PathRoute[] LongestFirst(List<PathRoute> routes) => [.. routes.OrderByDescending(route => route.Prefix.Length)];

    private readonly record struct PathRoute(byte[] Prefix, ServiceTarget Service)
    {
        public bool Covers(ReadOnlySpan<byte> path) =>
            path.StartsWith(Prefix) && (path.Length == Prefix.Length || Prefix.Length == 0 || path[Prefix.Length] == '/');
    }
}
