using System.Runtime.InteropServices;

namespace Ashlar.Edge.Caching.Store;

/// <summary>
/// The bytes of a stored body, outside the garbage collector's heap so that they are bounded exactly and are given back at once. One
/// exchange writes it; any number, on any loop, read what is written so far. It lives as long as somebody has a lease on it.
/// </summary>
internal sealed unsafe class CacheBody
{
    private const int FirstSegment = 4 * 1024;
    private const int LargestSegment = 1024 * 1024;

    // In place of the number of leases while its bytes may move.
    private const int Trimming = -1;

    private readonly CacheMemory _memory;
    private Segment[] _segments = [];
    private int _count;
    private int _writing;
    private readonly long _expected;
    private long _length;
    private int _leases = 1;

    /// <summary>An empty body; whoever makes it holds the first lease.</summary>
    /// <param name="memory">What its bytes are taken from.</param>
    /// <param name="expected">Its length, if known; -1.</param>
    public CacheBody(CacheMemory memory, long expected)
    {
        _memory = memory;
        _expected = expected;
    }

    /// <summary>Bytes written so far.</summary>
    public long Length => Volatile.Read(ref _length);

    /// <summary>Another lease; false: it is gone already.</summary>
    public bool TryLease()
    {
        var leases = Volatile.Read(ref _leases);
        while (leases != 0)
        {
            if (leases == Trimming)
            {
                Thread.SpinWait(8);
                leases = Volatile.Read(ref _leases);
                continue;
            }

            var seen = Interlocked.CompareExchange(ref _leases, leases + 1, leases);
            if (seen == leases)
            {
                return true;
            }

            leases = seen;
        }

        return false;
    }

    /// <summary>Ends a lease; with the last one the bytes are given back.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _leases) > 0)
        {
            return;
        }

        for (var i = 0; i < _count; i++)
        {
            NativeMemory.Free(_segments[i].Data);
            _memory.GiveBack(_segments[i].Capacity);
        }

        (_segments, _count) = ([], 0);
    }

    /// <summary>Makes sure of room for so many bytes more. False: there is none.</summary>
    public bool TryReserve(int bytes)
    {
        while (_count == 0 || _segments[_count - 1].End - _length < bytes)
        {
            if (bytes == 0)
            {
                return true;
            }

            if (!TryGrow(bytes))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Writes behind what is there; the room was reserved.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var length = _length;
            while (length == _segments[_writing].End)
            {
                _writing++;
            }

            ref var segment = ref _segments[_writing];
            var take = (int)Math.Min(bytes.Length, segment.End - length);
            bytes[..take].CopyTo(new Span<byte>(segment.Data + (length - segment.Start), take));
            bytes = bytes[take..];
            Volatile.Write(ref _length, length + take);
        }
    }

    /// <summary>All is written: gives back what the last segment does not need, unless somebody else reads already.</summary>
    public void Complete()
    {
        if (_count == 0)
        {
            return;
        }

        ref var last = ref _segments[_count - 1];
        var needed = (int)Math.Max(1, _length - last.Start);
        if (last.Capacity - needed > Math.Max(64, needed / 8) && Interlocked.CompareExchange(ref _leases, Trimming, 1) == 1)
        {
            last.Data = (byte*)NativeMemory.Realloc(last.Data, (nuint)needed);
            _memory.GiveBack(last.Capacity - needed);
            last.Capacity = needed;
            Volatile.Write(ref _leases, 1);
        }
    }

    /// <summary>The bytes from a position on, as far as they lie in one piece and are written; at most <paramref name="most"/>.</summary>
    public ReadOnlySpan<byte> At(long position, long most)
    {
        var length = Length;
        if (position >= length)
        {
            return default;
        }

        var segments = Volatile.Read(ref _segments);
        var at = 0;
        while (position >= segments[at].End)
        {
            at++;
        }

        ref var segment = ref segments[at];
        var count = Math.Min(Math.Min(segment.End, length) - position, most);
        return new ReadOnlySpan<byte>(segment.Data + (position - segment.Start), (int)count);
    }

    private bool TryGrow(int wanted)
    {
        var start = _count == 0 ? 0 : _segments[_count - 1].End;
        var capacity = _expected >= 0
            ? (int)Math.Min(Math.Max(_expected - start, wanted), LargestSegment)
            : (int)Math.Min(LargestSegment, Math.Max(wanted, FirstSegment << Math.Min(2 * _count, 8)));
        if (!_memory.TryTake(capacity))
        {
            return false;
        }

        var next = _segments;
        if (_count == next.Length)
        {
            next = new Segment[Math.Max(1, _count * 2)];
            _segments.AsSpan(0, _count).CopyTo(next);
        }

        next[_count] = new Segment { Data = (byte*)NativeMemory.Alloc((nuint)capacity), Capacity = capacity, Start = start };
        Volatile.Write(ref _segments, next);
        _count++;
        return true;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Segment
    {
        public byte* Data;
        public int Capacity;
        public long Start;

        public readonly long End => Start + Capacity;
    }
}
