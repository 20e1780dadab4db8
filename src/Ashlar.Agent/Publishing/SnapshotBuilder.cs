using System.Collections.Immutable;
using System.Numerics;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Reconciling;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Stack;

namespace Ashlar.Agent.Publishing;

/// <summary>Target + observed → what the tiers are told. Pure.</summary>
internal static class SnapshotBuilder
{
    /// <summary>The snapshot with the revision given.</summary>
    public static CatalogSnapshot Build(
        long revision, Target target, IReadOnlyCollection<ObservedInstance> observed, ImmutableArray<CatalogListener> listeners,
        Func<string, InstanceFact?> factOf, FleetView? fleet, string machine)
    {
        var remote = fleet?.Except(machine).ToArray() ?? [];
        var endpoints = observed.Where(o => o.HasEndpoint && o.Port != 0).ToLookup(o => o.Service);
        var distant = remote.Where(r => r.Instance is { HasEndpoint: true, Report.Port: not 0 }).ToLookup(r => r.Instance.Service);
        var services = target.Stack.Services.Where(s => s.Interface != ServiceInterface.None)
            .Select(s => Service(s, target, endpoints[s.Name], distant[s.Name]));

        // What is not in the file has no routes: the dashboard, and a service that is no more in it and has requests to finish.
        var near = observed.Where(o => Tiers.IsBacking(o.Tier) && o.Port != 0).ToLookup(o => o.Service);
        var far = remote.Where(r => Tiers.IsBacking(r.Instance.Tier) && r.Instance.Report.Port != 0).ToLookup(r => r.Instance.Service);
        var engines = near.Select(e => e.Key).Union(far.Select(e => e.Key)).Select(name => new CatalogService
        {
            Name = name,
            Wanted = target.Instances.Concat(target.Elsewhere).Count(i => i.Service == name && Tiers.IsBacking(i.Tier)),
            Instances = [.. Instances(near[name]).Select(i => WithFact(i, factOf(i.Name))), .. Instances(far[name])],
        });
        var removed = endpoints.Select(e => e.Key).Union(distant.Select(d => d.Key)).Where(name => target.Service(name) is not { Interface: not ServiceInterface.None })
            .Select(name => new CatalogService
            {
                Name = name,
                Wanted = target.Instances.Concat(target.Elsewhere).Count(i => i.HasEndpoint && i.Service == name),
                Instances = [.. Instances(endpoints[name]), .. Instances(distant[name])],
            });
        return new CatalogSnapshot
        {
            Revision = revision,
            Stack = target.Stack.Name,
            Domains = target.Stack.Domains,
            Release = target.Release,
            Folder = target.Context?.ReleaseFolder ?? "",
            Web = Web(target),
            Machine = machine,
            Machines = fleet is null ? [] : [.. fleet.Records.Values.Select(m => new CatalogMachine(m.Name, m.Address, m.HopPort, fleet.Reports.ContainsKey(m.Name)))],
            Listeners = listeners,
            Dns = DnsBuilder.Build(target, observed, fleet, machine),
            Cache = Cache(target.Stack.Edge.Cache),
            Engines = [.. engines.OrderBy(e => e.Name, StringComparer.Ordinal)],
            Services = [.. services, .. removed],
        };
    }

    private static WebDefinition? Web(Target target) => target.Stack.Edge.Web is not { IsEmpty: false } web ? null : web with
    {
        Rules = [.. web.Rules.Select(rule => rule.Auth?.Config is not { } name ? rule : rule with { Auth = WithUsers(rule.Auth, target.Context?.ConfigVars.GetValueOrDefault(name)) })],
    };

    // Only names and hashes go to the edge, whatever stands in the config var.
    private static AuthDefinition WithUsers(AuthDefinition auth, string? text) => auth with
    {
        Users = (text ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(entry => entry.Split(':', 2))
            .Where(pair => pair.Length == 2 && pair[1].StartsWith('$'))
            .Aggregate(auth.Users, (users, pair) => users.SetItem(pair[0], pair[1])),
    };

    private static CatalogService Service(ServiceDefinition service, Target target, IEnumerable<ObservedInstance> instances, IEnumerable<RemoteInstance> distant) => new()
    {
        Name = service.Name,
        Wanted = target.Instances.Concat(target.Elsewhere).Count(i => i.Tier == Tiers.Services && i.Service == service.Name),
        Routes = [.. service.Routes.Select(r => new CatalogRoute(r.Host, r.PathPrefix))],
        Interface = service.Interface switch { ServiceInterface.FastCgi => "fastcgi", ServiceInterface.Cgi => "cgi", _ => "http" },
        Folder = target.Context is { } context ? Path.Combine(context.ReleaseFolder, service.Folder) : "",
        Root = service.Root,
        TryFiles = service.TryFiles,
        Maintenance = target.Maintenance.Contains(service.Name),
        Balance = service.Balance == BalancePolicy.RoundRobin ? "round-robin" : "least-requests",
        RequestsPerInstance = service.RequestLimit ?? 0,
        WaitingRoom = service.Waiting.Room,
        WaitingTimeoutMs = (int)service.Waiting.Timeout.TotalMilliseconds,
        Instances = [.. Instances(instances), .. Instances(distant)],
    };

    private static CatalogCache? Cache(EdgeCacheDefinition? cache) => cache is null ? null : new CatalogCache
    {
        Memory = cache.Memory,
        MaxObject = cache.MaxObject ?? 0,
        StaleIfErrorMs = (long)cache.StaleIfError.TotalMilliseconds,
        Cookies = cache.Cookies,
        PurgeFrom = cache.PurgeFrom,
    };

    // Rounded, so that not every look at a replica is news for every tier.
    private static CatalogInstance WithFact(CatalogInstance instance, InstanceFact? fact) => instance with
    {
        Role = fact?.Role,
        LagBytes = fact?.LagBytes is { } bytes ? (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(0, bytes)) : null,
        LagSeconds = fact?.LagSeconds is { } seconds ? (int)Math.Min(int.MaxValue, Math.Ceiling(seconds)) : null,
    };

    private static IEnumerable<CatalogInstance> Instances(IEnumerable<RemoteInstance> distant) =>
        distant.OrderBy(r => r.Instance.Index).ThenBy(r => r.Machine.Name, StringComparer.Ordinal).Select(r => new CatalogInstance
        {
            Id = $"{r.Instance.Id}@{r.Machine.Name}",
            Name = r.Instance.Report.Name,
            Machine = r.Machine.Name,
            Address = "127.0.0.1",
            Port = r.Instance.Report.Port,
            State = r.Instance.Report.State,
        });

    private static ImmutableArray<CatalogInstance> Instances(IEnumerable<ObservedInstance> instances) =>
    [
        .. instances.OrderBy(o => o.Index).ThenBy(o => o.Generation).Select(o => new CatalogInstance
        {
            Id = o.Id,
            Name = o.Name,
            Address = "127.0.0.1",
            Port = o.Port,
            Socket = o.Socket,
            Folder = o.Folder,
            State = o.State,
        }),
    ];
}
