namespace Ashlar.Monitoring.Tests.Series;

public sealed class HistogramDigestTests
{
    [Fact]
    public void Few_buckets_come_back_exactly()
    {
        var histogram = Of([0, 1, 7, 8, 100, 100, 5000, 1 << 30, long.MaxValue]);
        Assert.True(HistogramDigest.TryRead(Digest(histogram, 124), out var back));
        Assert.Equal(histogram.Buckets.ToArray(), back.Buckets.ToArray());
        Assert.Equal(histogram.Sum, back.Sum);
    }

    [Fact]
    public void However_many_buckets_no_value_is_lost_in_any_size()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var histogram = Of([.. Enumerable.Range(0, 3000).Select(_ => (long)Math.Exp(random.NextDouble() * 22))], times: 1 + random.Next(100_000));
            foreach (var size in new[] { 60, 124, 156 })
            {
                Assert.True(HistogramDigest.TryRead(Digest(histogram, size), out var back), $"seed {seed}");
                Assert.True(histogram.Count == back.Count, $"seed {seed}");
                Assert.Equal(histogram.Sum, back.Sum);
            }
        }
    }

    // The property that makes percentiles over a window true: merging what was kept gives what keeping the merged would give.
    [Fact]
    public void Merged_digests_have_the_quantiles_of_all_their_values()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            var all = new List<long>();
            var merged = HistogramSnapshot.Empty;
            for (var second = 0; second < 20; second++)
            {
                // A second's latencies: most around one value, some slow.
                var middle = Math.Exp(5 + (random.NextDouble() * 6));
                long[] values = [.. Enumerable.Range(0, 1 + random.Next(300)).Select(_ => (long)(middle * Math.Exp((random.NextDouble() - 0.5) * (random.Next(20) == 0 ? 3 : 1))))];
                all.AddRange(values);
                Assert.True(HistogramDigest.TryRead(Digest(Of(values), 124), out var back));
                merged = merged.Plus(back);
            }

            Assert.True(HistogramDigest.TryRead(Digest(merged, 156), out merged));
            all.Sort();
            foreach (var q in new[] { 0.5, 0.95, 0.99 })
            {
                var exact = all[(int)Math.Ceiling(q * all.Count) - 1];
                Assert.True(Math.Abs(merged.Quantile(q) - exact) <= (0.26 * exact) + 1, $"seed {seed}: p{q * 100} is {merged.Quantile(q)}, exactly {exact}");
            }
        }
    }

    [Fact]
    public void Any_bytes_are_read_or_refused()
    {
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            if (bytes.Length > 0 && seed % 2 == 0)
            {
                bytes[0] = (byte)(bytes[0] % 7);
            }

            HistogramDigest.TryRead(bytes, out _);
        }
    }

    private static byte[] Digest(HistogramSnapshot histogram, int size)
    {
        var bytes = new byte[size];
        HistogramDigest.Write(histogram, bytes);
        return bytes;
    }

    internal static HistogramSnapshot Of(long[] values, long times = 1)
    {
        var buckets = new long[HistogramBuckets.Count];
        foreach (var value in values)
        {
            buckets[HistogramBuckets.IndexOf(value)] += times;
        }

        return new HistogramSnapshot(buckets, values.Where(value => value < int.MaxValue).Sum() * times);
    }
}
