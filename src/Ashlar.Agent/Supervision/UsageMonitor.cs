using System.Collections.Immutable;
using Ashlar.Processes;

namespace Ashlar.Agent.Supervision;

/// <summary>Reads once a second what every process group uses, off the agent's loop.</summary>
internal sealed class UsageMonitor : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly ProcessUsage None = new([], 0, TimeSpan.Zero, 0, null, 0);
    private readonly UsageSampler _sampler;
    private readonly ITimer _timer;
    private readonly Lock _sampling = new();
    private volatile IReadOnlyDictionary<int, ProcessUsage> _usage = ImmutableDictionary<int, ProcessUsage>.Empty;
    private volatile IReadOnlyCollection<int> _leaders = [Environment.ProcessId];

    public UsageMonitor(TimeProvider time)
    {
        _sampler = new UsageSampler(time);
        _timer = time.CreateTimer(_ => Sample(), null, Interval, Interval);
    }

    /// <summary>What a group used lately; of one that is new, the processes at least.</summary>
    public ProcessUsage Of(int leader) => _usage.TryGetValue(leader, out var usage) ? usage : None with { Pids = [leader] };

    /// <summary>Looks at these groups, and at the agent itself, from now on.</summary>
    public void Watch(IEnumerable<int> leaders) => _leaders = leaders.Append(Environment.ProcessId).ToHashSet();

    /// <inheritdoc />
    public void Dispose() => _timer.Dispose();

    private void Sample()
    {
        // A pass that takes longer than a second is not joined by the next.
        if (!_sampling.TryEnter())
        {
            return;
        }

        try
        {
            _usage = _sampler.Sample(_leaders);
        }
        finally
        {
            _sampling.Exit();
        }
    }
}
