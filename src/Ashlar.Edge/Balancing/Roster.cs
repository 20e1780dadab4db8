using Ashlar.Catalog;
using Ashlar.Edge.Gateways;

namespace Ashlar.Edge.Balancing;

/// <summary>What one snapshot says about a service, ready to choose from. Immutable, but for the instances' own counters.</summary>
/// <param name="Service">The service.</param>
/// <param name="All">Its instances that have an endpoint.</param>
/// <param name="Healthy">Those that get requests, the ones of this machine first.</param>
internal sealed record Roster(CatalogService Service, InstanceTarget[] All, InstanceTarget[] Healthy)
{
    public static readonly Roster Empty = new(new CatalogService { Name = "" }, [], []);

    public bool IsRoundRobin { get; } = Service.Balance == "round-robin";

    /// <summary>How many of the healthy ones are of this machine.</summary>
    public int HealthyHere { get; } = Array.FindIndex(Healthy, static instance => instance.Machine is not null) is >= 0 and var elsewhere ? elsewhere : Healthy.Length;

    public int Limit { get; } = Service.RequestsPerInstance;

    /// <summary>Where the scripts are that its instances run; null: they speak HTTP.</summary>
    public ScriptFolders? Scripts { get; } = Service.Interface switch
    {
        "fastcgi" => new ScriptFolders(Service.Root, Service.TryFiles),
        "cgi" => new ScriptFolders(Service.Root, Service.TryFiles, isCgi: true),
        _ => null,
    };

    /// <summary>True: some instance is healthy or will be, so that waiting has a point.</summary>
    public bool CanServe { get; init; } = Healthy.Length > 0 || IsExpecting(Service);

    /// <summary>
    /// The same without the instances of other machines: what a request from another machine may use. It does not wait for what is
    /// still to come, because it may be served elsewhere.
    /// </summary>
    public Roster Here()
    {
        var healthy = Array.FindAll(Healthy, static instance => instance.Machine is null);
        return new Roster(Service, Array.FindAll(All, static instance => instance.Machine is null), healthy) { CanServe = healthy.Length > 0 };
    }

    // Instances that are not even listed yet are missing from the number wanted.
    private static bool IsExpecting(CatalogService service)
    {
        var present = 0;
        foreach (var instance in service.Instances)
        {
            switch (instance.State)
            {
                case InstanceState.Pending or InstanceState.Starting or InstanceState.Unhealthy or InstanceState.Backoff:
                    return true;
                case InstanceState.Crashed:
                    present++;
                    break;
            }
        }

        return service.Wanted > present;
    }
}
