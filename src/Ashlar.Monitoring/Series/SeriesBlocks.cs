using System.Buffers.Binary;

namespace Ashlar.Monitoring;

/// <summary>
/// The records of series in their blocks: a ring of seconds, and a ring of ten seconds that is made of the first whenever a series
/// leaves such a step. Numbers are written ten seconds at once, because most of the cost of a write is the call: a writer that is
/// killed loses these, and nothing else.
/// </summary>
internal sealed class SeriesBlocks(SeriesFiles files)
{
    public const int Hour = 3600;
    private const int Page = 4096;
    private const int Ten = 10;

    private static readonly Ring ValueSeconds = new(8, Hour, 1), ValueTens = new(16, 24 * Hour / Ten, Ten);
    private static readonly Ring HistogramSeconds = new(128, Hour, 1), HistogramTens = new(160, 24 * Hour / Ten, Ten);

    /// <summary>Bytes of a series of numbers: 164 KiB.</summary>
    public static long ValueBytes { get; } = Pages(ValueSeconds.Bytes + ValueTens.Bytes);

    /// <summary>Bytes of a histogram: 1800 KiB.</summary>
    public static long HistogramBytes { get; } = Pages(HistogramSeconds.Bytes + HistogramTens.Bytes);

    /// <summary>Takes a value; it is written with the others of its ten seconds, or when it is asked for.</summary>
    /// <exception cref="IOException">The disk is full.</exception>
    public void Write(SeriesEntry entry, long time, double value)
    {
        RollUp(entry, time);
        entry.Pending ??= new PendingTen();
        entry.Pending.Begin = ValueTens.Begin(time);
        entry.Pending.Put((int)(time - entry.Pending.Begin), (float)value);
        entry.Last = time;
    }

    /// <summary>Writes what was taken and not yet written.</summary>
    /// <exception cref="IOException">The disk is full.</exception>
    public void Flush(SeriesEntry entry)
    {
        if (entry.Pending is not { } pending)
        {
            return;
        }

        Span<byte> records = stackalloc byte[PendingTen.Seconds * ValueSeconds.RecordBytes];
        Span<byte> payload = stackalloc byte[4];
        while (pending.TakeRun(out var first, out var values))
        {
            for (var i = 0; i < values.Length; i++)
            {
                BinaryPrimitives.WriteSingleLittleEndian(payload, values[i]);
                ValueSeconds.Compose(records[(i * ValueSeconds.RecordBytes)..], entry.Seed, pending.Begin + first + i, payload);
            }

            ValueSeconds.Write(files.Values, Start(entry), pending.Begin + first, records[..(values.Length * ValueSeconds.RecordBytes)]);
        }
    }

    /// <exception cref="IOException">The disk is full.</exception>
    public void Write(SeriesEntry entry, long time, HistogramSnapshot histogram)
    {
        RollUp(entry, time);
        if (entry.Last == time)
        {
            foreach (var already in Histograms(entry, time, time + 1, tens: false))
            {
                histogram = histogram.Plus(already.Histogram);
            }
        }

        WriteDigest(HistogramSeconds, entry, 0, time, histogram);
        entry.Last = time;
    }

    /// <summary>Points of the seconds or tens in a span that are written, oldest first.</summary>
    public List<(long Time, SeriesPoint Point)> Values(SeriesEntry entry, long from, long to, bool tens)
    {
        List<(long, SeriesPoint)> found = [];
        if (tens)
        {
            ValueTens.Read(files.Values, Start(entry) + ValueSeconds.Bytes, entry.Seed, from, to, (time, payload) =>
                found.Add((time, Point(time, Single(payload), Single(payload[4..]), Single(payload[8..])))));
        }
        else
        {
            ValueSeconds.Read(files.Values, Start(entry), entry.Seed, from, to, (time, payload) =>
                found.Add((time, Point(time, Single(payload), Single(payload), Single(payload)))));
        }

        return found;
    }

    /// <summary>Histograms of the seconds or tens in a span, oldest first.</summary>
    public List<(long Time, HistogramSnapshot Histogram)> Histograms(SeriesEntry entry, long from, long to, bool tens)
    {
        List<(long, HistogramSnapshot)> found = [];
        var (ring, start) = tens ? (HistogramTens, Start(entry) + HistogramSeconds.Bytes) : (HistogramSeconds, Start(entry));
        ring.Read(files.Histograms, start, entry.Seed, from, to, (time, payload) =>
        {
            if (HistogramDigest.TryRead(payload, out var histogram))
            {
                found.Add((time, histogram));
            }
        });
        return found;
    }

    // Called before each write: makes the tens of what lies behind.
    private void RollUp(SeriesEntry entry, long time)
    {
        var now = ValueTens.Begin(time);
        if (entry.Last is { } last)
        {
            if (ValueTens.Begin(last) != now)
            {
                Flush(entry);
                RollUp(entry, ValueTens.Begin(last), ValueTens.Begin(last) + Ten, []);
            }

            return;
        }

        // The first write of this process: the one before it may have ended at any moment of the last hour.
        var from = ValueTens.Begin(time - Hour + Ten);
        var there = entry.IsHistogram
            ? Histograms(entry, from, now, tens: true).Select(found => found.Time).ToHashSet()
            : Values(entry, from, now, tens: true).Select(found => found.Time).ToHashSet();
        RollUp(entry, from, now, there);
    }

    private void RollUp(SeriesEntry entry, long from, long to, HashSet<long> there)
    {
        if (entry.IsHistogram)
        {
            foreach (var step in Histograms(entry, from, to, tens: false).GroupBy(second => HistogramTens.Begin(second.Time)).Where(step => !there.Contains(step.Key)))
            {
                WriteDigest(HistogramTens, entry, HistogramSeconds.Bytes, step.Key, step.Select(second => second.Histogram).Aggregate((a, b) => a.Plus(b)));
            }

            return;
        }

        Span<byte> payload = stackalloc byte[12];
        foreach (var step in Values(entry, from, to, tens: false).GroupBy(second => ValueTens.Begin(second.Time)).Where(step => !there.Contains(step.Key)))
        {
            BinaryPrimitives.WriteSingleLittleEndian(payload, (float)step.Min(second => second.Point.Min));
            BinaryPrimitives.WriteSingleLittleEndian(payload[4..], (float)step.Average(second => second.Point.Average));
            BinaryPrimitives.WriteSingleLittleEndian(payload[8..], (float)step.Max(second => second.Point.Max));
            ValueTens.Write(files.Values, Start(entry) + ValueSeconds.Bytes, entry.Seed, step.Key, payload);
        }
    }

    private void WriteDigest(Ring ring, SeriesEntry entry, long at, long time, HistogramSnapshot histogram)
    {
        Span<byte> payload = stackalloc byte[ring.PayloadBytes];
        HistogramDigest.Write(histogram, payload);
        ring.Write(files.Histograms, Start(entry) + at, entry.Seed, time, payload);
    }

    private static long Start(SeriesEntry entry) => entry.Place * (entry.IsHistogram ? HistogramBytes : ValueBytes);

    private static SeriesPoint Point(long time, float min, float average, float max) => new(DateTimeOffset.FromUnixTimeSeconds(time), min, average, max);

    private static float Single(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadSingleLittleEndian(bytes);

    private static long Pages(long bytes) => (bytes + Page - 1) / Page * Page;
}
