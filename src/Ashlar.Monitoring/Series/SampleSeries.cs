namespace Ashlar.Monitoring;

/// <summary>Which series are kept of a sample.</summary>
internal static class SampleSeries
{
    private static readonly string[] RequestClasses = [.. Enumerable.Range(0, 6).Select(status => $"{SeriesNames.RequestsOfClass}{status}xx")];

    /// <summary>Its numbers. What is 0 and not <c>Always</c> needs no series while it was never anything else.</summary>
    public static IEnumerable<(string Metric, double Value, bool Always)> Values(Sample sample)
    {
        if (sample.Requests is { } requests)
        {
            yield return (SeriesNames.Requests, requests.Rate, true);
            yield return (SeriesNames.Errors, requests.Errors, true);
            for (var i = 0; i < requests.Classes.Length; i++)
            {
                yield return (RequestClasses[i], requests.Classes[i], false);
            }

            yield return (SeriesNames.InFlight, requests.InFlight, true);
            yield return (SeriesNames.Waiting, requests.Waiting, false);
            yield return (SeriesNames.Retries, requests.Retries, false);
            yield return (SeriesNames.BytesIn, requests.BytesIn, false);
            yield return (SeriesNames.BytesOut, requests.BytesOut, false);
            yield return (SeriesNames.Connections, requests.Connections, sample.Tier == "edge");
        }

        if (sample.Process is { } process)
        {
            yield return (SeriesNames.Cpu, process.Cpu, true);
            yield return (SeriesNames.Memory, process.Memory, true);
            yield return (SeriesNames.Restarts, process.Restarts, false);
            yield return (SeriesNames.Healthy, process.Healthy, sample.Instance.Length == 0);
        }

        if (sample.Saturation is { } saturation)
        {
            yield return (SeriesNames.Saturation, saturation.Share, sample.Instance.Length == 0);
        }

        foreach (var (name, value) in sample.Figures)
        {
            yield return (name, value, false);
        }
    }

    /// <summary>Its histograms; empty ones are not written.</summary>
    public static IEnumerable<(string Metric, HistogramSnapshot Histogram)> Histograms(Sample sample)
    {
        if (sample.Requests is { } requests)
        {
            if (requests.Latency.Count > 0)
            {
                yield return (SeriesNames.Latency, requests.Latency);
            }

            if (requests.Queue.Count > 0)
            {
                yield return (SeriesNames.Queue, requests.Queue);
            }
        }
    }
}
