using System.Collections.Immutable;
using System.Globalization;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Machines.Rolling;
using Ashlar.Catalog;

namespace Ashlar.Agent.Tests.Simulation;

/// <summary>What people have ordered, and the plan that follows from it.</summary>
internal sealed class Orders(int number, ImmutableSortedDictionary<string, ServiceOrder> services, int release)
{
    private ImmutableArray<DesiredInstance> _plan;

    public int Number => number;

    public int Release => release;

    public ImmutableSortedDictionary<string, ServiceOrder> Services => services;

    /// <summary>All instances of the stack.</summary>
    public ImmutableArray<DesiredInstance> Plan => _plan.IsDefault ? _plan = [.. Make()] : _plan;

    /// <summary>As it stands in the store: its number in place of the release.</summary>
    public byte[] Write() => DesiredStore.Write(new DesiredState { Release = number.ToString(CultureInfo.InvariantCulture) }, new RollBook(Present: null));

    /// <summary>The number of what stands in the store.</summary>
    public static int NumberIn(DesiredState state) => int.Parse(state.Release, CultureInfo.InvariantCulture);

    private IEnumerable<DesiredInstance> Make()
    {
        yield return World.Want("edge", 1, "edge");
        foreach (var (name, service) in Services)
        {
            for (var index = 1; index <= service.Count; index++)
            {
                var plain = World.Want(name, index, $"v{(service.Data ? 1 : Release)}");
                yield return plain with
                {
                    Launch = plain.Launch with { Memory = service.Memory },
                    Machines = new() { Dedicated = service.Dedicated },
                    Exclusive = service.Data,
                    KeepsData = service.Data && index == 1,
                };
            }
        }
    }
}

/// <summary>One service as ordered.</summary>
internal sealed record ServiceOrder(int Count, long Memory, bool Data, bool Dedicated);
