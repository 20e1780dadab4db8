namespace Ashlar.Monitoring;

/// <summary>
/// All series of a stack as they stand. Counters and histograms are those of all processes together, ended ones included, and never
/// go back while the collector lives. Not to be read while it collects.
/// </summary>
public sealed class MetricTotals
{
    private readonly Dictionary<(string Name, string Subject), MetricTotal> _totals = [];
    private readonly Dictionary<string, string> _tiers = new(StringComparer.Ordinal);
    private int _pass;

    /// <summary>The series, ordered by name and subject.</summary>
    public IEnumerable<MetricTotal> Series => _totals.Values.Where(IsNow)
        .OrderBy(total => total.Name, StringComparer.Ordinal).ThenBy(total => total.Subject, StringComparer.Ordinal);

    /// <summary>A counter's or gauge's value; 0 if there is none.</summary>
    public long Value(string name, string subject = "") => _totals.GetValueOrDefault((name, subject)) is { } total && IsNow(total) ? total.Value : 0;

    /// <summary>Tier of a service.</summary>
    public string TierOf(string service) => _tiers.GetValueOrDefault(service) ?? Subjects.TierOf(service);

    internal void Learn(string service, string tier) => _tiers[service] = tier;

    internal void Add(MetricsSeries series, MetricsSeries? before)
    {
        var total = Find(series.Name, series.Subject, series.Kind);
        if (ReferenceEquals(series, before))
        {
            return;
        }

        if (series.Histogram is { } histogram)
        {
            total.Histogram = total.Histogram.Plus(before?.Histogram is { } earlier ? histogram.Since(earlier) : histogram);
        }
        else
        {
            total.Value += Math.Max(0, series.Value - (before?.Value ?? 0));
        }
    }

    internal void Set(string name, string subject, SeriesKind kind, long value)
    {
        var total = Find(name, subject, kind);
        (total.Value, total.Pass) = (value, _pass);
    }

    /// <summary>A pass begins. Gauges that nobody writes in it mean nothing.</summary>
    internal void Begin()
    {
        foreach (var (key, total) in _totals)
        {
            if (!IsNow(total))
            {
                _totals.Remove(key);
            }
        }

        _pass++;
    }

    private bool IsNow(MetricTotal total) => total.Kind != SeriesKind.Gauge || total.Pass == _pass;

    private MetricTotal Find(string name, string subject, SeriesKind kind)
    {
        if (!_totals.TryGetValue((name, subject), out var total) || total.Kind != kind)
        {
            _totals[(name, subject)] = total = new MetricTotal(name, subject, kind);
        }

        return total;
    }
}

/// <summary>One series as it stands.</summary>
/// <param name="name">Its name.</param>
/// <param name="subject">What it is about.</param>
/// <param name="kind">Its kind.</param>
public sealed class MetricTotal(string name, string subject, SeriesKind kind)
{
    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>What it is about: a service, an instance, or empty.</summary>
    public string Subject => subject;

    /// <summary>Its kind.</summary>
    public SeriesKind Kind => kind;

    /// <summary>Value of a counter or gauge.</summary>
    public long Value { get; internal set; }

    /// <summary>The pass in which it was set last.</summary>
    internal int Pass { get; set; }

    /// <summary>Of a histogram.</summary>
    public HistogramSnapshot Histogram { get; internal set; } = HistogramSnapshot.Empty;
}
