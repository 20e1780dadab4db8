namespace Ashlar.Monitoring;

/// <summary>What one pass found, over all files: counters as rates, histograms as what came, gauges as they are.</summary>
/// <param name="span">Time since the pass before.</param>
internal sealed class Changes(TimeSpan span)
{
    private readonly Dictionary<string, Dictionary<string, double>> _rates = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, long>> _gauges = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Name, string Subject), HistogramSnapshot> _histograms = [];

    /// <summary>All subjects.</summary>
    public IEnumerable<string> Subjects => _rates.Keys.Union(_gauges.Keys, StringComparer.Ordinal);

    /// <summary>A counter or histogram grew.</summary>
    public void Count(MetricsSeries series, MetricsSeries? before, bool countsAsNew)
    {
        if (series.Histogram is not { } histogram)
        {
            Rate(series.Name, series.Subject, countsAsNew ? Math.Max(0, series.Value - (before?.Value ?? 0)) : 0);
            return;
        }

        var came = !countsAsNew ? HistogramSnapshot.Empty : before?.Histogram is { } earlier ? histogram.Since(earlier) : histogram;
        _histograms[(series.Name, series.Subject)] = Histogram(series.Name, series.Subject).Plus(came);
    }

    /// <summary>A counter grew by so much.</summary>
    public void Rate(string name, string subject, long growth)
    {
        var rate = span > TimeSpan.Zero ? growth / span.TotalSeconds : 0;
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

    /// <summary>All counters of a subject, a second, and all its gauges.</summary>
    public IEnumerable<(string Name, double Value)> All(string subject) =>
        (_rates.GetValueOrDefault(subject)?.Select(rate => (rate.Key, rate.Value)) ?? [])
        .Concat(_gauges.GetValueOrDefault(subject)?.Select(gauge => (gauge.Key, (double)gauge.Value)) ?? []);

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

    private static Dictionary<string, T> Of<T>(Dictionary<string, Dictionary<string, T>> all, string subject)
    {
        if (!all.TryGetValue(subject, out var found))
        {
            all[subject] = found = new Dictionary<string, T>(StringComparer.Ordinal);
        }

        return found;
    }
}
