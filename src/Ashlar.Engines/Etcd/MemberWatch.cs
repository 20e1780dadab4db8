using System.Collections.Immutable;
using System.Globalization;
using Ashlar.Catalog;
using Ashlar.Engines.Watching;
using Ashlar.Monitoring;

namespace Ashlar.Engines.Etcd;

/// <summary>Looks after the member of etcd on this machine: asks it for its figures, writes them down and says how it is.</summary>
/// <param name="host">What it may do.</param>
/// <param name="time">The clock.</param>
internal sealed class MemberWatch(TierWatchHost host, TimeProvider time) : ITierWatch
{
    private const int NearlyFull = 80;

    // Its figures are some hundred kilobytes of text, and change slowly.
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);
    private readonly CancellationTokenSource _ended = new();
    private readonly Dictionary<string, EtcdSeries> _series = new(StringComparer.Ordinal);
    private ImmutableArray<(string Instance, ProbeSpec Probe)> _wanted = [];
    private Task? _watching;

    /// <inheritdoc />
    public void Pursue(PlanContext context, ImmutableArray<DesiredInstance> instances)
    {
        ImmutableInterlocked.InterlockedExchange(ref _wanted, [.. instances.Where(i => i.Probe is not null).Select(i => (i.Name, i.Probe!))]);
        _watching ??= Task.Run(() => WatchAsync(Path.Combine(context.StateFolder, "metrics")));
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await (_watching ?? Task.CompletedTask);
        _ended.Dispose();
    }

    /// <summary>What people see beside its name; empty if all is well.</summary>
    internal static string Detail(EtcdFigures now) =>
        !now.HasLeader ? "no majority"
        : now.Quota > 0 && now.Size * 100 / now.Quota is >= NearlyFull and var part ? string.Create(CultureInfo.InvariantCulture, $"{part} % full")
        : "";

    private async Task WatchAsync(string folder)
    {
        using var metrics = WatchMetrics.Open(EtcdTier.Tier, folder, host);
        try
        {
            using var timer = new PeriodicTimer(_interval, time);
            do
            {
                await LookAsync(metrics);
            }
            while (await timer.WaitForNextTickAsync(_ended.Token));
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task LookAsync(MetricsFile metrics)
    {
        var wanted = _wanted;
        foreach (var gone in _series.Keys.Except(wanted.Select(w => w.Instance), StringComparer.Ordinal).ToArray())
        {
            _series[gone].Write(null);
            _series.Remove(gone);
            host.Report(gone, null);
        }

        foreach (var (instance, probe) in wanted)
        {
            if (!_series.TryGetValue(instance, out var series))
            {
                _series[instance] = series = new EtcdSeries(metrics, instance);
            }

            var now = await AskAsync(probe);
            series.Write(now);
            host.Report(instance, now is null ? null : new InstanceFact(now.HasLeader ? now.IsLeader ? "leader" : "follower" : null, Detail: Detail(now)));
        }
    }

    private async Task<EtcdFigures?> AskAsync(ProbeSpec probe)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
        bound.CancelAfter(_patience);
        try
        {
            return await EtcdHealth.FiguresAsync(probe, bound.Token);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !_ended.IsCancellationRequested))
        {
            return null; // Whoever looks after its health says so.
        }
    }
}
