namespace Ashlar.Monitoring;

/// <summary>What one pass found, over all files: counters as rates, histograms as what came, gauges as they are. It is used again for each pass.</summary>
internal sealed class Changes
{
    private readonly Dictionary<string, Dictionary<string, double>> _rates = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, long>> _gauges = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Name, string Subject), HistogramSnapshot> _histograms = [];
    private TimeSpan _span;

    /// <summary>All subjects.</summary>
    public IEnumerable<string> Subjects => Found(_rates).Union(Found(_gauges), StringComparer.Ordinal);

    /// <summary>Forgets the pass before.</summary>
    /// <param name="span">Time since then.</param>
    public void Begin(TimeSpan span)
    {
        _span = span;
        Forget(_rates);
        Forget(_gauges);
        _histograms.Clear();
    }

    /// <summary>A counter or histogram grew.</summary>
    public void Count(MetricsSeries series, MetricsSeries? before, bool countsAsNew)
    {
        if (series.Histogram is not { } histogram)
        {
            Rate(series.Name, series.Subject, countsAsNew ? Math.Max(0, series.Value - (before?.Value ?? 0)) : 0);
            return;
        }

        if (countsAsNew && !ReferenceEquals(series, before))
        {
            var came = before?.Histogram is { } earlier ? histogram.Since(earlier) : histogram;
            _histograms[(series.Name, series.Subject)] = Histogram(series.Name, series.Subject).Plus(came);
        }
    }

    /// <summary>A counter grew by so much.</summary>
    public void Rate(string name, string subject, long growth)
    {
        var rate = growth != 0 && _span > TimeSpan.Zero ? growth / _span.TotalSeconds : 0;
        Of(_rates, subject)[name] = RateOf(name, subject) + rate;
    }

    /// <summary>A gauge of one file; those of several are summed.</summary>
    public void Gauge(string name, string subject, long value) => Of(_gauges, subject)[name] = GaugeOf(name, subject) + value;

    /// <summary>Growth a second; 0 if there is no such counter.</summary>
    public double RateOf(string name, string subject) => _rates.GetValueOrDefault(subject)?.GetValueOrDefault(name) ?? 0;

    /// <summary>Value; 0 if there is no such gauge.</summary>
    public long GaugeOf(string name, string subject) => _gauges.GetValueOrDefault(subject)?.GetValueOrDefault(name) ?? 0;

    /// <summary>True: there is such a gauge.</summary>
    public bool HasGauge(string name, string subject) => _gauges.GetValueOrDefault(subject)?.ContainsKey(name) ?? false;

    /// <summary>What came; empty if there is no such histogram.</summary>
    public HistogramSnapshot Histogram(string name, string subject) => _histograms.GetValueOrDefault((name, subject)) ?? HistogramSnapshot.Empty;

    /// <summary>Gives all counters of a subject, a second, and all its gauges.</summary>
    public void ForEach(string subject, Action<string, double> give)
    {
        foreach (var (name, rate) in _rates.GetValueOrDefault(subject) ?? [])
        {
            give(name, rate);
        }

        foreach (var (name, value) in _gauges.GetValueOrDefault(subject) ?? [])
        {
            give(name, value);
        }
    }

    /// <summary>Tells the tier of each service that the agent wrote one of.</summary>
    public void ForEachTier(Action<string, string> learn)
    {
        foreach (var (subject, gauges) in _gauges)
        {
            if (gauges.Keys.FirstOrDefault(name => name.StartsWith(InstanceMetrics.Tier, StringComparison.Ordinal)) is { } tier)
            {
                learn(Monitoring.Subjects.Split(subject).Service, tier[InstanceMetrics.Tier.Length..]);
            }
        }
    }

    private static IEnumerable<string> Found<T>(Dictionary<string, Dictionary<string, T>> all) => all.Where(one => one.Value.Count > 0).Select(one => one.Key);

    // What was not found in two passes is gone.
    private static void Forget<T>(Dictionary<string, Dictionary<string, T>> all)
    {
        foreach (var (subject, found) in all)
        {
            if (found.Count == 0)
            {
                all.Remove(subject);
            }

            found.Clear();
        }
    }

    private static Dictionary<string, T> Of<T>(Dictionary<string, Dictionary<string, T>> all, string subject)
    {
        if (!all.TryGetValue(subject, out var found))
        {
            all[subject] = found = new Dictionary<string, T>(StringComparer.Ordinal);
        }

        return found;
    }
}
