using Ashlar.Testing;

namespace Ashlar.Monitoring.Tests.Metrics;

public sealed class MetricsFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string FilePath => Path.Combine(_folder.Path, "edge.1.metrics");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_reader_sums_what_the_slots_hold()
    {
        using var file = MetricsFile.Create(FilePath, slots: 3);
        var requests = file.Counter("requests", "web");
        var open = file.Gauge("open");
        for (var slot = 0; slot < 3; slot++)
        {
            file.Slot(slot).Add(requests, slot + 1);
            file.Slot(slot).Add(open, slot);
        }

        file.Slot(2).Add(open, -1);
        var read = Read();
        Assert.Equal((6, 2, 0), (read.Value("requests", "web"), read.Value("open"), read.Value("requests", "api")));
        Assert.Equal([("requests", "web", SeriesKind.Counter), ("open", "", SeriesKind.Gauge)], read.Series.Select(s => (s.Name, s.Subject, s.Kind)));
        Assert.Equal(Environment.ProcessId, read.Pid);
        Assert.True(read.IsWriterAlive);
    }

    [Fact]
    public void Quantiles_of_a_histogram_are_within_a_sixteenth()
    {
        using var file = MetricsFile.Create(FilePath, slots: 2);
        var latency = file.Histogram("latency", "web");
        for (var i = 1; i <= 10_000; i++)
        {
            file.Slot(i % 2).Record(latency, i);
        }

        var first = Read().Histogram("latency", "web");
        Assert.Equal((10_000, 50_005_000), (first.Count, first.Sum));
        Assert.InRange(first.Quantile(0.5), 5000 * 0.9375, 5000 * 1.0625);
        Assert.InRange(first.Quantile(0.99), 9900 * 0.9375, 9900 * 1.0625);
        Assert.InRange(first.Quantile(0), 1, 1);
        file.Slot(0).Record(latency, 77);
        var since = Read().Histogram("latency", "web").Since(first);
        Assert.Equal((1, 77), (since.Count, since.Sum));
    }

    [Fact]
    public void A_series_is_registered_once_and_found_again()
    {
        using var file = MetricsFile.Create(FilePath, slots: 1);
        Assert.Equal(file.Counter("a", "x"), file.Counter("a", "x"));
        Assert.NotEqual(file.Counter("a", "x"), file.Counter("a", "y"));
        Assert.Throws<ArgumentException>(() => file.Gauge("a", "x"));
    }

    [Fact]
    public void Series_beyond_the_capacity_are_refused_and_harm_no_other()
    {
        using var file = MetricsFile.Create(FilePath, slots: 1, seriesCapacity: 2, longsPerSlot: 512 + 2);
        var first = file.Counter("first");
        file.Slot(0).Record(file.Histogram("too long for the slot"), 5);
        file.Slot(0).Add(file.Counter(new string('n', 300)), 5);
        file.Counter("second");
        file.Slot(0).Add(file.Counter("third"), 5);
        file.Slot(0).Add(first);
        Assert.Equal(3, file.Refused);
        var read = Read();
        Assert.Equal([1L, 0L], read.Series.Select(series => series.Value));
    }

    [Fact]
    public void The_file_stays_when_its_writer_ends_and_a_new_one_replaces_it()
    {
        using (var file = MetricsFile.Create(FilePath, slots: 1))
        {
            file.Slot(0).Add(file.Counter("a"), 7);
        }

        Assert.Equal(7, Read().Value("a"));
        using var next = MetricsFile.Create(FilePath, slots: 1);
        Assert.Equal(0, Read().Value("a"));
        Assert.Equal([FilePath], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Writers_on_their_own_slots_lose_nothing_while_it_is_read()
    {
        using var file = MetricsFile.Create(FilePath, slots: 4);
        var counter = file.Counter("a");
        var writers = Enumerable.Range(0, 4).Select(slot => new Thread(() =>
        {
            for (var i = 0; i < 200_000; i++)
            {
                file.Slot(slot).Add(counter);
            }
        })).ToList();
        writers.ForEach(writer => writer.Start());
        for (long last = 0, now; last < 800_000 && writers.Exists(writer => writer.IsAlive); last = now)
        {
            now = Read().Value("a");
            Assert.InRange(now, last, 800_000);
        }

        writers.ForEach(writer => writer.Join());
        Assert.Equal(800_000, Read().Value("a"));
    }

    [Fact]
    public void Metrics_without_a_file_can_be_written_all_the_same()
    {
        using var file = MetricsFile.InMemory(slots: 2);
        file.Slot(1).Record(file.Histogram("a"), 5);
        Assert.Equal(0, file.Refused);
    }

    private MetricsSnapshot Read()
    {
        Assert.True(MetricsReader.TryRead(FilePath, out var snapshot, out var problem), problem);
        return snapshot!;
    }
}
