namespace Ashlar.Monitoring.Tests.Metrics;

public sealed class HistogramBucketsTests
{
    [Fact]
    public void Every_bucket_begins_where_the_one_before_ends()
    {
        for (var bucket = 0; bucket < HistogramBuckets.Count; bucket++)
        {
            Assert.Equal(bucket, HistogramBuckets.IndexOf(HistogramBuckets.LowerBound(bucket)));
            if (bucket > 0)
            {
                Assert.Equal(bucket - 1, HistogramBuckets.IndexOf(HistogramBuckets.LowerBound(bucket) - 1));
            }
        }
    }

    [Fact]
    public void A_bucket_stands_for_its_values_within_a_sixteenth()
    {
        for (var value = 1.0; value < uint.MaxValue; value *= 1.0137)
        {
            var whole = (long)value;
            var read = HistogramBuckets.Middle(HistogramBuckets.IndexOf(whole));
            Assert.True(Math.Abs(read - whole) / whole <= 0.0625, $"{whole} is read as {read}");
        }
    }

    [Theory]
    [InlineData(-5, 0)]
    [InlineData(0, 0)]
    [InlineData(7, 7)]
    [InlineData(8, 8)]
    [InlineData(uint.MaxValue, 239)]
    [InlineData(1L + uint.MaxValue, 239)]
    [InlineData(long.MaxValue, 239)]
    public void Values_out_of_range_count_at_the_ends(long value, int bucket) => Assert.Equal(bucket, HistogramBuckets.IndexOf(value));
}
