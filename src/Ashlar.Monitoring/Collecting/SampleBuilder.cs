using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Ashlar.Monitoring;

/// <summary>Makes samples of what one pass found: whose figure is it, and which one.</summary>
internal static class SampleBuilder
{
    private const string EdgeService = "edge";
    private const string MachineService = "machine";
    private static readonly FrozenSet<string> InstanceNames = new[]
    {
        InstanceMetrics.Cpu, InstanceMetrics.Memory, InstanceMetrics.Restarts, InstanceMetrics.State, InstanceMetrics.Started,
        InstanceMetrics.CpuLimit, InstanceMetrics.MemoryLimit, InstanceMetrics.RequestsLimit,
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly ImmutableSortedDictionary<string, double> None = ImmutableSortedDictionary.Create<string, double>(StringComparer.Ordinal);
    private static readonly string[] RequestClasses = [.. Enumerable.Range(0, 6).Select(status => $"{EdgeSeries.Requests}{status}xx")];

    public static ImmutableArray<Sample> Build(Changes changes, MetricTotals totals)
    {
        var cores = (double)changes.GaugeOf(MachineFigures.CoreCount, "");
        var byService = new SortedDictionary<string, List<(string Instance, string Subject)>>(StringComparer.Ordinal);
        foreach (var subject in changes.Subjects.Where(subject => subject.Length > 0))
        {
            var (service, instance) = Subjects.Split(subject);
            byService.TryAdd(service, []);
            byService[service].Add((instance, subject));
        }

        var hasEdge = changes.HasGauge(EdgeSeries.Connections, "");
        if (hasEdge)
        {
            byService.TryAdd(EdgeService, []);
        }

        var samples = ImmutableArray.CreateBuilder<Sample>();
        foreach (var (service, subjects) in byService)
        {
            var tier = totals.TierOf(service);
            var instances = subjects.Where(s => s.Instance.Length > 0 && IsThere(changes, s.Subject))
                .OrderBy(s => s.Instance.Length).ThenBy(s => s.Instance, StringComparer.Ordinal)
                .Select(s => SaturationRules.With(new Sample(tier, service, s.Instance)
                {
                    Process = ProcessOf(changes, s.Subject),
                    Figures = FiguresOf(changes, s.Subject),
                }, cores)).ToArray();
            var hasRequests = (service == EdgeService && hasEdge) || subjects.Any(s => s.Instance.Length == 0 && changes.HasGauge(EdgeSeries.InFlight, s.Subject));
            if (instances.Length > 0 || hasRequests)
            {
                samples.Add(SaturationRules.With(Whole(changes, tier, service, instances, hasRequests), cores));
                samples.AddRange(instances);
            }
        }

        if (cores > 0)
        {
            samples.Add(SaturationRules.With(Machine(changes, cores), cores));
        }

        return samples.ToImmutable();
    }

    // A watch may say something of an instance that the agent says nothing of; what the agent calls gone is gone for all.
    private static bool IsThere(Changes changes, string instance) => changes.GaugeOf(InstanceMetrics.State, instance) != InstanceMetrics.Gone;

    private static Sample Whole(Changes changes, string tier, string service, Sample[] instances, bool hasRequests) => new(tier, service)
    {
        Process = Sum(instances),
        Figures = SumFigures(instances, service == EdgeService ? "" : service, changes),
        Requests = service == EdgeService && hasRequests ? EdgeRequests(changes)
            : hasRequests ? RequestsOf(changes, service) with { Limit = LimitOf(changes, instances) } : null,
    };

    private static double LimitOf(Changes changes, Sample[] instances)
    {
        var healthy = instances.Where(i => i.Process is { Healthy: > 0 }).Select(i => changes.GaugeOf(InstanceMetrics.RequestsLimit, i.Instance)).ToArray();
        return healthy.Contains(0) ? 0 : healthy.Sum();
    }

    private static RequestFigures EdgeRequests(Changes changes)
    {
        var all = changes.Subjects.Where(subject => changes.HasGauge(EdgeSeries.InFlight, subject)).Select(subject => RequestsOf(changes, subject))
            .Aggregate(RequestFigures.None, Plus);
        return all with
        {
            Connections = changes.GaugeOf(EdgeSeries.Connections, ""),
            ConnectionRate = changes.RateOf(EdgeSeries.ConnectionsTotal, ""),
        };
    }

    private static RequestFigures RequestsOf(Changes changes, string service)
    {
        var rates = new double[RequestClasses.Length];
        for (var i = 0; i < rates.Length; i++)
        {
            rates[i] = changes.RateOf(RequestClasses[i], service);
        }

        var classes = ImmutableCollectionsMarshal.AsImmutableArray(rates);
        return new RequestFigures
        {
            Rate = classes.Sum(),
            Classes = classes,
            Retries = changes.RateOf(EdgeSeries.Retries, service),
            InFlight = Math.Max(0, changes.GaugeOf(EdgeSeries.InFlight, service)),
            Waiting = Math.Max(0, changes.GaugeOf(EdgeSeries.Waiting, service)),
            BytesIn = changes.RateOf(EdgeSeries.BytesIn, service),
            BytesOut = changes.RateOf(EdgeSeries.BytesOut, service),
            Latency = changes.Histogram(EdgeSeries.Latency, service),
            Queue = changes.Histogram(EdgeSeries.Queue, service),
        };
    }

    private static RequestFigures Plus(RequestFigures a, RequestFigures b) => new()
    {
        Rate = a.Rate + b.Rate,
        Classes = [.. a.Classes.Zip(b.Classes, (x, y) => x + y)],
        Retries = a.Retries + b.Retries,
        InFlight = a.InFlight + b.InFlight,
        Waiting = a.Waiting + b.Waiting,
        BytesIn = a.BytesIn + b.BytesIn,
        BytesOut = a.BytesOut + b.BytesOut,
        Latency = a.Latency.Plus(b.Latency),
        Queue = a.Queue.Plus(b.Queue),
    };

    private static ProcessFigures? ProcessOf(Changes changes, string instance)
    {
        if (!changes.HasGauge(InstanceMetrics.State, instance))
        {
            return null;
        }

        var started = changes.GaugeOf(InstanceMetrics.Started, instance);
        var state = changes.GaugeOf(InstanceMetrics.State, instance);
        return new ProcessFigures
        {
            Cpu = changes.RateOf(InstanceMetrics.Cpu, instance) / 1000,
            CpuLimit = changes.GaugeOf(InstanceMetrics.CpuLimit, instance) / 1000.0,
            Memory = changes.GaugeOf(InstanceMetrics.Memory, instance),
            MemoryLimit = changes.GaugeOf(InstanceMetrics.MemoryLimit, instance),
            Restarts = changes.GaugeOf(InstanceMetrics.Restarts, instance),
            State = (int)Math.Clamp(state, 0, int.MaxValue),
            Started = started is > 0 and < 253_402_300_800 ? DateTimeOffset.FromUnixTimeSeconds(started) : null,
            Healthy = state == InstanceMetrics.Healthy ? 1 : 0,
        };
    }

    private static ProcessFigures? Sum(Sample[] instances)
    {
        var all = instances.Select(i => i.Process).OfType<ProcessFigures>().ToArray();
        return all.Length == 0 ? null : new ProcessFigures
        {
            Cpu = all.Sum(p => p.Cpu),
            CpuLimit = all.Any(p => p.CpuLimit <= 0) ? 0 : all.Sum(p => p.CpuLimit),
            Memory = all.Sum(p => p.Memory),
            MemoryLimit = all.Any(p => p.MemoryLimit <= 0) ? 0 : all.Sum(p => p.MemoryLimit),
            Restarts = all.Sum(p => p.Restarts),
            Started = all.Max(p => p.Started),
            Instances = all.Length,
            Healthy = all.Sum(p => p.Healthy),
        };
    }

    private static ImmutableSortedDictionary<string, double> FiguresOf(Changes changes, string subject)
    {
        var figures = None.ToBuilder();
        changes.ForEach(subject, (name, value) =>
        {
            if (IsFigure(name))
            {
                figures[name] = figures.GetValueOrDefault(name) + value;
            }
        });
        return figures.ToImmutable();
    }

    private static bool IsFigure(string name) => !InstanceNames.Contains(name)
        && !name.StartsWith(InstanceMetrics.Tier, StringComparison.Ordinal) && !name.StartsWith("machine_", StringComparison.Ordinal)
        && (!name.StartsWith("edge_", StringComparison.Ordinal) || name.StartsWith(EdgeSeries.Failures, StringComparison.Ordinal));

    private static ImmutableSortedDictionary<string, double> SumFigures(Sample[] instances, string subject, Changes changes)
    {
        var sum = None.ToBuilder();
        foreach (var instance in instances)
        {
            foreach (var (name, value) in instance.Figures)
            {
                Add(name, value);
            }
        }

        foreach (var (name, value) in FiguresOf(changes, subject))
        {
            if (value != 0 || !name.StartsWith(EdgeSeries.Failures, StringComparison.Ordinal))
            {
                Add(name, value);
            }
        }

        return sum.ToImmutable();

        void Add(string name, double value) => sum[name] = !sum.TryGetValue(name, out var already) ? value
            : name.Contains("_lag_", StringComparison.Ordinal) || name.Contains("_age_", StringComparison.Ordinal) ? Math.Max(already, value) : already + value;
    }

    private static Sample Machine(Changes changes, double cores)
    {
        double memory = changes.GaugeOf(MachineFigures.MemoryTotal, ""), available = changes.GaugeOf(MachineFigures.MemoryFree, "");
        return new Sample(MachineService, MachineService)
        {
            Process = new ProcessFigures
            {
                Cpu = changes.RateOf(MachineFigures.Cpu, "") / 1000,
                CpuLimit = cores,
                Memory = Math.Max(0, memory - available),
                MemoryLimit = memory,
                Instances = 1,
                Healthy = 1,
            },
        };
    }
}
