using System.Collections.Immutable;
using Ashlar.Agent.Api;
using Ashlar.Agent.Desired;
using Ashlar.Stack;

namespace Ashlar.Agent.Operations;

/// <summary>What each order of a person does to the desired state. Pure.</summary>
internal static class TargetChanges
{
    private const int MostInstances = 1000;

    /// <summary>Orders that a new release outdates fall away: numbers whose declaration has changed, services that are gone.</summary>
    public static DesiredState ForRelease(DesiredState state, StackDefinition stack)
    {
        var services = stack.Services.ToDictionary(s => s.Name, StringComparer.Ordinal);
        bool Exists(string target) => services.ContainsKey(ServiceOf(target)) || TierServices(stack).Contains(ServiceOf(target));
        var declared = Declared(stack);
        return state with
        {
            Scale = state.Scale.Where(s => declared.TryGetValue(s.Key, out var count) && count == s.Value.Declared).ToImmutableSortedDictionary(),
            Stopped = [.. state.Stopped.Where(Exists)],
            RestartCounts = state.RestartCounts.Where(r => Exists(r.Key)).ToImmutableSortedDictionary(),
            Maintenance = [.. state.Maintenance.Where(Exists)],
        };
    }

    /// <summary>Wants other numbers of instances.</summary>
    public static DesiredState Scale(DesiredState state, StackDefinition stack, ImmutableSortedDictionary<string, int> counts)
    {
        foreach (var (name, count) in counts)
        {
            var declared = Declared(stack);
            if (!declared.TryGetValue(name, out var written))
            {
                throw AgentErrors.UnknownTarget(name, [.. declared.Keys]);
            }

            if (count is < 0 or > MostInstances)
            {
                throw AgentErrors.BadCount(name, count);
            }

            state = state with
            {
                Scale = count == written ? state.Scale.Remove(name) : state.Scale.SetItem(name, new ScaleOverride(count, written)),
                Stopped = [.. state.Stopped.Where(t => ServiceOf(t) != name)],
            };
        }

        return state;
    }

    /// <summary>Wants new processes of services or instances.</summary>
    /// <exception cref="Errors.AshlarException">ASH4012; ASH4025: one that is named is stopped.</exception>
    public static DesiredState Restart(DesiredState state, StackDefinition stack, ImmutableArray<string> targets)
    {
        var resolved = Resolve(state, stack, targets).ToArray();
        if (!targets.IsDefaultOrEmpty && resolved.FirstOrDefault(target => IsStopped(state, stack, target)) is { } stopped)
        {
            throw AgentErrors.Stopped(stopped);
        }

        return state with
        {
            RestartCounts = resolved.Aggregate(
                state.RestartCounts, (counts, target) => counts.SetItem(target, counts.GetValueOrDefault(target) + 1)),
        };
    }

    /// <summary>Wants services or instances no more until they are started again.</summary>
    public static DesiredState Stop(DesiredState state, StackDefinition stack, ImmutableArray<string> targets) =>
        state with { Stopped = state.Stopped.Union(Resolve(state, stack, targets)) };

    /// <summary>Wants services or instances again; those that have crashed get a new process at once.</summary>
    public static DesiredState Start(
        DesiredState state, StackDefinition stack, ImmutableArray<string> targets, IReadOnlySet<string> crashed)
    {
        foreach (var target in Resolve(state, stack, targets))
        {
            var service = ServiceOf(target);
            if (target == service)
            {
                state = state with { Stopped = [.. state.Stopped.Where(t => ServiceOf(t) != service)] };
            }
            else if (state.Stopped.Contains(service))
            {
                // One of a stopped service: the others stay stopped by name.
                state = state with { Stopped = state.Stopped.Remove(service).Union(Instances(state, stack, service)).Remove(target) };
            }
            else
            {
                state = state with { Stopped = state.Stopped.Remove(target) };
            }

            var again = Instances(state, stack, service).Where(name => crashed.Contains(name) && (target == service || target == name));
            state = state with
            {
                RestartCounts = again.Aggregate(state.RestartCounts, (counts, name) => counts.SetItem(name, counts.GetValueOrDefault(name) + 1)),
            };
        }

        return state;
    }

    /// <summary>Puts services behind the maintenance page, or back.</summary>
    public static DesiredState Maintain(DesiredState state, StackDefinition stack, MaintenanceArguments arguments)
    {
        var http = stack.Services.Where(s => s.Interface != ServiceInterface.None).Select(s => s.Name).ToArray();
        var named = arguments.Services.IsDefaultOrEmpty ? http : [.. arguments.Services];
        foreach (var name in named.Where(n => !http.Contains(n)))
        {
            throw AgentErrors.UnknownTarget(name, http, "service with requests");
        }

        return state with { Maintenance = arguments.On ? state.Maintenance.Union(named) : state.Maintenance.Except(named) };
    }

    /// <summary>Number of instances of a service that is wanted.</summary>
    public static int Count(DesiredState state, ServiceDefinition service) =>
        state.Scale.TryGetValue(service.Name, out var ordered) ? ordered.Count : service.Instances;

    private static IEnumerable<string> Resolve(DesiredState state, StackDefinition stack, ImmutableArray<string> targets)
    {
        if (targets.IsDefaultOrEmpty)
        {
            return stack.Services.Select(s => s.Name);
        }

        foreach (var target in targets)
        {
            var service = ServiceOf(target);
            if (!TierServices(stack).Contains(service) && !stack.Services.Any(s => s.Name == service))
            {
                throw Unknown(target, stack);
            }

            if (target != service && !Instances(state, stack, service).Contains(target))
            {
                throw AgentErrors.UnknownTarget(target, [.. Instances(state, stack, service)]);
            }
        }

        return targets.Distinct();
    }

    private static IEnumerable<string> Instances(DesiredState state, StackDefinition stack, string service) =>
        stack.Services.FirstOrDefault(s => s.Name == service) is { } declared
            ? Enumerable.Range(1, Count(state, declared)).Select(i => $"{service}.{i}")
            : Tiers.Plan(Tiers.Sketch(stack) with { Scale = state.Scale.ToImmutableSortedDictionary(s => s.Key, s => s.Value.Count) })
                .Where(i => i.Tier != Tiers.Services && i.Service == service).Select(i => i.Name);

    private static bool IsStopped(DesiredState state, StackDefinition stack, string target) =>
        state.Stopped.Contains(target) || state.Stopped.Contains(ServiceOf(target))
        || (target == ServiceOf(target) && Instances(state, stack, target).ToArray() is { Length: > 0 } all && all.All(state.Stopped.Contains));

    /// <summary>Names that belong to Ashlar's own tiers and their engines.</summary>
    private static HashSet<string> TierServices(StackDefinition stack) =>
        Tiers.Plan(Tiers.Sketch(stack)).Where(i => i.Tier != Tiers.Services).Select(i => i.Service).Append(Tiers.Edge).ToHashSet();

    /// <summary>All numbers that can be scaled, with what the stack says.</summary>
    private static ImmutableSortedDictionary<string, int> Declared(StackDefinition stack) =>
        stack.Services.Select(s => (s.Name, Declared: s.Instances)).Concat(Tiers.All.SelectMany(tier => tier.Scales(Tiers.Sketch(stack))))
            .ToImmutableSortedDictionary(s => s.Name, s => s.Declared);

    private static string ServiceOf(string target) => target.Split('.')[0];

    private static Errors.AshlarException Unknown(string target, StackDefinition stack) =>
        AgentErrors.UnknownTarget(target, [.. stack.Services.Select(s => s.Name)]);
}
