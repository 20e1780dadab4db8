using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Monitoring;

/// <summary>
/// Which series has which block: a header of 64 bytes, then an entry of 256 bytes for each block of numbers and of histograms. Each
/// entry carries a checksum; one that is damaged is free.
/// </summary>
internal sealed class SeriesIndex(SafeFileHandle file, int values, int histograms)
{
    public const int HeaderBytes = 64;
    private const int EntryBytes = 256;
    private const int TextAt = 32;
    private const int MostText = EntryBytes - TextAt;
    private const int Version = 1;
    private static readonly byte[] Magic = "ASHSERI1"u8.ToArray();
    private readonly Dictionary<(SeriesKey, bool), SeriesEntry> _entries = [];
    private readonly SeriesEntry?[] _blocks = new SeriesEntry?[values + histograms];

    public IReadOnlyCollection<SeriesEntry> All => _entries.Values;

    public SeriesEntry? Find(SeriesKey key, bool isHistogram) => _entries.GetValueOrDefault((key, isHistogram));

    /// <summary>Reads it anew.</summary>
    /// <param name="note">What was wrong with it, or null.</param>
    public void Load(out string? note)
    {
        _entries.Clear();
        Array.Clear(_blocks);
        note = null;
        var bytes = new byte[HeaderBytes + (_blocks.Length * EntryBytes)];
        var length = Read(bytes);
        if (length == 0)
        {
            return;
        }

        if (!bytes.AsSpan(0, HeaderBytes).SequenceEqual(Header()))
        {
            note = "The index of the series is damaged, or of another size or version: they begin anew.";
            return;
        }

        var damaged = 0;
        for (var block = 0; block < _blocks.Length; block++)
        {
            var raw = bytes.AsSpan(HeaderBytes + (block * EntryBytes), EntryBytes);
            if (!raw.ContainsAnyExcept((byte)0))
            {
                continue;
            }

            if (Parse(raw, block) is { } entry && _entries.TryAdd((entry.Key, entry.IsHistogram), entry))
            {
                _blocks[block] = entry;
            }
            else
            {
                damaged++;
            }
        }

        note = damaged == 0 ? null : $"{damaged} entries of the index of series are damaged: these series begin anew.";
    }

    /// <summary>Writes an empty one if there is none that fits.</summary>
    public void Begin()
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (RandomAccess.Read(file, header, 0) != HeaderBytes || !header.SequenceEqual(Header()))
        {
            RandomAccess.SetLength(file, 0);
            RandomAccess.Write(file, Header(), 0);
        }
    }

    /// <summary>Gives a series a block: a free one, else that of the series not written for longest.</summary>
    /// <param name="key">The series.</param>
    /// <param name="isHistogram">Its kind.</param>
    /// <param name="now">Unix seconds.</param>
    /// <param name="idle">Seconds that a series must not have been written to make room.</param>
    /// <returns>Null: there is no room, or its name is too long.</returns>
    public SeriesEntry? Add(SeriesKey key, bool isHistogram, long now, int idle)
    {
        if (Encoding.UTF8.GetByteCount(key.Service) + Encoding.UTF8.GetByteCount(key.Instance) + Encoding.UTF8.GetByteCount(key.Metric) > MostText)
        {
            return null;
        }

        var (first, end) = isHistogram ? (values, values + histograms) : (0, values);
        var block = Array.IndexOf(_blocks, null, first, end - first);
        if (block < 0)
        {
            // A clock that was ahead must not make series immortal.
            long Idle(SeriesEntry entry) => entry.Used > now + idle ? long.MaxValue : now - entry.Used;
            var oldest = _blocks.AsSpan(first, end - first).ToArray().OfType<SeriesEntry>().MaxBy(Idle);
            if (oldest is null || Idle(oldest) < idle)
            {
                return null;
            }

            _entries.Remove((oldest.Key, isHistogram));
            block = oldest.Block;
        }

        var entry = new SeriesEntry(key, isHistogram, block, (uint)Random.Shared.NextInt64(1, uint.MaxValue)) { Place = block - first, Used = now };
        Write(entry);
        _blocks[block] = entry;
        _entries[(key, isHistogram)] = entry;
        return entry;
    }

    /// <summary>Writes an entry, with the time at which it was last used.</summary>
    public void Write(SeriesEntry entry)
    {
        Span<byte> raw = stackalloc byte[EntryBytes];
        raw.Clear();
        raw[4] = entry.IsHistogram ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32LittleEndian(raw[8..], entry.Seed);
        BinaryPrimitives.WriteInt64LittleEndian(raw[16..], entry.Used);
        var at = TextAt;
        var lengthAt = 24;
        foreach (var text in new[] { entry.Key.Service, entry.Key.Instance, entry.Key.Metric })
        {
            var length = Encoding.UTF8.GetBytes(text, raw[at..]);
            BinaryPrimitives.WriteUInt16LittleEndian(raw[lengthAt..], (ushort)length);
            (at, lengthAt) = (at + length, lengthAt + 2);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(raw, Sum(raw[4..]));
        RandomAccess.Write(file, raw, HeaderBytes + ((long)entry.Block * EntryBytes));
        entry.Saved = entry.Used;
    }

    private SeriesEntry? Parse(ReadOnlySpan<byte> raw, int block)
    {
        int service = BinaryPrimitives.ReadUInt16LittleEndian(raw[24..]), instance = BinaryPrimitives.ReadUInt16LittleEndian(raw[26..]);
        int metric = BinaryPrimitives.ReadUInt16LittleEndian(raw[28..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(raw) != Sum(raw[4..]) || raw[4] == 1 != block >= values || service + instance + metric > MostText)
        {
            return null;
        }

        var text = raw[TextAt..];
        var key = new SeriesKey(
            Encoding.UTF8.GetString(text[..service]), Encoding.UTF8.GetString(text.Slice(service, instance)), Encoding.UTF8.GetString(text.Slice(service + instance, metric)));
        var used = BinaryPrimitives.ReadInt64LittleEndian(raw[16..]);
        return new SeriesEntry(key, raw[4] == 1, block, BinaryPrimitives.ReadUInt32LittleEndian(raw[8..]))
        {
            Place = block >= values ? block - values : block,
            Used = used,
            Saved = used,
        };
    }

    private int Read(byte[] bytes)
    {
        try
        {
            var length = 0;
            while (length < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(length), length) is > 0 and var read)
            {
                length += read;
            }

            return length;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private byte[] Header()
    {
        var header = new byte[HeaderBytes];
        Magic.CopyTo(header, 0);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(12), values);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(16), histograms);
        return header;
    }

    // FNV-1a.
    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        var hash = 2166136261u;
        foreach (var one in bytes)
        {
            hash = (hash ^ one) * 16777619;
        }

        return hash;
    }
}

/// <summary>A series and its block.</summary>
internal sealed class SeriesEntry(SeriesKey key, bool isHistogram, int block, uint seed)
{
    public SeriesKey Key => key;

    public bool IsHistogram => isHistogram;

    public int Block => block;

    /// <summary>Its block within the file of its kind.</summary>
    public required int Place { get; init; }

    /// <summary>Made up for each use of a block: what others left in it is not taken for its own.</summary>
    public uint Seed => seed;

    /// <summary>Unix seconds of its last record.</summary>
    public long Used { get; set; }

    /// <summary><see cref="Used"/> as the index on disk has it.</summary>
    public long Saved { get; set; }

    /// <summary>Time of the last record that this process wrote; null: none yet.</summary>
    public long? Last { get; set; }

    /// <summary>What is not yet written of a series of numbers.</summary>
    public PendingTen? Pending { get; set; }
}
