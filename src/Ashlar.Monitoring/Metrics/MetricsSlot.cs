namespace Ashlar.Monitoring;

/// <summary>One thread's own part of a metrics file. Only that thread writes to it, so adding is a plain memory increment.</summary>
public sealed unsafe class MetricsSlot
{
    private readonly MetricsFile _file; // keeps the mapping alive
    private readonly long* _values;

    internal MetricsSlot(MetricsFile file, long* values)
    {
        _file = file;
        _values = values;
    }

    /// <summary>The file it is a part of.</summary>
    public MetricsFile File => _file;

    /// <summary>Adds to a counter.</summary>
    public void Add(Counter counter, long amount = 1) => _values[counter.Index] += amount;

    /// <summary>Adds to a gauge; negative amounts take away.</summary>
    public void Add(Gauge gauge, long amount) => _values[gauge.Index] += amount;

    /// <summary>Sets this slot's part of a gauge.</summary>
    public void Set(Gauge gauge, long value) => _values[gauge.Index] = value;

    /// <summary>Counts a value.</summary>
    public void Record(Histogram histogram, long value)
    {
        var values = _values + histogram.Index;
        values[HistogramBuckets.IndexOf(value)]++;
        values[HistogramBuckets.Count] += Math.Max(0, value);
    }
}
