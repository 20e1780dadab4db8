using System.Collections.Concurrent;
using Ashlar.Catalog;
using Ashlar.Edge.Balancing;
using Ashlar.Edge.Logging;
using Ashlar.Monitoring;

namespace Ashlar.Edge.Tests;

/// <summary>Snapshots, clocks and listeners for the balancer's tests.</summary>
internal static class Rig
{
    public static EdgeMetrics Metrics { get; } = new(MetricsFile.InMemory(slots: 1));

    public static CatalogInstance Instance(string id, InstanceState state = InstanceState.Healthy, int port = 9000) =>
        new() { Id = id, Name = id.Split('/')[0], Address = "127.0.0.1", Port = port, State = state };

    public static CatalogService Service(string name, params CatalogInstance[] instances) =>
        new() { Name = name, Instances = [.. instances], Wanted = instances.Length };

    public static CatalogSnapshot Snapshot(long revision, params CatalogService[] services) =>
        new() { Revision = revision, Stack = "test", Services = [.. services] };

    public static CatalogService Routed(this CatalogService service, params string[] routes) =>
        service with
        {
            Routes = [.. routes.Select(route => route.Split('/', 2)).Select(parts => new CatalogRoute(parts[0].Length > 0 ? parts[0] : null, "/" + parts[1]))],
        };
}

/// <summary>Keeps what the balancer told.</summary>
internal sealed class Told : ITargetEvents
{
    public ConcurrentQueue<string> Idle { get; } = [];

    public ConcurrentQueue<string> Ejected { get; } = [];

    public ConcurrentQueue<string> Closed { get; } = [];

    void ITargetEvents.Idle(InstanceTarget instance) => Idle.Enqueue(instance.Id);

    void ITargetEvents.Ejected(InstanceTarget instance, Outcome reason, TimeSpan span) =>
        Ejected.Enqueue($"{instance.Id} {reason} {span.TotalSeconds}");

    void ITargetEvents.Closed(InstanceTarget instance) => Closed.Enqueue(instance.Id);
}

/// <summary>A clock that moves only when told; due timers fire on the caller's thread.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly List<Alarm> _alarms = [];
    private long _now = 1_000_000;

    public override long TimestampFrequency => 1_000_000;

    public override long GetTimestamp() => Volatile.Read(ref _now);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddMicroseconds(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var alarm = new Alarm(this, callback, state);
        lock (_alarms)
        {
            _alarms.Add(alarm);
        }

        alarm.Change(dueTime, period);
        return alarm;
    }

    public void Advance(TimeSpan span)
    {
        var end = _now + (long)span.TotalMicroseconds;
        while (Due(end) is { } alarm)
        {
            Volatile.Write(ref _now, Math.Max(_now, alarm.At));
            alarm.Fire();
        }

        Volatile.Write(ref _now, end);
    }

    private Alarm? Due(long end)
    {
        lock (_alarms)
        {
            return _alarms.Where(alarm => alarm.At <= end).MinBy(alarm => alarm.At);
        }
    }

    private sealed class Alarm(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        public long At { get; private set; } = long.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            At = dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : time.GetTimestamp() + (long)dueTime.TotalMicroseconds;
            return true;
        }

        public void Fire()
        {
            At = long.MaxValue;
            callback(state);
        }

        public void Dispose() => At = long.MaxValue;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>A waiter that remembers how it was woken.</summary>
internal sealed class TestWaiter : Waiter
{
    public int Wakes { get; private set; }

    public WaitResult? Woken { get; private set; }

    public InstanceTarget? Holds { get; private set; }

    protected internal override void Wake(WaitResult result, InstanceTarget? instance)
    {
        Wakes++;
        Woken = result;
        Holds = instance;
    }
}
