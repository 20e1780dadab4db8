using System.Buffers;

namespace Ashlar.Monitoring;

/// <summary>Writes metrics in Prometheus' text format 0.0.4.</summary>
public static class PrometheusText
{
    /// <summary>To be sent as Content-Type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Writes all series of a stack.</summary>
    /// <param name="output">Gets UTF-8.</param>
    /// <param name="totals">Of the collector.</param>
    /// <param name="stack">Name of the stack, a label of each series.</param>
    public static void Write(IBufferWriter<byte> output, MetricTotals totals, string stack)
    {
    }
}
