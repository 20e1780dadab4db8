using Ashlar.Edge.Logging;
using Ashlar.Monitoring;
using Ashlar.Testing;

namespace Ashlar.Edge.Tests.Logging;

public sealed class EdgeMetricsTests
{
    [Fact]
    public void Requests_are_counted_by_service_class_and_failure()
    {
        using var folder = new TempFolder();
        var path = Path.Combine(folder.Path, "edge.metrics");
        using var file = MetricsFile.Create(path, slots: 2);
        var metrics = new EdgeMetrics(file);
        var web = metrics.Service("web");
        var loops = new[] { metrics.Loop(0), metrics.Loop(1) };
        loops[0].ConnectionOpened();
        loops[1].ConnectionOpened();
        loops[1].ConnectionClosed();
        foreach (var (loop, status) in new[] { (0, 200), (1, 204), (1, 503), (0, 0) })
        {
            loops[loop].RequestBegan(web);
            loops[loop].RequestEnded(web, new AccessRecord
            {
                Status = status,
                DurationMicros = 1000,
                BytesIn = 10,
                BytesOut = 100,
                Failure = status == 503 ? Failure.QueueFull : Failure.None,
            });
        }

        loops[0].RequestBegan(web);
        loops[0].WaitBegan(web);
        loops[1].RequestRefused(new AccessRecord { Status = 400, Failure = Failure.BadRequest });

        Assert.True(MetricsReader.TryRead(path, out var read, out var problem), problem);
        Assert.Equal((2, 1, 1, 0), (Requests("2xx"), Requests("5xx"), Requests("0xx"), Requests("4xx")));
        Assert.Equal(1, read.Value("edge_requests_4xx"));
        Assert.Equal(1, read.Value("edge_failures_bad-request"));
        Assert.Equal(1, read.Value("edge_failures_queue-full", "web"));
        Assert.Equal((1, 1), (read.Value(EdgeSeries.InFlight, "web"), read.Value(EdgeSeries.Waiting, "web")));
        Assert.Equal((40, 400), (read.Value(EdgeSeries.BytesIn, "web"), read.Value(EdgeSeries.BytesOut, "web")));
        Assert.Equal((2, 1), (read.Value(EdgeSeries.ConnectionsTotal), read.Value(EdgeSeries.Connections)));
        Assert.Equal(4, read.Histogram(EdgeSeries.Latency, "web").Count);
        Assert.Equal(0, file.Refused);

        long Requests(string status) => read.Value(EdgeSeries.Requests + status, "web");
    }
}
