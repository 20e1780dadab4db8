using System.Collections.Immutable;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;

namespace Ashlar.Agent.Operations;

/// <summary>What passes between the data tiers and the services when one target follows another. Pure.</summary>
internal static class Handover
{
    /// <summary>Names of the variables that the data tiers give services otherwise than before.</summary>
    public static ImmutableArray<string> Changed(Target before, Target next)
    {
        var (was, now) = (Of(before), Of(next));
        return before.Context is null ? [] : [.. was.Keys.Union(now.Keys).Where(name => was.GetValueOrDefault(name) != now.GetValueOrDefault(name)).Order()];
    }

    /// <summary>What to say of services that are replaced for that, before it is done; null: none is.</summary>
    public static string? Tell(Target before, Target next)
    {
        var services = before.Instances
            .Where(i => i.Tier == Tiers.Services && next.Instances.Any(n => n.Tier == i.Tier && n.Name == i.Name && n.Fingerprint != i.Fingerprint))
            .Select(i => i.Service).Distinct().ToArray();
        return Changed(before, next) is { IsEmpty: false } changed && services.Length > 0
            ? $"{string.Join(", ", changed)} will lead elsewhere: {string.Join(", ", services)} will be replaced, one instance after the other"
            : null;
    }

    /// <summary>What serves in a data tier and is not wanted any more: it goes when nobody is told of it.</summary>
    public static ImmutableArray<DesiredInstance> Leaving(View view, Target next) =>
    [
        .. view.Target.Instances.Where(i => Tiers.IsBacking(i.Tier) && !next.Instances.Any(n => n.Tier == i.Tier && n.Name == i.Name)
            && view.Observed.Any(o => o.Tier == i.Tier && o.Name == i.Name && o.Fingerprint == i.Fingerprint && o.State == InstanceState.Healthy)),
    ];

    private static ImmutableSortedDictionary<string, string> Of(Target target) =>
        target.Context is { } context ? Tiers.Complete(context).Variables : ImmutableSortedDictionary<string, string>.Empty;
}
