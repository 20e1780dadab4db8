namespace Ashlar.Monitoring;

/// <summary>
/// A histogram in few bytes: only buckets that hold something, each as the distance from the one before and its count. Where these
/// are too many, neighbouring buckets are put together, two, four, eight, …, until they fit. No value is lost, so digests merge
/// as histograms do; put together by 2^n, the quantiles read from them are off by as many times a bucket's width.
/// </summary>
/// <remarks>Bytes: n, number of pairs, sum of all values, pairs. Numbers but the first two are in base 128, low digits first.</remarks>
internal static class HistogramDigest
{
    private const int CoarsestShift = 6;

    /// <summary>Writes it; what is not needed of <paramref name="into"/> becomes 0.</summary>
    public static void Write(HistogramSnapshot histogram, Span<byte> into)
    {
        for (var shift = 0; shift <= CoarsestShift; shift++)
        {
            into.Clear();
            if (TryWrite(histogram, into, shift))
            {
                return;
            }
        }
    }

    /// <summary>Reads it; false if it is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, out HistogramSnapshot histogram)
    {
        histogram = HistogramSnapshot.Empty;
        if (from.Length < 2 || from[0] > CoarsestShift)
        {
            return false;
        }

        var (shift, pairs, at, group) = (from[0], from[1], 2, -1);
        if (!TryNumber(from, ref at, out var sum))
        {
            return false;
        }

        var buckets = new long[HistogramBuckets.Count];
        for (var i = 0; i < pairs; i++)
        {
            if (!TryNumber(from, ref at, out var distance) || !TryNumber(from, ref at, out var count) || distance is < 1 or > HistogramBuckets.Count)
            {
                return false;
            }

            group += (int)distance;
            if (group << shift >= HistogramBuckets.Count)
            {
                return false;
            }

            buckets[Math.Min(HistogramBuckets.Count - 1, (group << shift) + (shift == 0 ? 0 : 1 << (shift - 1)))] = count;
        }

        histogram = new HistogramSnapshot(buckets, sum);
        return true;
    }

    private static bool TryWrite(HistogramSnapshot histogram, Span<byte> into, int shift)
    {
        var (at, last, pairs) = (2, -1, 0);
        if (!TryPut(into, ref at, histogram.Sum))
        {
            return false;
        }

        var buckets = histogram.Buckets;
        for (var group = 0; group << shift < buckets.Length; group++)
        {
            var count = 0L;
            foreach (var one in buckets[(group << shift)..Math.Min(buckets.Length, (group + 1) << shift)])
            {
                count += one;
            }

            if (count == 0)
            {
                continue;
            }

            if (!TryPut(into, ref at, group - last) || !TryPut(into, ref at, count))
            {
                return false;
            }

            (last, pairs) = (group, pairs + 1);
        }

        (into[0], into[1]) = ((byte)shift, (byte)pairs);
        return true;
    }

    private static bool TryPut(Span<byte> into, ref int at, long value)
    {
        var rest = (ulong)Math.Max(0, value);
        do
        {
            if (at == into.Length)
            {
                return false;
            }

            into[at++] = (byte)((rest & 0x7F) | (rest > 0x7F ? 0x80u : 0));
            rest >>= 7;
        }
        while (rest > 0);
        return true;
    }

    private static bool TryNumber(ReadOnlySpan<byte> from, ref int at, out long value)
    {
        value = 0;
        for (var shift = 0; shift < 63 && at < from.Length; shift += 7)
        {
            var digit = from[at++];
            value |= (long)(digit & 0x7F) << shift;
            if (digit < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
