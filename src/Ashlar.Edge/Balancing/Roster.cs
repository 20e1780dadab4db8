using Ashlar.Catalog;

namespace Ashlar.Edge.Balancing;

/// <summary>What one snapshot says about a service, ready to choose from. Immutable, but for the instances' own counters.</summary>
internal sealed record Roster(CatalogService Service, InstanceTarget[] All, InstanceTarget[] Healthy)
{
    public static readonly Roster Empty = new(new CatalogService { Name = "" }, [], []);

    public bool IsRoundRobin { get; } = Service.Balance == "round-robin";

    public int Limit { get; } = Service.RequestsPerInstance;

    /// <summary>True: some instance is healthy or will be, so that waiting has a point.</summary>
    public bool CanServe { get; } = Healthy.Length > 0 || IsExpecting(Service);

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
