using System.Collections.Immutable;
using Ashlar.Dashboard.Live;
using Ashlar.Monitoring;

namespace Ashlar.Dashboard;

/// <summary>A range that charts show.</summary>
/// <param name="Name"><c>5m</c>, <c>1h</c>, <c>24h</c>.</param>
/// <param name="Length">How long it is.</param>
/// <param name="Step">Between two points.</param>
internal sealed record SeriesRange(string Name, TimeSpan Length, TimeSpan Step)
{
    private static readonly ImmutableArray<SeriesRange> All =
    [
        new("5m", TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(1)),
        new("1h", TimeSpan.FromHours(1), TimeSpan.FromSeconds(10)),
        new("24h", TimeSpan.FromHours(24), TimeSpan.FromMinutes(2)),
    ];

    /// <summary>A range by its name; null: there is none.</summary>
    public static SeriesRange? Find(string name) => All.FirstOrDefault(r => r.Name == name);
}

/// <summary>The series of a node over a range.</summary>
/// <param name="Step">Seconds between two points.</param>
/// <param name="Times">Seconds since 1970.</param>
/// <param name="Values">By name of the series, then by instance (empty: all of the node); null: not measured. Times in milliseconds.</param>
/// <param name="Happenings">What happened in that range, oldest first.</param>
internal sealed record SeriesAnswer(
    int Step, ImmutableArray<long> Times, ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, double?[]>> Values,
    ImmutableArray<Happening> Happenings)
{
    /// <summary>No series at all.</summary>
    public static SeriesAnswer Nothing { get; } =
        new(1, [], ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, double?[]>>.Empty, []);
}

/// <summary>Takes out of the store what the charts of a node show.</summary>
internal static class SeriesQuestion
{
    private const double Microseconds = 1000;
    private static readonly (string Name, double Quantile)[] Quantiles = [("p50", 0.50), ("p95", 0.95), ("p99", 0.99)];
    private static readonly ImmutableHashSet<string> OfInstances =
        [SeriesNames.Cpu, SeriesNames.Memory, "database_lag_bytes", "database_lag_milliseconds", "engine_memory_bytes"];

    /// <summary>Asks.</summary>
    public static SeriesAnswer Ask(SeriesStore store, Node node, SeriesRange range, DateTimeOffset now, ImmutableArray<StackEvent> events)
    {
        var step = (long)range.Step.TotalSeconds;
        var to = ((now.ToUnixTimeSeconds() / step) + 1) * step;
        var from = to - (long)range.Length.TotalSeconds;
        var frame = new Frame(from, step, (int)((to - from) / step));
        var values = new SortedDictionary<string, ImmutableSortedDictionary<string, double?[]>.Builder>(StringComparer.Ordinal);
        foreach (var key in store.Keys().Where(k => k.Service == node.Service && node.Service.Length > 0))
        {
            if (key.Instance.Length > 0 && (!OfInstances.Contains(key.Metric) || node.Instances.All(i => i.Name != key.Instance)))
            {
                continue;
            }

            if (key.Metric is SeriesNames.Latency or SeriesNames.Queue)
            {
                AddQuantiles(store, key, frame, range.Step, values);
            }
            else
            {
                Row(values, key.Metric)[key.Instance] = frame.Fill(
                    store.Query(key, frame.Begin, frame.End, range.Step).Select(p => (p.At, p.Average)));
            }
        }

        return new SeriesAnswer(
            (int)step,
            [.. Enumerable.Range(0, frame.Count).Select(i => from + (i * step))],
            values.ToImmutableSortedDictionary(v => v.Key, v => v.Value.ToImmutable()),
            [.. events.Select(e => new Happening(e.At.ToUnixTimeMilliseconds(), e.Kind, e.Subject, e.Text))]);
    }

    private static void AddQuantiles(
        SeriesStore store, SeriesKey key, Frame frame, TimeSpan step, SortedDictionary<string, ImmutableSortedDictionary<string, double?[]>.Builder> values)
    {
        var points = store.QueryHistogram(key, frame.Begin, frame.End, step);
        foreach (var (name, quantile) in Quantiles)
        {
            var metric = key.Metric == SeriesNames.Latency ? name : $"{key.Metric}_{name}";
            Row(values, metric)[key.Instance] = frame.Fill(
                points.Where(p => p.Histogram.Count > 0).Select(p => (p.At, p.Histogram.Quantile(quantile) / Microseconds)));
        }
    }

    private static ImmutableSortedDictionary<string, double?[]>.Builder Row(
        SortedDictionary<string, ImmutableSortedDictionary<string, double?[]>.Builder> values, string metric)
    {
        if (!values.TryGetValue(metric, out var row))
        {
            values[metric] = row = ImmutableSortedDictionary.CreateBuilder<string, double?[]>();
        }

        return row;
    }

    private sealed record Frame(long From, long Step, int Count)
    {
        public DateTimeOffset Begin => DateTimeOffset.FromUnixTimeSeconds(From);

        public DateTimeOffset End => DateTimeOffset.FromUnixTimeSeconds(From + (Step * Count));

        public double?[] Fill(IEnumerable<(DateTimeOffset At, double Value)> points)
        {
            var row = new double?[Count];
            foreach (var (at, value) in points)
            {
                var index = (at.ToUnixTimeSeconds() - From) / Step;
                if (index >= 0 && index < Count)
                {
                    row[index] = Math.Round(value, 4);
                }
            }

            return row;
        }
    }
}
