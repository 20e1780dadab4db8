using System.Collections.Immutable;
using System.Numerics;
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
        Func<string, InstanceFact?> factOf)
    {
        var endpoints = observed.Where(o => o.HasEndpoint && o.Port != 0).ToLookup(o => o.Service);
        var services = target.Stack.Services.Where(s => s.Interface == ServiceInterface.Http)
            .Select(s => Service(s, target, endpoints[s.Name]));

        // What is not in the file has no routes: the dashboard, and a service that is no more in it and has requests to finish.
        var engines = observed.Where(o => Tiers.IsBacking(o.Tier) && o.Port != 0).ToLookup(o => o.Service)
            .Select(e => new CatalogService
            {
                Name = e.Key,
                Wanted = target.Instances.Count(i => i.Service == e.Key && Tiers.IsBacking(i.Tier)),
                Instances = [.. Instances(e).Select(i => WithFact(i, factOf(i.Name)))],
            });
        var removed = endpoints.Where(e => target.Service(e.Key) is not { Interface: ServiceInterface.Http })
            .Select(e => new CatalogService
            {
                Name = e.Key,
                Wanted = target.Instances.Count(i => i.HasEndpoint && i.Service == e.Key),
                Instances = Instances(e),
            });
        return new CatalogSnapshot
        {
            Revision = revision,
            Stack = target.Stack.Name,
            Domains = target.Stack.Domains,
            Release = target.Release,
            Listeners = listeners,
            Engines = [.. engines.OrderBy(e => e.Name, StringComparer.Ordinal)],
            Services = [.. services, .. removed],
        };
    }

    private static CatalogService Service(ServiceDefinition service, Target target, IEnumerable<ObservedInstance> instances) => new()
    {
        Name = service.Name,
        Wanted = target.Instances.Count(i => i.Tier == Tiers.Services && i.Service == service.Name),
        Routes = [.. service.Routes.Select(r => new CatalogRoute(r.Host, r.PathPrefix))],
        Maintenance = target.Maintenance.Contains(service.Name),
        Balance = service.Balance == BalancePolicy.RoundRobin ? "round-robin" : "least-requests",
        RequestsPerInstance = service.Limits.Requests ?? 0,
        WaitingRoom = service.Waiting.Room,
        WaitingTimeoutMs = (int)service.Waiting.Timeout.TotalMilliseconds,
        Instances = Instances(instances),
    };

    // Rounded, so that not every look at a replica is news for every tier.
    private static CatalogInstance WithFact(CatalogInstance instance, InstanceFact? fact) => instance with
    {
        Role = fact?.Role,
        LagBytes = fact?.LagBytes is { } bytes ? (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(0, bytes)) : null,
        LagSeconds = fact?.LagSeconds is { } seconds ? (int)Math.Min(int.MaxValue, Math.Ceiling(seconds)) : null,
    };

    private static ImmutableArray<CatalogInstance> Instances(IEnumerable<ObservedInstance> instances) =>
    [
        .. instances.OrderBy(o => o.Index).ThenBy(o => o.Generation).Select(o => new CatalogInstance
        {
            Id = o.Id,
            Name = o.Name,
            Address = "127.0.0.1",
            Port = o.Port,
            State = o.State,
        }),
    ];
}
