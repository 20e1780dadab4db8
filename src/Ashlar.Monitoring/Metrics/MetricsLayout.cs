using System.Buffers.Binary;

namespace Ashlar.Monitoring;

/// <summary>
/// Where things lie in a metrics file. A page of header, the table of series, then one value area per slot:
/// <code>
/// 0    magic "ASHMETR1"      20  slots             48  process start (ticks since boot)
/// 8    version               24  created (unix ms) 56  offset of the first slot
/// 12   series capacity       32  longs per slot    64  boot id, 36 ASCII bytes
/// 16   pid                   40  series count      4096 + 256 n: kind, index, name length, subject length, name, subject
/// </code>
/// Numbers are little-endian; counts are 32 bit, times and values 64 bit.
/// </summary>
internal static class MetricsLayout
{
    public const int Version = 1;
    public const int HeaderBytes = 4096;
    public const int SeriesBytes = 256;
    public const int SeriesTextAt = 16;
    public const int MaxText = SeriesBytes - SeriesTextAt;
    public const int MaxSeries = 65_536;
    public const int MaxSlots = 1024;
    public const int MaxLongsPerSlot = 1 << 24;
    public const int PageLongs = 512;

    // Every slot begins with room that no series owns: what could not be registered is added up here and read by nobody.
    public const int SinkLongs = PageLongs;

    public const int SeriesCapacityAt = 12;
    public const int PidAt = 16;
    public const int SlotsAt = 20;
    public const int CreatedAt = 24;
    public const int LongsPerSlotAt = 32;
    public const int SeriesCountAt = 40;
    public const int ProcessStartAt = 48;
    public const int FirstSlotAt = 56;
    public const int BootIdAt = 64;
    public const int BootIdBytes = 36;
    public const int UsedHeaderBytes = BootIdAt + BootIdBytes;

    public static ReadOnlySpan<byte> Magic => "ASHMETR1"u8;

    public static long FirstSlot(int seriesCapacity) => HeaderBytes + ((long)seriesCapacity * SeriesBytes);

    public static int Int(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]);

    public static long Long(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

    public static int LongsOf(SeriesKind kind) => kind == SeriesKind.Histogram ? HistogramBuckets.Longs : 1;
}
