using System.Collections.Concurrent;
using System.Collections.Immutable;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;

namespace Ashlar.Agent.Machines.Fencing;

/// <summary>
/// Keeps what may run once in the stack from running without its lease. A lease counts only where another machine could take the instance's
/// place: a primary without replicas elsewhere has no rival.
/// </summary>
/// <param name="isAlone">True: the only member of the shared store is here, so no other machine can take a lease.</param>
/// <param name="time">Clock.</param>
internal sealed class Fence(Func<bool> isAlone, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, HeldLease> _leases = new(StringComparer.Ordinal);

    /// <summary>Instances here that need a lease, with the names of those elsewhere that could take their place.</summary>
    public static IEnumerable<(DesiredInstance Instance, ImmutableArray<string> Rivals)> Needing(Target target) =>
        from instance in target.Instances
        where instance.Lease is not null
        let rivals = target.Elsewhere.Where(other => other.Tier == instance.Tier && other.Service == instance.Service).Select(other => other.Name).ToImmutableArray()
        where !rivals.IsEmpty
        select (instance, rivals);

    /// <summary>The leases that are needed here, each with the machines that could take the place of what needs it.</summary>
    public static ImmutableArray<(string Lease, ImmutableArray<string> Machines)> Needed(Target target, FleetView view) =>
    [
        .. Needing(target).Select(needing => (needing.Instance.Lease!,
            needing.Rivals.Select(rival => view.Placement?.Machines.GetValueOrDefault(rival)).OfType<string>().Distinct(StringComparer.Ordinal).ToImmutableArray())),
    ];

    /// <summary>How an instance stands. From any thread.</summary>
    public LeaseStanding Of(DesiredInstance instance, Target target) =>
        instance.Lease is { } lease && !isAlone() && Needing(target).Any(needing => needing.Instance == instance)
            ? _leases.GetOrAdd(lease, _ => new HeldLease(time.GetTimestamp())).At(time.GetTimestamp(), time)
            : LeaseStanding.Held;

    /// <summary>What of a target may run or go on running.</summary>
    /// <param name="target">The target.</param>
    /// <param name="runs">True of an instance that runs here.</param>
    public ImmutableArray<DesiredInstance> Allowed(Target target, Func<string, bool> runs) =>
        target.Instances.Any(instance => instance.Lease is not null)
            ? [.. target.Instances.Where(instance => Of(instance, target) is var standing && (standing == LeaseStanding.Held || (standing == LeaseStanding.Unknown && runs(instance.Name))))]
            : target.Instances;

    /// <summary>What of a target must be killed where it runs.</summary>
    public IEnumerable<string> Forbidden(Target target) => target.Instances.Where(instance => Of(instance, target) == LeaseStanding.Lost).Select(instance => instance.Name);

    /// <summary>Why an instance does not run, for people; empty: that is not for want of a lease.</summary>
    public string WhyNot(DesiredInstance instance, Target target) => Of(instance, target) switch
    {
        LeaseStanding.Held => "",
        LeaseStanding.Unknown => "waits for its lease",
        _ => _leases.GetValueOrDefault(instance.Lease!)?.Holder is { } holder
            ? $"fenced: machine {holder} has its lease"
            : "fenced: its lease cannot be renewed, and another machine may take its place",
    };

    /// <summary>Notes how a question for a lease was answered.</summary>
    public void Note(string lease, Func<HeldLease, HeldLease> answer) =>
        _leases.AddOrUpdate(lease, _ => answer(new HeldLease(time.GetTimestamp())), (_, held) => answer(held));

    /// <summary>Forgets a lease that nothing here needs any more.</summary>
    public void Forget(string lease) => _leases.TryRemove(lease, out _);
}
