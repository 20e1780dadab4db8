using System.Buffers.Binary;
using Ashlar.Testing;

namespace Ashlar.Monitoring.Tests.Collecting;

public sealed class MetricsCollectorTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ManualTime _time = new(DateTimeOffset.UtcNow);
    private readonly List<MetricsFile> _files = [];

    public void Dispose()
    {
        _files.ForEach(file => file.Dispose());
        _folder.Dispose();
    }

    [Fact]
    public void A_folder_that_is_not_there_has_only_the_machine()
    {
        var collector = new MetricsCollector(Path.Combine(_folder.Path, "missing"), _time);
        var moment = collector.Collect();
        Assert.Empty(moment.Problems);
        Assert.Equal(["machine"], moment.Samples.Select(sample => sample.Service));
    }

    [Fact]
    public void What_was_counted_before_the_first_pass_is_no_rate_but_in_the_totals()
    {
        var edge = File("edge.1.1");
        Requests(edge, 100, 2);
        var collector = Collector();
        var first = collector.Collect();
        Assert.Equal(0, first.Find("web")!.Requests!.Rate);
        Assert.Equal(TimeSpan.Zero, first.Span);
        Assert.Equal(100, collector.Totals.Value("edge_requests_2xx", "web"));
    }

    [Fact]
    public void Rates_are_per_second_of_the_time_that_passed()
    {
        var edge = File("edge.1.1");
        var collector = Collector();
        Requests(edge, 1, 2);
        collector.Collect();
        Requests(edge, 30, 2);
        Requests(edge, 10, 5);
        edge.Slot(0).Record(edge.Histogram(EdgeSeries.Latency, "web"), 4000);
        _time.Advance(2);
        var web = Assert.IsType<RequestFigures>(collector.Collect().Find("web")!.Requests);
        Assert.Equal(20, web.Rate);
        Assert.Equal(15, web.Classes[2]);
        Assert.Equal(5, web.Errors);
        Assert.Equal(0.25, web.ErrorShare);
        Assert.Equal(1, web.Latency.Count);
        Assert.Equal(4000, web.Latency.Quantile(0.5), 4000 * 0.0625);
    }

    [Fact]
    public void Two_generations_of_the_edge_are_one()
    {
        var (older, newer) = (File("edge.1.1"), File("edge.2.2"));
        var collector = Collector();
        Requests(older, 5, 2);
        Requests(newer, 5, 2);
        collector.Collect();
        foreach (var edge in new[] { older, newer })
        {
            Requests(edge, 10, 2);
            edge.Slot(0).Set(edge.Gauge(EdgeSeries.Connections), 7);
            edge.Slot(0).Set(edge.Gauge(EdgeSeries.InFlight, "web"), 3);
        }

        _time.Advance(1);
        var moment = collector.Collect();
        Assert.Equal(20, moment.Find("web")!.Requests!.Rate);
        Assert.Equal(20, moment.Find("edge")!.Requests!.Rate);
        Assert.Equal(14, moment.Find("edge")!.Requests!.Connections);
        Assert.Equal(6, moment.Find("web")!.Requests!.InFlight);
    }

    [Fact]
    public void What_a_process_counted_last_is_counted_and_its_gauges_are_not()
    {
        var edge = File("edge.1.1");
        var collector = Collector();
        Requests(edge, 5, 2);
        collector.Collect();
        Requests(edge, 10, 2);
        edge.Slot(0).Set(edge.Gauge(EdgeSeries.Connections), 7);
        Kill("edge.1.1");
        _time.Advance(1);
        var moment = collector.Collect();
        Assert.Equal(15, collector.Totals.Value("edge_requests_2xx", "web"));
        Assert.Equal(0, collector.Totals.Value(EdgeSeries.Connections));
        Assert.Null(moment.Find("edge"));
    }

    [Fact]
    public void Totals_never_go_back_when_a_process_is_replaced_and_its_file_deleted()
    {
        var edge = File("edge.1.1");
        Requests(edge, 40, 2);
        var collector = Collector();
        collector.Collect();
        Kill("edge.1.1");
        _time.Advance(1);
        collector.Collect();
        System.IO.File.Delete(Path.Combine(_folder.Path, "edge.1.1.metrics"));
        Requests(File("edge.1.2"), 2, 2);
        _time.Advance(1);
        var moment = collector.Collect();
        Assert.Equal(42, collector.Totals.Value("edge_requests_2xx", "web"));
        Assert.Equal(2, moment.Find("web")!.Requests!.Rate);
    }

    [Fact]
    public void A_file_begun_anew_under_its_name_is_another_one()
    {
        var agent = File("agent.9");
        agent.Slot(0).Add(agent.Counter(InstanceMetrics.Cpu, "web.1"), 5000);
        var collector = Collector();
        collector.Collect();
        _time.Advance(1);
        var next = File("agent.9");
        SetCreated("agent.9", _time.Now);
        next.Slot(0).Add(next.Counter(InstanceMetrics.Cpu, "web.1"), 500);
        next.Slot(0).Set(next.Gauge(InstanceMetrics.State, "web.1"), InstanceMetrics.Healthy);
        Assert.Equal(0.5, collector.Collect().Find("web", "web.1")!.Process!.Cpu, 0.001);
        Assert.Equal(5500, collector.Totals.Value(InstanceMetrics.Cpu, "web.1"));
    }

    [Fact]
    public void Instances_are_what_the_agent_says_and_the_service_is_their_sum()
    {
        var agent = File("agent.9");
        foreach (var (name, cpu) in new[] { ("web.1", 250), ("web.2", 500) })
        {
            agent.Slot(0).Add(agent.Counter(InstanceMetrics.Cpu, name), 1);
            agent.Slot(0).Set(agent.Gauge(InstanceMetrics.State, name), InstanceMetrics.Healthy);
            agent.Slot(0).Set(agent.Gauge(InstanceMetrics.Memory, name), cpu << 20);
            agent.Slot(0).Set(agent.Gauge(InstanceMetrics.CpuLimit, name), 1000);
            agent.Slot(0).Set(agent.Gauge(InstanceMetrics.Tier + "services", name), 1);
        }

        agent.Slot(0).Set(agent.Gauge(InstanceMetrics.State, "worker.1"), InstanceMetrics.Gone);
        var collector = Collector();
        collector.Collect();
        agent.Slot(0).Add(agent.Counter(InstanceMetrics.Cpu, "web.1"), 250);
        agent.Slot(0).Add(agent.Counter(InstanceMetrics.Cpu, "web.2"), 500);
        _time.Advance(1);
        var moment = collector.Collect();
        Assert.Equal(["", "web.1", "web.2"], moment.Samples.Where(s => s.Service == "web").Select(s => s.Instance));
        Assert.Null(moment.Find("worker", "worker.1"));
        Assert.Equal(0.75, moment.Find("web")!.Process!.Cpu, 0.001);
        Assert.Equal(750 << 20, moment.Find("web")!.Process!.Memory);
        Assert.Equal(2, moment.Find("web")!.Process!.Healthy);
        Assert.Equal(new Saturation(0.5, "cpu", "0.5 of 1 core"), moment.Find("web", "web.2")!.Saturation);
    }

    [Fact]
    public void Figures_of_engines_are_gauges_as_they_are_and_counters_per_second()
    {
        var watch = File("database.9");
        watch.Slot(0).Set(watch.Gauge("database_lag_bytes", "database.2"), 1000);
        watch.Slot(0).Set(watch.Gauge("database_lag_bytes", "database.3"), 3000);
        watch.Slot(0).Add(watch.Counter("database_transactions", "database.1"), 50);
        var collector = Collector();
        collector.Collect();
        watch.Slot(0).Add(watch.Counter("database_transactions", "database.1"), 50);
        _time.Advance(0.5);
        var moment = collector.Collect();
        Assert.Equal("database", moment.Find("database")!.Tier);
        Assert.Equal(100, moment.Find("database", "database.1")!.Figure("database_transactions"));
        Assert.Equal(1000, moment.Find("database", "database.2")!.Figure("database_lag_bytes"));
        Assert.Equal(3000, moment.Find("database")!.Figure("database_lag_bytes"));
    }

    [Fact]
    public void A_damaged_file_is_a_problem_and_keeps_no_other_from_being_read()
    {
        _folder.Write("bad.metrics", "no metrics");
        Requests(File("edge.1.1"), 1, 2);
        var moment = Collector().Collect();
        Assert.Contains("bad.metrics", Assert.Single(moment.Problems), StringComparison.Ordinal);
        Assert.NotNull(moment.Find("web"));
    }

    [Fact]
    public void The_next_pass_is_in_the_middle_of_a_second()
    {
        foreach (var (now, wait) in new[] { (0.0, 0.5), (0.3, 0.2), (0.45, 1.05), (0.5, 1.0), (0.9, 0.6) })
        {
            var collector = new MetricsCollector(_folder.Path, new ManualTime(DateTimeOffset.UnixEpoch.AddSeconds(1000 + now)));
            Assert.Equal(wait, collector.UntilNext().TotalSeconds, 0.001);
        }
    }

    private MetricsCollector Collector() => new(_folder.Path, _time);

    private MetricsFile File(string name)
    {
        var file = MetricsFile.Create(Path.Combine(_folder.Path, name + ".metrics"), 1, 100, 4096);
        _files.Add(file);
        file.Gauge(EdgeSeries.Connections);
        return file;
    }

    private static void Requests(MetricsFile edge, int count, int status)
    {
        edge.Gauge(EdgeSeries.InFlight, "web");
        edge.Slot(0).Add(edge.Counter($"{EdgeSeries.Requests}{status}xx", "web"), count);
    }

    // As if the process that wrote it had ended: no process has this start time.
    private void Kill(string name) => Patch(name, 48, 1);

    private void SetCreated(string name, DateTimeOffset at) => Patch(name, 24, at.ToUnixTimeMilliseconds());

    private void Patch(string name, int at, long value)
    {
        using var file = System.IO.File.OpenHandle(Path.Combine(_folder.Path, name + ".metrics"), access: FileAccess.ReadWrite, share: FileShare.ReadWrite);
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        RandomAccess.Write(file, bytes, at);
    }
}
