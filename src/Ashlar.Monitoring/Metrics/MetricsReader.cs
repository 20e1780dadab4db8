using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
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
    public static bool TryRead(string path, [NotNullWhen(true)] out MetricsSnapshot? snapshot, [NotNullWhen(false)] out string? problem)
    {
        snapshot = null;
        try
        {
            using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            problem = Read(file, out snapshot);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            problem = e.Message;
        }

        return problem is null;
    }

    private static string? Read(SafeFileHandle file, out MetricsSnapshot? snapshot)
    {
        snapshot = null;
        var header = new byte[MetricsLayout.HeaderBytes];
        if (!Fill(file, header, 0) || !header.AsSpan().StartsWith(MetricsLayout.Magic))
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

        var table = new byte[count * MetricsLayout.SeriesBytes];
        if (!Fill(file, table, MetricsLayout.HeaderBytes) || Entries(table, longs) is not { } entries)
        {
            return "Its table of series is damaged.";
        }

        if (Sum(file, entries, slots, longs, firstSlot) is not { } values)
        {
            return "Its end is missing.";
        }

        snapshot = new MetricsSnapshot(
            new ProcessMark(
                MetricsLayout.Int(header, MetricsLayout.PidAt),
                MetricsLayout.Long(header, MetricsLayout.ProcessStartAt),
                Encoding.ASCII.GetString(header, MetricsLayout.BootIdAt, MetricsLayout.BootIdBytes).TrimEnd('\0')),
            DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(MetricsLayout.Long(header, MetricsLayout.CreatedAt), 0, 253402300799999)),
            [.. entries.Select(entry => Series(entry, values))]);
        return null;
    }

    private static List<Entry>? Entries(byte[] table, int longs)
    {
        List<Entry> entries = [];
        for (var at = 0; at < table.Length; at += MetricsLayout.SeriesBytes)
        {
            var kind = (SeriesKind)MetricsLayout.Int(table, at);
            var index = MetricsLayout.Int(table, at + 4);
            var name = MetricsLayout.Int(table, at + 8);
            var subject = MetricsLayout.Int(table, at + 12);
            if (!Enum.IsDefined(kind)
                || index < MetricsLayout.SinkLongs || index > longs - MetricsLayout.LongsOf(kind)
                || name is < 1 or > MetricsLayout.MaxText || subject < 0 || subject > MetricsLayout.MaxText - name)
            {
                return null;
            }

            var text = at + MetricsLayout.SeriesTextAt;
            entries.Add(new Entry(kind, index, Encoding.UTF8.GetString(table, text, name), Encoding.UTF8.GetString(table, text + name, subject)));
        }

        return entries;
    }

    // Only the part of a slot that series use is read: the rest of a slot is a hole in the file.
    private static long[]? Sum(SafeFileHandle file, List<Entry> entries, int slots, int longs, long firstSlot)
    {
        var used = entries.Count == 0 ? 0 : entries.Max(entry => entry.Index + MetricsLayout.LongsOf(entry.Kind));
        var sums = new long[used];
        var slot = new byte[used * sizeof(long)];
        for (var i = 0; i < slots; i++)
        {
            if (!Fill(file, slot, firstSlot + ((long)i * longs * sizeof(long))))
            {
                return null;
            }

            var values = MemoryMarshal.Cast<byte, long>(slot);
            for (var at = 0; at < used; at++)
            {
                sums[at] = unchecked(sums[at] + values[at]);
            }
        }

        return sums;
    }

    private static MetricsSeries Series(Entry entry, long[] values)
    {
        if (entry.Kind != SeriesKind.Histogram)
        {
            return new MetricsSeries(entry.Name, entry.Subject, entry.Kind, values[entry.Index], null);
        }

        var histogram = new HistogramSnapshot(
            values[entry.Index..(entry.Index + HistogramBuckets.Count)], values[entry.Index + HistogramBuckets.Count]);
        return new MetricsSeries(entry.Name, entry.Subject, entry.Kind, histogram.Count, histogram);
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

    private readonly record struct Entry(SeriesKind Kind, int Index, string Name, string Subject);
}
