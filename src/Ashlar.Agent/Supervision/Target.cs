using System.Collections.Immutable;
using Ashlar.Catalog;
using Ashlar.Stack;

namespace Ashlar.Agent.Supervision;

/// <summary>What the agent pursues: the instances that the tiers' plans want, with the settings that need no new process.</summary>
internal sealed record Target
{
    /// <summary>The stack as its release froze it, with the present settings.</summary>
    public required StackDefinition Stack { get; init; }

    /// <summary>Release that runs; empty before the first.</summary>
    public string Release { get; init; } = "";

    /// <summary>All wanted instances of all tiers.</summary>
    public ImmutableArray<DesiredInstance> Instances { get; init; } = [];

    /// <summary>What is wanted on other machines.</summary>
    public ImmutableArray<DesiredInstance> Elsewhere { get; init; } = [];

    /// <summary>Services whose requests are answered by the maintenance page.</summary>
    public ImmutableSortedSet<string> Maintenance { get; init; } = [];

    /// <summary>Records of DNS that people have added, by zone.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Records { get; init; } = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>When the records of DNS, these or the release's, were last changed, in Unix seconds.</summary>
    public long RecordsChanged { get; init; }

    /// <summary>What the plans were made from; null before the first.</summary>
    public PlanContext? Context { get; init; }

    /// <summary>The service of that name, or null.</summary>
    public ServiceDefinition? Service(string name) => Stack.Services.FirstOrDefault(s => s.Name == name);
}
