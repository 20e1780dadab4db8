using System.Collections.Concurrent;
using System.Collections.Immutable;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog;

namespace Ashlar.Agent.Supervision;

/// <summary>Those who look after the engines of the data tiers: made when a tier first wants something, told of every change.</summary>
internal sealed class TierWatches(AgentLoop loop, AgentLog log) : IAsyncDisposable
{
    private readonly Dictionary<string, ITierWatch> _watches = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, InstanceFact> _facts = new(StringComparer.Ordinal);
    private PlanContext? _pursued;

    /// <summary>Has an instance, by name, end and start again for the reason given. Called on the loop.</summary>
    public Action<string, string> StartAgain { get; set; } = (_, _) => { };

    /// <summary>What is known of an instance, or null. From any thread.</summary>
    public InstanceFact? FactOf(string instance) => _facts.GetValueOrDefault(instance);

    /// <summary>Tells them what is wanted now, if that is another plan than before. Called on the loop.</summary>
    public void Pursue(Target target)
    {
        if (target.Context is not { } context || context == _pursued)
        {
            return;
        }

        _pursued = context;
        foreach (var tier in Tiers.All.Where(t => t.Watch is not null))
        {
            ImmutableArray<DesiredInstance> wanted = [.. target.Instances.Where(i => i.Tier == tier.Name)];
            if (!_watches.TryGetValue(tier.Name, out var watch) && !wanted.IsEmpty)
            {
                _watches[tier.Name] = watch = tier.Watch!(new TierWatchHost(
                    Report,
                    (instance, reason) => loop.Post(() => StartAgain(instance, reason)),
                    error => log.Warning(LogEvent.Tier, error.ToString())));
            }

            watch?.Pursue(context, wanted);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var watch in _watches.Values)
        {
            await watch.DisposeAsync();
        }
    }

    private void Report(string instance, InstanceFact? fact)
    {
        var before = FactOf(instance);
        if (fact is null)
        {
            _facts.TryRemove(instance, out _);
        }
        else
        {
            _facts[instance] = fact;
        }

        // Lag changes with every look; that alone turns the agent's loop once a second at most, and only while something lags.
        if (fact != before)
        {
            loop.Post(() => { });
        }
    }
}
