using System.Numerics;

namespace Ashlar.Monitoring;

/// <summary>
/// Log-linear buckets: every power of two is cut into eight equal parts, so that a value read back as its bucket's middle is
/// at most 6.25 % off. Covers 0 to 2^32 - 1 (in microseconds: 71 minutes); larger values count in the last bucket.
/// </summary>
public static class HistogramBuckets
{
    /// <summary>Number of buckets.</summary>
    public const int Count = 240;

    /// <summary>Longs that a histogram takes in a slot: its buckets, then the sum of all values.</summary>
    public const int Longs = Count + 1;

    /// <summary>Bucket of a value; negative ones count as 0.</summary>
    public static int IndexOf(long value)
    {
        if (value < 8)
        {
            return value < 0 ? 0 : (int)value;
        }

        var power = BitOperations.Log2((ulong)value);
        return power > 31 ? Count - 1 : ((power - 2) * 8) + (int)((value >> (power - 3)) & 7);
    }

    /// <summary>Smallest value of a bucket.</summary>
    public static long LowerBound(int bucket) => bucket < 8 ? bucket : (8L + (bucket & 7)) << ((bucket >> 3) - 1);

    /// <summary>The value that stands for a bucket: its middle.</summary>
    public static double Middle(int bucket) => bucket < 8 ? bucket : (LowerBound(bucket) + LowerBound(bucket + 1) - 1) / 2.0;
}
