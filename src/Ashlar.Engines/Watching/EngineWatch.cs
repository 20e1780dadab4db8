using System.Collections.Immutable;
using Ashlar.Catalog;
using Ashlar.Engines.Memcached;
using Ashlar.Engines.Redis;
using Ashlar.Monitoring;

namespace Ashlar.Engines.Watching;

/// <summary>Looks after the engines of one tier: asks each once a second, writes its figures down and says what people should know.</summary>
/// <param name="tier">Name of the tier, and of its metrics file.</param>
/// <param name="host">What it may do.</param>
/// <param name="time">The clock.</param>
internal sealed class EngineWatch(string tier, TierWatchHost host, TimeProvider time) : ITierWatch
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _ended = new();
    private readonly Dictionary<string, Watched> _watched = new(StringComparer.Ordinal);
    private ImmutableArray<ProbeOf> _wanted = [];
    private MetricsFile? _metrics;
    private Task? _watching;

    /// <inheritdoc />
    public void Pursue(PlanContext context, ImmutableArray<DesiredInstance> instances)
    {
        var wanted = instances.Where(i => i.Probe is not null).Select(i => new ProbeOf(i.Name, i.Probe!)).ToImmutableArray();
        ImmutableInterlocked.InterlockedExchange(ref _wanted, wanted);
        _watching ??= Task.Run(() => WatchAsync(Path.Combine(context.StateFolder, "metrics")));
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await (_watching ?? Task.CompletedTask);
        _ended.Dispose();
    }

    private async Task WatchAsync(string folder)
    {
        _metrics = WatchMetrics.Open(tier, folder, host);
        try
        {
            using var timer = new PeriodicTimer(_interval, time);
            do
            {
                Match(_wanted);
                await Task.WhenAll(_watched.Values.Select(async watched => watched.Now = await AskAsync(watched)));
                foreach (var watched in _watched.Values)
                {
                    Tell(watched);
                }
            }
            while (await timer.WaitForNextTickAsync(_ended.Token));
        }
        catch (OperationCanceledException)
        {
        }
        finally
        {
            foreach (var watched in _watched.Values)
            {
                watched.Dispose();
            }

            _metrics.Dispose();
        }
    }

    private void Match(ImmutableArray<ProbeOf> wanted)
    {
        foreach (var gone in _watched.Values.Where(w => !wanted.Contains(w.Of)).ToArray())
        {
            gone.Dispose();
            _watched.Remove(gone.Of.Instance);
            gone.Series.Write(null);
            host.Report(gone.Of.Instance, null);
        }

        foreach (var of in wanted.Where(of => !_watched.ContainsKey(of.Instance)))
        {
            _watched[of.Instance] = new Watched(of, new EngineSeries(_metrics!, of.Instance), new EngineAlarms(tier, of.Instance, keeps: tier == RedisQueue.Tier));
        }
    }

    private async Task<EngineFigures?> AskAsync(Watched watched)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
        bound.CancelAfter(_patience);
        try
        {
            watched.Session ??= await EngineSession.OpenAsync(watched.Of.Probe, bound.Token);
            return await watched.Session.FiguresAsync(bound.Token);
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or RespException or MemcachedException
            || (e is OperationCanceledException && !_ended.IsCancellationRequested))
        {
            // It is not up, or hangs: whoever looks after its health says so. The next second asks on a connection of its own.
            watched.Dispose();
            return null;
        }
    }

    private void Tell(Watched watched)
    {
        watched.Series.Write(watched.Now);
        if (watched.Now is not { } now)
        {
            host.Report(watched.Of.Instance, null);
            return;
        }

        foreach (var alarm in watched.Alarms.Look(now))
        {
            host.Warn(alarm);
        }

        host.Report(watched.Of.Instance, watched.Alarms.Detail(now) is { Length: > 0 } detail ? new InstanceFact(Detail: detail) : null);
    }

    private sealed record ProbeOf(string Instance, ProbeSpec Probe);

    private sealed class Watched(ProbeOf of, EngineSeries series, EngineAlarms alarms) : IDisposable
    {
        public ProbeOf Of => of;

        public EngineSeries Series => series;

        public EngineAlarms Alarms => alarms;

        public EngineSession? Session { get; set; }

        public EngineFigures? Now { get; set; }

        public void Dispose()
        {
            Session?.Dispose();
            Session = null;
        }
    }
}
