namespace Ashlar.Monitoring;

/// <summary>What a series is.</summary>
public enum SeriesKind
{
    /// <summary>Only grows, until its process ends.</summary>
    Counter = 1,

    /// <summary>Goes up and down.</summary>
    Gauge = 2,

    /// <summary>Counts values by size (<see cref="HistogramBuckets"/>).</summary>
    Histogram = 3,
}

/// <summary>A counter of a <see cref="MetricsFile"/>.</summary>
/// <param name="Index">Its place in a slot.</param>
public readonly record struct Counter(int Index);

/// <summary>A gauge of a <see cref="MetricsFile"/>; what its slots hold is summed.</summary>
/// <param name="Index">Its place in a slot.</param>
public readonly record struct Gauge(int Index);

/// <summary>A histogram of a <see cref="MetricsFile"/>.</summary>
/// <param name="Index">Its first place in a slot.</param>
public readonly record struct Histogram(int Index);
