using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Monitoring;

/// <summary>
/// The metrics of one process in a memory-mapped file: named series, a slot per writing thread, no system call and no
/// interlocked operation to add. It outlives its process; <see cref="MetricsReader"/> reads it at any time.
/// </summary>
public sealed unsafe class MetricsFile : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SafeFileHandle? _file;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private readonly MetricsSlot[] _slots;
    private readonly int _seriesCapacity;
    private readonly int _longsPerSlot;
    private readonly Dictionary<(string Name, string Subject), (SeriesKind Kind, int Index)> _series = [];
    private int _usedLongs = MetricsLayout.SinkLongs;
    private int _allocatedLongs;

    private MetricsFile(SafeFileHandle? file, MemoryMappedFile map, int slots, int seriesCapacity, int longsPerSlot)
    {
        _file = file;
        _map = map;
        _seriesCapacity = seriesCapacity;
        _longsPerSlot = longsPerSlot;
        _view = map.CreateViewAccessor();
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _slots = new MetricsSlot[slots];
        for (var i = 0; i < slots; i++)
        {
            _slots[i] = new MetricsSlot(this, (long*)(_start + SlotOffset(i)));
        }
    }

    /// <summary>Number of slots.</summary>
    public int Slots => _slots.Length;

    /// <summary>Series that were not registered because the file or the disk is full; what is added to them is lost.</summary>
    public int Refused { get; private set; }

    /// <summary>Makes the file anew and puts it in place by a rename, so that no reader sees half of it.</summary>
    /// <param name="path">Its path; the folder exists.</param>
    /// <param name="slots">Threads that write, 1 to 1024.</param>
    /// <param name="seriesCapacity">Series it can hold, up to 65536.</param>
    /// <param name="longsPerSlot">Values a slot can hold: 1 for a counter or gauge, 241 for a histogram. The file is sparse: only used pages take space.</param>
    /// <exception cref="IOException">The file cannot be written (no space, no folder).</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static MetricsFile Create(string path, int slots, int seriesCapacity = 16_384, int longsPerSlot = 1 << 19)
    {
        Check(slots, seriesCapacity, longsPerSlot);
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        // The folder may belong to a less privileged user than ours: a link that waits there under this name must not be followed.
        File.Delete(temporary);
        var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        MetricsFile? metrics = null;
        try
        {
            RandomAccess.SetLength(file, Size(slots, seriesCapacity, longsPerSlot));
            RandomAccess.Write(file, Header(slots, seriesCapacity, longsPerSlot), 0);
            metrics = new MetricsFile(file, Map(file), slots, seriesCapacity, longsPerSlot);
            metrics.Allocate(MetricsLayout.SinkLongs);
            File.Move(temporary, path, overwrite: true);
            return metrics;
        }
        catch
        {
            metrics?.Dispose();
            file.Dispose();
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Metrics that nobody reads: where there is no place for a file.</summary>
    public static MetricsFile InMemory(int slots, int seriesCapacity = 16_384, int longsPerSlot = 1 << 19)
    {
        Check(slots, seriesCapacity, longsPerSlot);
        var map = MemoryMappedFile.CreateNew(null, Size(slots, seriesCapacity, longsPerSlot));
        return new MetricsFile(null, map, slots, seriesCapacity, longsPerSlot);
    }

    /// <summary>The slot of one writing thread.</summary>
    public MetricsSlot Slot(int index) => _slots[index];

    /// <summary>Registers a counter, or finds it again.</summary>
    /// <param name="name">Its name, e.g. <c>requests_2xx</c>.</param>
    /// <param name="subject">What it is about, e.g. a service; name and subject have 240 UTF-8 bytes together.</param>
    public Counter Counter(string name, string subject = "") => new(Register(SeriesKind.Counter, name, subject));

    /// <summary>Registers a gauge, or finds it again.</summary>
    public Gauge Gauge(string name, string subject = "") => new(Register(SeriesKind.Gauge, name, subject));

    /// <summary>Registers a histogram, or finds it again.</summary>
    public Histogram Histogram(string name, string subject = "") => new(Register(SeriesKind.Histogram, name, subject));

    /// <summary>Unmaps the file and leaves it where it is. No slot may be used any more.</summary>
    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
        _file?.Dispose();
    }

    private int Register(SeriesKind kind, string name, string subject)
    {
        lock (_gate)
        {
            if (_series.TryGetValue((name, subject), out var known))
            {
                return known.Kind == kind ? known.Index : throw new ArgumentException($"The series {name} of {subject} is a {known.Kind}.", nameof(kind));
            }

            var longs = MetricsLayout.LongsOf(kind);
            var nameBytes = Encoding.UTF8.GetBytes(name);
            var subjectBytes = Encoding.UTF8.GetBytes(subject);
            if (_series.Count == _seriesCapacity
                || _usedLongs + longs > _longsPerSlot
                || nameBytes.Length + subjectBytes.Length > MetricsLayout.MaxText
                || !TryAllocate(_usedLongs + longs))
            {
                Refused++;
                return 0;
            }

            var entry = new byte[MetricsLayout.SeriesBytes];
            BinaryPrimitives.WriteInt32LittleEndian(entry, (int)kind);
            BinaryPrimitives.WriteInt32LittleEndian(entry.AsSpan(4), _usedLongs);
            BinaryPrimitives.WriteInt32LittleEndian(entry.AsSpan(8), nameBytes.Length);
            BinaryPrimitives.WriteInt32LittleEndian(entry.AsSpan(12), subjectBytes.Length);
            nameBytes.CopyTo(entry, MetricsLayout.SeriesTextAt);
            subjectBytes.CopyTo(entry, MetricsLayout.SeriesTextAt + nameBytes.Length);
            if (!TryWrite(entry, MetricsLayout.HeaderBytes + ((long)_series.Count * MetricsLayout.SeriesBytes)))
            {
                Refused++;
                return 0;
            }

            var index = _usedLongs;
            _usedLongs += longs;
            _series.Add((name, subject), (kind, index));
            Volatile.Write(ref *(int*)(_start + MetricsLayout.SeriesCountAt), _series.Count);
            return index;
        }
    }

    private bool TryAllocate(int longs)
    {
        try
        {
            Allocate(longs);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    // Touching a hole of a mapped file on a full disk is a SIGBUS, which nothing survives. Writing zeros through the file
    // first takes the space, or fails as an error that can be handled.
    private void Allocate(int longs)
    {
        var end = Math.Min(_longsPerSlot, (longs + MetricsLayout.PageLongs - 1) / MetricsLayout.PageLongs * MetricsLayout.PageLongs);
        if (_file is not null && end > _allocatedLongs)
        {
            var zeros = new byte[(end - _allocatedLongs) * sizeof(long)];
            for (var i = 0; i < _slots.Length; i++)
            {
                RandomAccess.Write(_file, zeros, SlotOffset(i) + ((long)_allocatedLongs * sizeof(long)));
            }

            _allocatedLongs = end;
        }
    }

    private bool TryWrite(byte[] bytes, long offset)
    {
        if (_file is null)
        {
            bytes.CopyTo(new Span<byte>(_start + offset, bytes.Length));
            return true;
        }

        try
        {
            RandomAccess.Write(_file, bytes, offset);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private long SlotOffset(int slot) => MetricsLayout.FirstSlot(_seriesCapacity) + ((long)slot * _longsPerSlot * sizeof(long));

    private static MemoryMappedFile Map(SafeFileHandle file) =>
        MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);

    private static long Size(int slots, int seriesCapacity, int longsPerSlot) =>
        MetricsLayout.FirstSlot(seriesCapacity) + ((long)slots * longsPerSlot * sizeof(long));

    private static void Check(int slots, int seriesCapacity, int longsPerSlot)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(slots, MetricsLayout.MaxSlots);
        ArgumentOutOfRangeException.ThrowIfLessThan(seriesCapacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(seriesCapacity, MetricsLayout.MaxSeries);
        ArgumentOutOfRangeException.ThrowIfLessThan(longsPerSlot, MetricsLayout.SinkLongs);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(longsPerSlot, MetricsLayout.MaxLongsPerSlot);
    }

    private static byte[] Header(int slots, int seriesCapacity, int longsPerSlot)
    {
        var header = new byte[MetricsLayout.HeaderBytes];
        var self = ProcessMark.Self();
        MetricsLayout.Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), MetricsLayout.Version);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(MetricsLayout.SeriesCapacityAt), seriesCapacity);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(MetricsLayout.PidAt), self.Pid);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(MetricsLayout.SlotsAt), slots);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(MetricsLayout.CreatedAt), DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(MetricsLayout.LongsPerSlotAt), longsPerSlot);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(MetricsLayout.ProcessStartAt), self.StartTime);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(MetricsLayout.FirstSlotAt), MetricsLayout.FirstSlot(seriesCapacity));
        Encoding.ASCII.GetBytes(self.BootId.AsSpan(0, Math.Min(self.BootId.Length, MetricsLayout.BootIdBytes)), header.AsSpan(MetricsLayout.BootIdAt));
        return header;
    }
}
