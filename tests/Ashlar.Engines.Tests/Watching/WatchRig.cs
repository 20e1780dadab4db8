using System.Collections.Concurrent;
using Ashlar.Catalog;
using Ashlar.Errors;
using Ashlar.Monitoring;

namespace Ashlar.Engines.Watching;

/// <summary>A tier's watch as the agent has it, and what it has said.</summary>
internal sealed class WatchRig : IAsyncDisposable
{
    private readonly EngineWatch _watch;
    private readonly ConcurrentQueue<AshlarError> _warnings = new();
    private readonly ConcurrentDictionary<string, InstanceFact?> _facts = new();
    private readonly string _tier;
    private string _folder = "";

    public WatchRig(string tier)
    {
        _tier = tier;
        _watch = new EngineWatch(tier, new TierWatchHost((name, fact) => _facts[name] = fact, (_, _) => { }, _warnings.Enqueue), TimeProvider.System);
    }

    public void Pursue(EngineRig rig)
    {
        _folder = rig.Folder;
        _watch.Pursue(rig.Context, [.. rig.Planned.Where(i => i.Tier == _tier)]);
    }

    public IReadOnlyList<string> Warned => [.. _warnings.Select(w => w.Code)];

    public Task WarnedAsync(string code) => WhenAsync(() => _warnings.Any(w => w.Code == code), $"a warning {code}");

    public Task DetailAsync(string instance, string part) =>
        WhenAsync(() => _facts.GetValueOrDefault(instance)?.Detail.Contains(part, StringComparison.Ordinal) == true, $"'{part}' about {instance}");

    public Task SeriesAsync(Func<MetricsSnapshot, bool> holds, string what) => WhenAsync(
        () => Directory.GetFiles(Path.Combine(_folder, "metrics"), $"{_tier}.*.metrics") is [var path]
            && MetricsReader.TryRead(path, out var snapshot, out _) && holds(snapshot), what);

    public ValueTask DisposeAsync() => _watch.DisposeAsync();

    private static async Task WhenAsync(Func<bool> holds, string what)
    {
        for (var waited = System.Diagnostics.Stopwatch.StartNew(); !holds(); await Task.Delay(20))
        {
            Assert.True(waited.Elapsed < EngineRig.Patience, $"never: {what}");
        }
    }
}
