using System.Text;

namespace Ashlar.Monitoring;

/// <summary>Which series a metrics file has and where their values lie; the same for every reading of it until one is registered.</summary>
internal sealed class SeriesTable
{
    private readonly Entry[] _entries;
    private readonly Dictionary<(string, string), int> _byName;
    private readonly byte[] _header;

    private SeriesTable(Entry[] entries, ReadOnlySpan<byte> header)
    {
        _entries = entries;
        _header = header.ToArray();
        _byName = new Dictionary<(string, string), int>(entries.Length);
        for (var i = 0; i < entries.Length; i++)
        {
            _byName.TryAdd((entries[i].Name, entries[i].Subject), i);
            UsedLongs = Math.Max(UsedLongs, entries[i].Index + MetricsLayout.LongsOf(entries[i].Kind));
        }

        Writer = new ProcessMark(
            MetricsLayout.Int(header, MetricsLayout.PidAt),
            MetricsLayout.Long(header, MetricsLayout.ProcessStartAt),
            Encoding.ASCII.GetString(header.Slice(MetricsLayout.BootIdAt, MetricsLayout.BootIdBytes)).TrimEnd('\0'));
        Created = DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(MetricsLayout.Long(header, MetricsLayout.CreatedAt), 0, 253402300799999));
    }

    /// <summary>Who writes the file.</summary>
    public ProcessMark Writer { get; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset Created { get; }

    /// <summary>Number of series.</summary>
    public int Count => _entries.Length;

    /// <summary>Values of a slot that series use, from its begin.</summary>
    public int UsedLongs { get; }

    /// <summary>A series in the order in which they were registered.</summary>
    public Entry this[int index] => _entries[index];

    /// <summary>Place of a series; -1: there is none.</summary>
    public int Find(string name, string subject) => _byName.TryGetValue((name, subject), out var index) ? index : -1;

    /// <summary>True: a header is that of this very file, though it may have more series by now.</summary>
    public bool IsOf(ReadOnlySpan<byte> header) =>
        header[..MetricsLayout.SeriesCountAt].SequenceEqual(_header.AsSpan(0, MetricsLayout.SeriesCountAt))
        && header[MetricsLayout.ProcessStartAt..].SequenceEqual(_header.AsSpan(MetricsLayout.ProcessStartAt));

    /// <summary>Null: it is damaged.</summary>
    public static SeriesTable? Parse(ReadOnlySpan<byte> header, ReadOnlySpan<byte> table, int longs)
    {
        var entries = new Entry[table.Length / MetricsLayout.SeriesBytes];
        for (var i = 0; i < entries.Length; i++)
        {
            var raw = table.Slice(i * MetricsLayout.SeriesBytes, MetricsLayout.SeriesBytes);
            var kind = (SeriesKind)MetricsLayout.Int(raw, 0);
            var index = MetricsLayout.Int(raw, 4);
            var name = MetricsLayout.Int(raw, 8);
            var subject = MetricsLayout.Int(raw, 12);
            if (!Enum.IsDefined(kind)
                || index < MetricsLayout.SinkLongs || index > longs - MetricsLayout.LongsOf(kind)
                || name is < 1 or > MetricsLayout.MaxText || subject < 0 || subject > MetricsLayout.MaxText - name)
            {
                return null;
            }

            var text = raw[MetricsLayout.SeriesTextAt..];
            entries[i] = new Entry(kind, index, Encoding.UTF8.GetString(text[..name]), Encoding.UTF8.GetString(text.Slice(name, subject)));
        }

        return new SeriesTable(entries, header);
    }

    /// <summary>A series.</summary>
    internal readonly record struct Entry(SeriesKind Kind, int Index, string Name, string Subject);
}
