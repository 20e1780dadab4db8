using System.Collections.Immutable;
using Ashlar.Processes;

namespace Ashlar.Agent.Supervision;

/// <summary>What every process group uses, as last read. One thread samples, any may ask.</summary>
internal sealed class UsageMonitor(TimeProvider time)
{
    private static readonly ProcessUsage None = new([], 0, TimeSpan.Zero, 0, null, 0);
    private readonly UsageSampler _sampler = new(time);
    private volatile IReadOnlyDictionary<int, ProcessUsage> _usage = ImmutableDictionary<int, ProcessUsage>.Empty;
    private volatile IReadOnlyCollection<int> _leaders = [Environment.ProcessId];

    /// <summary>What a group used lately; of one that is new, the processes at least.</summary>
    public ProcessUsage Of(int leader) => _usage.TryGetValue(leader, out var usage) ? usage : None with { Pids = [leader] };

    /// <summary>Looks at these groups, and at the agent itself, from now on.</summary>
    public void Watch(IEnumerable<int> leaders) => _leaders = leaders.Append(Environment.ProcessId).ToHashSet();

    /// <summary>Reads it anew.</summary>
    public void Sample() => _usage = _sampler.Sample(_leaders);
}
