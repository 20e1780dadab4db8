using System.Collections.Immutable;

namespace Ashlar.Monitoring;

/// <summary>What a metrics file held at one moment, its slots summed.</summary>
public sealed class MetricsSnapshot
{
    internal MetricsSnapshot(SeriesTable table, ImmutableArray<MetricsSeries> series) => (Table, Series) = (table, series);

    /// <summary>What it has in common with other readings of the file.</summary>
    internal SeriesTable Table { get; }

    /// <summary>Process that writes, or wrote, the file.</summary>
    public int Pid => Table.Writer.Pid;

    /// <summary>When the file was made: the start of that process.</summary>
    public DateTimeOffset Created => Table.Created;

    /// <summary>True: that very process still runs. Gauges of a dead one mean nothing.</summary>
    public bool IsWriterAlive => Table.Writer.IsAlive;

    /// <summary>The series in the order in which they were registered.</summary>
    public ImmutableArray<MetricsSeries> Series { get; }

    /// <summary>A series, or null.</summary>
    public MetricsSeries? Find(string name, string subject = "") => Table.Find(name, subject) is >= 0 and var index ? Series[index] : null;

    /// <summary>Value of a counter or gauge; 0 if there is none of that name and subject.</summary>
    public long Value(string name, string subject = "") => Find(name, subject)?.Value ?? 0;

    /// <summary>A histogram; empty if there is none of that name and subject.</summary>
    public HistogramSnapshot Histogram(string name, string subject = "") =>
        Find(name, subject)?.Histogram ?? HistogramSnapshot.Empty;
}

/// <summary>One series.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Subject">What it is about, e.g. a service; may be empty.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Value">Value of a counter or gauge; of a histogram the number of values.</param>
/// <param name="Histogram">Only of a histogram.</param>
public sealed record MetricsSeries(string Name, string Subject, SeriesKind Kind, long Value, HistogramSnapshot? Histogram);

/// <summary>A histogram at one moment, or between two.</summary>
public sealed class HistogramSnapshot
{
    private readonly long[] _buckets;

    internal HistogramSnapshot(long[] buckets, long sum)
    {
        _buckets = buckets;
        Sum = sum;
        foreach (var count in buckets)
        {
            Count += count;
        }
    }

    /// <summary>One without values.</summary>
    public static HistogramSnapshot Empty { get; } = new(new long[HistogramBuckets.Count], 0);

    /// <summary>Number of values.</summary>
    public long Count { get; }

    /// <summary>Sum of all values.</summary>
    public long Sum { get; }

    /// <summary>Mean; 0 without values.</summary>
    public double Mean => Count == 0 ? 0 : (double)Sum / Count;

    /// <summary>Count of each bucket (<see cref="HistogramBuckets"/>).</summary>
    public ReadOnlySpan<long> Buckets => _buckets;

    /// <summary>The value below which the part <paramref name="q"/> (0 to 1) of all values lies, at most 6.25 % off; 0 without values.</summary>
    public double Quantile(double q)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(Math.Clamp(q, 0, 1) * Count));
        var seen = 0L;
        for (var i = 0; i < _buckets.Length; i++)
        {
            seen += _buckets[i];
            if (seen >= rank)
            {
                return HistogramBuckets.Middle(i);
            }
        }

        return 0;
    }

    /// <summary>Both together, as if all values had been counted in one.</summary>
    public HistogramSnapshot Plus(HistogramSnapshot other)
    {
        if (Count == 0 || other.Count == 0)
        {
            return Count == 0 ? other : this;
        }

        var buckets = new long[HistogramBuckets.Count];
        for (var i = 0; i < buckets.Length; i++)
        {
            buckets[i] = _buckets[i] + other._buckets[i];
        }

        return new HistogramSnapshot(buckets, Sum + other.Sum);
    }

    /// <summary>What came since an earlier snapshot of the same process.</summary>
    public HistogramSnapshot Since(HistogramSnapshot earlier)
    {
        var buckets = new long[HistogramBuckets.Count];
        for (var i = 0; i < buckets.Length; i++)
        {
            buckets[i] = Math.Max(0, _buckets[i] - earlier._buckets[i]);
        }

        return new HistogramSnapshot(buckets, Math.Max(0, Sum - earlier.Sum));
    }
}
