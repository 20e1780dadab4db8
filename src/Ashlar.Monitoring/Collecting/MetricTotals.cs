namespace Ashlar.Monitoring;

/// <summary>All series of a stack as they stand, counters and histograms since the collector began or before.</summary>
public sealed class MetricTotals
{
}
