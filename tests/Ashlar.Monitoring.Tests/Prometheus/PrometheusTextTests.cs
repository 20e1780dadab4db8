using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Ashlar.Testing;

namespace Ashlar.Monitoring.Tests.Prometheus;

public sealed partial class PrometheusTextTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly MetricsFile _file;

    public PrometheusTextTests() => _file = MetricsFile.Create(Path.Combine(_folder.Path, "all.metrics"), 1, 100, 4096);

    public void Dispose()
    {
        _file.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Names_units_and_labels_are_those_of_prometheus()
    {
        Fill();
        var text = Text("shop");
        Assert.Contains("# TYPE ashlar_edge_requests_total counter\n", text, StringComparison.Ordinal);
        Assert.Contains("ashlar_edge_requests_total{stack=\"shop\",tier=\"services\",service=\"web\",class=\"2xx\"} 12\n", text, StringComparison.Ordinal);
        Assert.Contains("ashlar_instance_cpu_seconds_total{stack=\"shop\",tier=\"services\",service=\"web\",instance=\"web.1\"} 1.5\n", text, StringComparison.Ordinal);
        Assert.Contains("ashlar_database_lag_seconds{stack=\"shop\",tier=\"database\",service=\"database\",instance=\"database.2\"} 0.25\n", text, StringComparison.Ordinal);
        Assert.Contains("ashlar_edge_failures_total{stack=\"shop\",tier=\"services\",service=\"web\",reason=\"queue-timeout\"} 3\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_histogram_counts_up_to_its_bounds()
    {
        Fill();
        var text = Text("shop");
        Assert.Contains("le=\"0.001023\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("le=\"+Inf\"} 3\n", text, StringComparison.Ordinal);
        Assert.Contains("ashlar_edge_request_duration_seconds_sum{stack=\"shop\",tier=\"services\",service=\"web\"} 2.003\n", text, StringComparison.Ordinal);
        Assert.Contains("ashlar_edge_request_duration_seconds_count{stack=\"shop\",tier=\"services\",service=\"web\"} 3\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_line_is_of_the_format_and_every_series_there_once()
    {
        Fill();
        Check(Text("a\\b\"c\nd"));
    }

    // ./test --full installs promtool (Debian's prometheus).
    [Fact]
    [Trait("Length", "Full")]
    public async Task Promtool_finds_nothing_wrong()
    {
        Fill();
        var path = _folder.Write("metrics.txt", Text("shop"));
        using var promtool = Process.Start(new ProcessStartInfo("sh", ["-c", "exec promtool check metrics <\"$1\" 2>&1", "sh", path]) { RedirectStandardOutput = true })!;
        var output = await promtool.StandardOutput.ReadToEndAsync();
        await promtool.WaitForExitAsync();
        Assert.True(promtool.ExitCode == 0 && output.Length == 0, output);
    }

    private void Fill()
    {
        var slot = _file.Slot(0);
        slot.Add(_file.Counter(EdgeSeries.Requests + "2xx", "web"), 12);
        slot.Add(_file.Counter(EdgeSeries.Requests + "5xx", "web"), 1);
        slot.Add(_file.Counter(EdgeSeries.Requests + "4xx"), 2);
        slot.Add(_file.Counter(EdgeSeries.Failures + "queue-timeout", "web"), 3);
        slot.Set(_file.Gauge(EdgeSeries.Connections), 4);
        slot.Add(_file.Counter(EdgeSeries.ConnectionsTotal), 40);
        foreach (var micros in new[] { 1000, 2000, 2_000_000 })
        {
            slot.Record(_file.Histogram(EdgeSeries.Latency, "web"), micros);
        }

        slot.Add(_file.Counter(InstanceMetrics.Cpu, "web.1"), 1500);
        slot.Set(_file.Gauge(InstanceMetrics.State, "web.1"), 2);
        slot.Set(_file.Gauge(InstanceMetrics.Tier + "services", "web.1"), 1);
        slot.Set(_file.Gauge("database_lag_milliseconds", "database.2"), 250);
        slot.Set(_file.Gauge("engine_hits+", "cache.1"), 1);
        slot.Set(_file.Gauge("engine_hits?", "cache.1"), 1);
        slot.Set(_file.Gauge("odd", "a\"b\\c\nd"), 1);
    }

    private string Text(string stack)
    {
        var collector = new MetricsCollector(_folder.Path, TimeProvider.System);
        collector.Collect();
        var output = new ArrayBufferWriter<byte>();
        PrometheusText.Write(output, collector.Totals, stack);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    // The grammar of the text format, stricter than Prometheus itself: families together, declared before and once, no sample twice.
    private static void Check(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        HashSet<string> families = [], samples = [];
        var (family, type) = ("", "");
        double below = 0;
        foreach (var line in text[..^1].Split('\n'))
        {
            if (HelpLine().Match(line) is { Success: true } help)
            {
                Assert.True(families.Add(family = help.Groups[1].Value), line);
            }
            else if (TypeLine().Match(line) is { Success: true } declared)
            {
                Assert.Equal(family, declared.Groups[1].Value);
                type = declared.Groups[2].Value;
                Assert.Equal(type == "counter", family.EndsWith("_total", StringComparison.Ordinal));
            }
            else
            {
                var sample = SampleLine().Match(line);
                Assert.True(sample.Success, line);
                var (name, value) = (sample.Groups[1].Value, double.Parse(sample.Groups["value"].Value, CultureInfo.InvariantCulture));
                Assert.True(samples.Add(name + sample.Groups["labels"].Value), line);
                Assert.Contains(name, type == "histogram" ? new[] { family + "_bucket", family + "_sum", family + "_count" } : [family]);
                if (name.EndsWith("_bucket", StringComparison.Ordinal))
                {
                    below = line.Contains("le=\"0.000063\"", StringComparison.Ordinal) ? 0 : below;
                    Assert.True(value >= below, line);
                    below = value;
                }
            }
        }
    }

    [GeneratedRegex(@"^# HELP (ashlar_[a-z0-9_]+) [^\n]+$")]
    private static partial Regex HelpLine();

    [GeneratedRegex("^# TYPE (ashlar_[a-z0-9_]+) (counter|gauge|histogram)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("""^(ashlar_[a-z0-9_]+)\{(?<labels>[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\[\\"n])*")*)\} (?<value>-?[0-9]+(\.[0-9]+)?)$""")]
    private static partial Regex SampleLine();
}
