using System.Collections.Immutable;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Reconciling;
using Ashlar.Catalog;
using Ashlar.Delivery.Releases;

namespace Ashlar.Agent.Operations;

/// <summary>What <c>up</c> would do, a line each, in order. Pure.</summary>
internal static class UpPreview
{
    /// <summary>What is made for the release, then the reconciler's steps; as in <c>up</c> the data tiers come up before the release command.</summary>
    /// <param name="release">The release to be made.</param>
    /// <param name="desired">All that would be wanted.</param>
    /// <param name="observed">All that is.</param>
    public static ImmutableArray<string> Steps(
        ReleasePreview release, IReadOnlyCollection<DesiredInstance> desired, IReadOnlyCollection<ObservedInstance> observed)
    {
        var steps = ImmutableArray.CreateBuilder<string>();
        steps.AddRange(release.Making);
        var world = observed;
        if (release.Command is { } command)
        {
            var (raised, backing) = DryRun.Play(
                [.. desired.Where(d => Tiers.IsBacking(d.Tier))], [.. observed.Where(o => Tiers.IsBacking(o.Tier))], Tiers.StopOrder);
            steps.AddRange(raised.Select(step => step.Describe()));
            steps.Add($"run the release command: {command}");
            world = [.. observed.Where(o => !Tiers.IsBacking(o.Tier)), .. backing];
        }

        steps.AddRange(DryRun.Steps(desired, world, Tiers.StopOrder).Select(step => step.Describe()));
        return steps.ToImmutable();
    }

    /// <summary>The state that <c>up</c> would pursue with a release.</summary>
    public static DesiredState Next(DesiredState state, Release release) =>
        TargetChanges.ForRelease(state, release.Stack) with { Release = release.Name, Down = false };
}
