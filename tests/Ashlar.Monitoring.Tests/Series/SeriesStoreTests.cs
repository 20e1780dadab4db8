using Ashlar.Testing;

namespace Ashlar.Monitoring.Tests.Series;

public sealed class SeriesStoreTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly SeriesKey Cpu = new("web", "web.1", SeriesNames.Cpu);
    private static readonly SeriesKey Latency = new("web", "", SeriesNames.Latency);
    private readonly TempFolder _folder = new();
    private SeriesStore _store;

    public SeriesStoreTests() => _store = Open();

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void What_was_kept_is_read_by_the_second()
    {
        Fill(0, 10);
        var points = Query(Cpu, 0, 10, 1);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => (double)i), points.Select(point => point.Average));
        Assert.Equal(Noon, points[0].At);
    }

    [Fact]
    public void Coarser_steps_have_the_smallest_the_mean_and_the_largest()
    {
        Fill(0, 60);
        var points = Query(Cpu, 0, 60, 30);
        Assert.Equal([new SeriesPoint(Noon, 0, 14.5, 29), new SeriesPoint(Noon.AddSeconds(30), 30, 44.5, 59)], points);
    }

    [Fact]
    public void A_second_without_a_moment_has_no_point()
    {
        Fill(0, 5);
        Fill(8, 10);
        Assert.Equal([0.0, 1, 2, 3, 4, 8, 9], Query(Cpu, 0, 10, 1).Select(point => point.Average));
    }

    [Fact]
    public void After_an_hour_there_are_ten_seconds_and_after_a_day_they_make_room()
    {
        Fill(0, 100);
        Fill(7200, 7210);
        var points = Query(Cpu, 0, 7210, 1);
        Assert.Equal(new SeriesPoint(Noon, 0, 4.5, 9), points[0]);
        Assert.Equal(11, points.Length);
        Fill(86_400, 86_411);
        Assert.Equal(Noon.AddSeconds(10), Query(Cpu, 0, 7210, 10)[0].At);
    }

    [Fact]
    public void The_ring_wraps_and_shows_no_lap_but_this_one()
    {
        Fill(0, 4000);
        var points = Query(Cpu, 401, 4000, 1);
        Assert.Equal(3599, points.Length);
        Assert.All(points, point => Assert.Equal((point.At - Noon).TotalSeconds, point.Average));
    }

    [Fact]
    public void It_is_there_after_a_restart_and_what_was_begun_is_completed()
    {
        Fill(0, 25);
        Reopen();
        Assert.Empty(_store.Notes);
        Fill(30, 31);
        Fill(8000, 8001);
        Assert.Equal(
            [new SeriesPoint(Noon, 0, 4.5, 9), new SeriesPoint(Noon.AddSeconds(10), 10, 14.5, 19), new SeriesPoint(Noon.AddSeconds(20), 20, 22, 24), new SeriesPoint(Noon.AddSeconds(30), 30, 30, 30)],
            Query(Cpu, 0, 100, 10));
    }

    [Fact]
    public void A_clock_that_goes_back_or_forth_spoils_nothing()
    {
        Fill(0, 100);
        Fill(5000, 5010);
        Fill(50, 60, value: _ => 1000);
        Assert.All(Query(Cpu, 50, 60, 1), point => Assert.Equal(1000, point.Average));
        Assert.Equal(10, Query(Cpu, 5000, 5010, 1).Length);
        Fill(-10_000_000, -10_000_000 + 5);
        Assert.Equal(5, Query(Cpu, -10_000_000, -10_000_000 + 5, 1).Length);
        Assert.Empty(_store.Notes);
    }

    [Fact]
    public void Histograms_of_a_window_merge_to_that_of_all_its_values()
    {
        var all = new List<long>();
        for (var second = 0; second < 40; second++)
        {
            long[] values = [.. Enumerable.Range(1, 50).Select(i => (long)i * (second + 1) * 10)];
            all.AddRange(values);
            _store.Append(Moment(second, 1, HistogramDigestTests.Of(values)));
        }

        var whole = Assert.Single(_store.QueryHistogram(Latency, Noon, Noon.AddSeconds(40), TimeSpan.FromSeconds(40))).Histogram;
        Assert.Equal(all.Count, whole.Count);
        Assert.Equal(all.Sum(), whole.Sum);
        all.Sort();
        Assert.Equal(all[(int)(all.Count * 0.95) - 1], whole.Quantile(0.95), all[^1] * 0.125);
        Fill(8000, 8001);
        var tens = _store.QueryHistogram(Latency, Noon, Noon.AddSeconds(30), TimeSpan.FromSeconds(10));
        Assert.Equal([500, 500, 500], tens.Select(point => point.Histogram.Count));
    }

    [Fact]
    public void Two_moments_in_one_second_lose_no_latency()
    {
        _store.Append(Moment(1, 1, HistogramDigestTests.Of([100])));
        _store.Append(Moment(1, 1, HistogramDigestTests.Of([200, 300])));
        Assert.Equal(3, Assert.Single(_store.QueryHistogram(Latency, Noon, Noon.AddSeconds(2), TimeSpan.FromSeconds(1))).Histogram.Count);
    }

    [Fact]
    public void When_all_room_is_taken_the_series_unused_for_longest_makes_it()
    {
        Reopen(new SeriesStoreOptions(Values: 3, Histograms: 1));
        foreach (var (second, service) in new[] { (0, "a"), (100, "b"), (200, "c"), (300, "b"), (400, "d") })
        {
            _store.Append(One(second, service));
        }

        Assert.Equal(["b", "c", "d"], _store.Keys().Select(key => key.Service).Order());
        Assert.Single(Query(new SeriesKey("d", "d.1", SeriesNames.Cpu), 0, 500, 1));
        Assert.Empty(_store.Notes);
        _store.Append(One(401, "b"));
        _store.Append(One(402, "c"));
        _store.Append(One(403, "e"));
        Assert.Contains("more series than room", Assert.Single(_store.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_process_reads_and_writes_only_when_the_first_has_ended()
    {
        Fill(-10, 3);
        using (var second = SeriesStore.Open(Path.Combine(_folder.Path, "series")))
        {
            // The first writes ten seconds at once.
            Assert.Equal(10, second.Query(Cpu, Noon.AddSeconds(-10), Noon.AddSeconds(10), TimeSpan.FromSeconds(1)).Length);
            second.Append(Moment(5, 5));
            Assert.Equal(3, Query(Cpu, 0, 10, 1).Length);
            _store.Append(One(6, "late"));
            Assert.Contains("late", second.Keys().Select(key => key.Service));
            _store.Dispose();
            second.Append(Moment(7, 7));
            Assert.Equal(4, second.Query(Cpu, Noon, Noon.AddSeconds(10), TimeSpan.FromSeconds(1)).Length);
        }

        _store = Open();
    }

    [Fact]
    public void Other_bounds_begin_anew_and_say_so()
    {
        Fill(0, 3);
        Reopen(new SeriesStoreOptions(Values: 7, Histograms: 2));
        Assert.Single(_store.Notes);
        Assert.Empty(_store.Keys());
        Fill(0, 3);
        Assert.Equal(3, Query(Cpu, 0, 3, 1).Length);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_an_error_with_its_name()
    {
        var e = Assert.Throws<Errors.AshlarException>(() => SeriesStore.Open(Path.Combine(_folder.Write("file", ""), "series")));
        Assert.Equal("ASH7301", e.Error.Code);
    }

    [Fact]
    public void Sizes_are_bounded()
    {
        Assert.InRange(new SeriesStoreOptions(184, 16).MostBytes, 1, 64L << 20);
        Assert.InRange(new SeriesStoreOptions().MostBytes, 1, 144L << 20);
    }

    [Fact]
    public void A_day_of_a_series_takes_what_is_said()
    {
        Reopen(new SeriesStoreOptions(16, 1));
        var histogram = HistogramDigestTests.Of([.. Enumerable.Range(0, 200).Select(i => (long)(i * i))]);
        for (var second = 0; second < 86_400; second += 10)
        {
            _store.Append(Moment(second, second, histogram));
        }

        var bytes = new DirectoryInfo(Path.Combine(_folder.Path, "series")).EnumerateFiles().Sum(file => file.Length);
        Assert.InRange(bytes, 1_000_000, new SeriesStoreOptions(16, 1).MostBytes);
        Assert.Equal(8640, Query(Cpu, 0, 86_400, 10).Length);
    }

    [Fact]
    public void Damage_never_throws() => Fuzz(60);

    [Fact]
    [Trait("Length", "Full")]
    public void Damage_never_throws_however_often() => Fuzz(2000);

    private void Fuzz(int iterations)
    {
        Reopen(new SeriesStoreOptions(4, 2));
        for (var second = 0; second < 200; second++)
        {
            _store.Append(Moment(second, second, HistogramDigestTests.Of([second, 100, 1000])));
        }

        _store.Dispose();
        var folder = Path.Combine(_folder.Path, "series");
        var files = new[] { "index", "values", "histograms" }.ToDictionary(name => name, name => File.ReadAllBytes(Path.Combine(folder, name)));
        for (var seed = 0; seed < iterations; seed++)
        {
            var random = new Random(seed);
            foreach (var (name, bytes) in files)
            {
                var copy = bytes[..(random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length)];
                for (var hits = random.Next(200); hits > 0 && copy.Length > 0; hits--)
                {
                    copy[random.Next(Math.Min(copy.Length, 20_000))] = (byte)random.Next(256);
                }

                File.WriteAllBytes(Path.Combine(folder, name), copy);
            }

            try
            {
                using var store = SeriesStore.Open(folder, new SeriesStoreOptions(4, 2));
                foreach (var key in store.Keys().Concat([Cpu, Latency]))
                {
                    foreach (var point in store.Query(key, Noon.AddDays(-1), Noon.AddHours(2), TimeSpan.FromSeconds(1)))
                    {
                        Assert.True(point.At < Noon.AddSeconds(200) && point.Average is >= 0 and <= 200, $"seed {seed}: {key} has {point}");
                    }

                    store.QueryHistogram(key, Noon.AddDays(-1), Noon.AddHours(2), TimeSpan.FromSeconds(10));
                }

                store.Append(Moment(201, 1, HistogramDigestTests.Of([1])));
                Assert.NotEmpty(store.Query(Cpu, Noon.AddSeconds(201), Noon.AddSeconds(202), TimeSpan.FromSeconds(1)));
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"seed {seed}: {e}");
            }
        }

        _store = Open();
    }

    private void Fill(int from, int to, Func<int, double>? value = null)
    {
        for (var second = from; second < to; second++)
        {
            _store.Append(Moment(second, value?.Invoke(second) ?? second));
        }
    }

    private SeriesPoint[] Query(SeriesKey key, int from, int to, int step) =>
        [.. _store.Query(key, Noon.AddSeconds(from), Noon.AddSeconds(to), TimeSpan.FromSeconds(step))];

    private static Moment Moment(int second, double cpu, HistogramSnapshot? latency = null) => new(Noon.AddSeconds(second + 0.5), TimeSpan.FromSeconds(1),
    [
        new Sample("services", "web") { Requests = latency is null ? null : new RequestFigures { Latency = latency } },
        new Sample("services", "web", "web.1") { Process = new ProcessFigures { Cpu = cpu } },
    ], []);

    private static Moment One(int second, string service) => new(Noon.AddSeconds(second), TimeSpan.FromSeconds(1),
        [new Sample("services", service, service + ".1") { Process = new ProcessFigures { Cpu = 1, Memory = double.NaN } }], []);

    private void Reopen(SeriesStoreOptions? options = null)
    {
        _store.Dispose();
        _store = Open(options);
    }

    private SeriesStore Open(SeriesStoreOptions? options = null) => SeriesStore.Open(Path.Combine(_folder.Path, "series"), options);
}
