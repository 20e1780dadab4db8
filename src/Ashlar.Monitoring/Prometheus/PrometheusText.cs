using System.Buffers;
using System.Globalization;
using System.Text;

namespace Ashlar.Monitoring;

/// <summary>Writes metrics in Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).</summary>
public static class PrometheusText
{
    /// <summary>To be sent as Content-Type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    // Two bounds for each doubling, from 64 µs to 67 s.
    private const int FirstBound = 32, LastBound = 192, BoundStep = 4;

    /// <summary>Writes all series of a stack. Times are in seconds, sizes in bytes.</summary>
    /// <param name="output">Gets UTF-8.</param>
    /// <param name="totals">Of the collector.</param>
    /// <param name="stack">Name of the stack, a label of each series.</param>
    public static void Write(IBufferWriter<byte> output, MetricTotals totals, string stack)
    {
        var named = totals.Series.Select(series => (Series: series, Name: PrometheusName.Of(series))).Where(found => found.Name is not null);
        var text = new StringBuilder();
        foreach (var family in named.GroupBy(found => found.Name!.Name, StringComparer.Ordinal).OrderBy(family => family.Key, StringComparer.Ordinal))
        {
            var first = family.First().Name!;
            text.Append("# HELP ").Append(first.Name).Append(' ').Append(first.Help).Append('\n')
                .Append("# TYPE ").Append(first.Name).Append(' ').Append(first.Type).Append('\n');
            var written = new HashSet<string>(StringComparer.Ordinal);
            foreach (var (series, name) in family)
            {
                // Two names that differ only in what Prometheus does not allow would be one series twice, which it refuses.
                var labels = Labels(totals, stack, series, name!);
                if (name!.Type == first.Type && written.Add(labels))
                {
                    Sample(text, series, name, labels);
                }
            }

            Encoding.UTF8.GetBytes(text.ToString(), output);
            text.Clear();
        }
    }

    private static void Sample(StringBuilder text, MetricTotal series, PrometheusName name, string labels)
    {
        if (series.Kind != SeriesKind.Histogram)
        {
            Line(text, name.Name, labels, Number(series.Value * name.Scale));
            return;
        }

        var (below, bucket) = (0L, 0);
        for (var bound = FirstBound; bound <= LastBound; bound += BoundStep)
        {
            for (; bucket < bound; bucket++)
            {
                below += series.Histogram.Buckets[bucket];
            }

            // Values are whole: what is below the next bucket is at most one less than it begins with.
            Line(text, name.Name + "_bucket", $"{labels},le=\"{Number((HistogramBuckets.LowerBound(bound) - 1) * name.Scale)}\"", Number(below));
        }

        Line(text, name.Name + "_bucket", $"{labels},le=\"+Inf\"", Number(series.Histogram.Count));
        Line(text, name.Name + "_sum", labels, Number(series.Histogram.Sum * name.Scale));
        Line(text, name.Name + "_count", labels, Number(series.Histogram.Count));
    }

    private static string Labels(MetricTotals totals, string stack, MetricTotal series, PrometheusName name)
    {
        var labels = new StringBuilder($"stack=\"{Escape(stack)}\"");
        var (service, instance) = Subjects.Split(series.Subject);
        if (service.Length > 0)
        {
            labels.Append($",tier=\"{Escape(totals.TierOf(service))}\",service=\"{Escape(service)}\"");
        }

        if (instance.Length > 0)
        {
            labels.Append($",instance=\"{Escape(instance)}\"");
        }

        if (name.Label is { } label)
        {
            labels.Append($",{label.Name}=\"{Escape(label.Value)}\"");
        }

        return labels.ToString();
    }

    private static void Line(StringBuilder text, string name, string labels, string value) =>
        text.Append(name).Append('{').Append(labels).Append("} ").Append(value).Append('\n');

    private static string Escape(string value) =>
        value.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Number(double value) => Math.Round(value, 6).ToString("0.######", CultureInfo.InvariantCulture);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
