using Ashlar.Testing;

namespace Ashlar.Monitoring.Tests.Metrics;

public sealed class MetricsReaderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_no_metrics_file_is_said_to_be_none()
    {
        Assert.Contains("not a metrics file", Problem(_folder.Write("empty", "")), StringComparison.Ordinal);
        Assert.Contains("not a metrics file", Problem(_folder.Write("text", new string('x', 10_000))), StringComparison.Ordinal);
        Assert.NotEmpty(Problem(Path.Combine(_folder.Path, "missing")));
        Assert.NotEmpty(Problem(_folder.Path));
    }

    [Fact]
    public void A_file_of_another_version_names_both()
    {
        var bytes = Sample();
        bytes[8] = 9;
        Assert.Contains("version 9; this program reads version 1", Problem(Write(bytes)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_cut_anywhere_is_refused()
    {
        var bytes = Sample();
        for (var length = 0; length < bytes.Length; length += 997)
        {
            Assert.NotEmpty(Problem(Write(bytes[..length])));
        }
    }

    [Fact]
    public void Damage_never_throws() => Fuzz(iterations: 500);

    [Fact]
    [Trait("Length", "Full")]
    public void Damage_never_throws_in_a_long_run() => Fuzz(iterations: 50_000);

    private void Fuzz(int iterations)
    {
        const int Seed = 20_261_122;
        var random = new Random(Seed);
        var sample = Sample();
        for (var i = 0; i < iterations; i++)
        {
            var bytes = sample.AsSpan().ToArray();
            for (var flips = random.Next(1, 12); flips > 0; flips--)
            {
                // Most damage goes where it has meaning: the header's fields and the table.
                bytes[random.Next(4) == 0 ? random.Next(bytes.Length) : random.Next(2) == 0 ? random.Next(8, 128) : 4096 + random.Next(1024)] =
                    (byte)random.Next(256);
            }

            if (random.Next(8) == 0)
            {
                bytes = bytes[..random.Next(bytes.Length)];
            }

            try
            {
                if (MetricsReader.TryRead(Write(bytes), out var snapshot, out _))
                {
                    foreach (var series in snapshot.Series)
                    {
                        _ = series.Histogram?.Quantile(0.5);
                    }

                    _ = snapshot.IsWriterAlive;
                }
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {Seed}, mutation {i}: {e}");
            }
        }
    }

    private byte[] Sample()
    {
        var path = Path.Combine(_folder.Path, "sample");
        using (var file = MetricsFile.Create(path, slots: 2, seriesCapacity: 4, longsPerSlot: 1024))
        {
            file.Slot(0).Add(file.Counter("requests", "web"));
            file.Slot(1).Record(file.Histogram("latency", "web"), 1234);
            file.Slot(1).Add(file.Gauge("open"), 3);
        }

        return File.ReadAllBytes(path);
    }

    private string Write(byte[] bytes)
    {
        var path = Path.Combine(_folder.Path, "damaged");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static string Problem(string path)
    {
        Assert.False(MetricsReader.TryRead(path, out var snapshot, out var problem));
        Assert.Null(snapshot);
        return problem!;
    }
}
