using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Monitoring;

/// <summary>
/// Reads metrics files of living and dead processes. It trusts nothing in them: a foreign, cut or damaged file gives a
/// problem to show, never an exception. It reads and does not map, because a mapped file that shrinks is a SIGBUS.
/// </summary>
public static class MetricsReader
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="snapshot">What it holds.</param>
    /// <param name="problem">Why it could not be read; null if it could.</param>
    public static bool TryRead(string path, [NotNullWhen(true)] out MetricsSnapshot? snapshot, [NotNullWhen(false)] out string? problem) =>
        TryRead(path, null, out snapshot, out problem);

    /// <summary>Reads a file again: what has not changed since is taken from what it held then.</summary>
    internal static bool TryRead(
        string path, MetricsSnapshot? before, [NotNullWhen(true)] out MetricsSnapshot? snapshot, [NotNullWhen(false)] out string? problem)
    {
        snapshot = null;
        try
        {
            using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            problem = Read(file, before, out snapshot);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            problem = e.Message;
        }

        return problem is null;
    }

    private static string? Read(SafeFileHandle file, MetricsSnapshot? before, out MetricsSnapshot? snapshot)
    {
        snapshot = null;
        Span<byte> header = stackalloc byte[MetricsLayout.UsedHeaderBytes];
        if (!Fill(file, header, 0) || !header.StartsWith(MetricsLayout.Magic))
        {
            return "It is not a metrics file.";
        }

        if (MetricsLayout.Int(header, 8) is var version and not MetricsLayout.Version)
        {
            return $"Its format is version {version}; this program reads version {MetricsLayout.Version}.";
        }

        var capacity = MetricsLayout.Int(header, MetricsLayout.SeriesCapacityAt);
        var count = MetricsLayout.Int(header, MetricsLayout.SeriesCountAt);
        var slots = MetricsLayout.Int(header, MetricsLayout.SlotsAt);
        var longs = MetricsLayout.Int(header, MetricsLayout.LongsPerSlotAt);
        var firstSlot = MetricsLayout.Long(header, MetricsLayout.FirstSlotAt);
        if (capacity is < 1 or > MetricsLayout.MaxSeries || count < 0 || count > capacity
            || slots is < 1 or > MetricsLayout.MaxSlots
            || longs is < MetricsLayout.SinkLongs or > MetricsLayout.MaxLongsPerSlot
            || firstSlot != MetricsLayout.FirstSlot(capacity)
            || RandomAccess.GetLength(file) < firstSlot + ((long)slots * longs * sizeof(long)))
        {
            return "Its header is damaged, or its end is missing.";
        }

        var same = before is not null && before.Table.IsOf(header) ? before : null;
        if ((same?.Table is { } known && known.Count == count ? known : ReadTable(file, header, count, longs)) is not { } table)
        {
            return "Its table of series is damaged.";
        }

        var sums = ArrayPool<long>.Shared.Rent(Math.Max(1, table.UsedLongs));
        try
        {
            if (!Sum(file, sums.AsSpan(0, table.UsedLongs), slots, longs, firstSlot))
            {
                return "Its end is missing.";
            }

            snapshot = new MetricsSnapshot(table, Series(table, sums, same));
            return null;
        }
        finally
        {
            ArrayPool<long>.Shared.Return(sums);
        }
    }

    private static SeriesTable? ReadTable(SafeFileHandle file, ReadOnlySpan<byte> header, int count, int longs)
    {
        var table = new byte[count * MetricsLayout.SeriesBytes];
        return Fill(file, table, MetricsLayout.HeaderBytes) ? SeriesTable.Parse(header, table, longs) : null;
    }

    // Only the part of a slot that series use is read: the rest of a slot is a hole in the file.
    private static bool Sum(SafeFileHandle file, Span<long> sums, int slots, int longs, long firstSlot)
    {
        sums.Clear();
        var room = ArrayPool<byte>.Shared.Rent(Math.Max(1, sums.Length * sizeof(long)));
        try
        {
            var slot = room.AsSpan(0, sums.Length * sizeof(long));
            for (var i = 0; i < slots; i++)
            {
                if (!Fill(file, slot, firstSlot + ((long)i * longs * sizeof(long))))
                {
                    return false;
                }

                var values = MemoryMarshal.Cast<byte, long>(slot);
                for (var at = 0; at < sums.Length; at++)
                {
                    sums[at] = unchecked(sums[at] + values[at]);
                }
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(room);
        }
    }

    // A series that has not moved is the very object that it was, so that whoever compares sees it at once.
    private static ImmutableArray<MetricsSeries> Series(SeriesTable table, long[] values, MetricsSnapshot? before)
    {
        var series = ImmutableArray.CreateBuilder<MetricsSeries>(table.Count);
        for (var i = 0; i < table.Count; i++)
        {
            var entry = table[i];
            var was = before is not null && i < before.Series.Length ? before.Series[i] : null;
            if (entry.Kind != SeriesKind.Histogram)
            {
                var value = values[entry.Index];
                series.Add(was is not null && was.Value == value ? was : new MetricsSeries(entry.Name, entry.Subject, entry.Kind, value, null));
                continue;
            }

            var buckets = values.AsSpan(entry.Index, HistogramBuckets.Count);
            var sum = values[entry.Index + HistogramBuckets.Count];
            if (was?.Histogram is { } histogram && histogram.Sum == sum && histogram.Buckets.SequenceEqual(buckets))
            {
                series.Add(was);
                continue;
            }

            histogram = new HistogramSnapshot(buckets.ToArray(), sum);
            series.Add(new MetricsSeries(entry.Name, entry.Subject, entry.Kind, histogram.Count, histogram));
        }

        return series.MoveToImmutable();
    }

    private static bool Fill(SafeFileHandle file, Span<byte> into, long offset)
    {
        while (into.Length > 0)
        {
            var read = RandomAccess.Read(file, into, offset);
            if (read == 0)
            {
                return false;
            }

            into = into[read..];
            offset += read;
        }

        return true;
    }
}
