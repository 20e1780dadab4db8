using System.Collections.Immutable;
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
        long revision, Target target, IReadOnlyCollection<ObservedInstance> observed, ImmutableArray<CatalogListener> listeners)
    {
        var endpoints = observed.Where(o => o.HasEndpoint && o.Port != 0).ToLookup(o => o.Service);
        var services = target.Stack.Services.Where(s => s.Interface == ServiceInterface.Http)
            .Select(s => Service(s, target, endpoints[s.Name]));

        // A service that is no more in the file still has requests to finish: it goes on without routes until it is gone.
        var removed = endpoints.Where(e => target.Service(e.Key) is not { Interface: ServiceInterface.Http })
            .Select(e => new CatalogService { Name = e.Key, Instances = Instances(e) });
        return new CatalogSnapshot
        {
            Revision = revision,
            Stack = target.Stack.Name,
            Domains = target.Stack.Domains,
            Release = target.Release,
            Listeners = listeners,
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
