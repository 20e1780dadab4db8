using System.Runtime.CompilerServices;

namespace Ashlar.Http.Transport;

/// <summary>
/// A contiguous, pinned buffer of a <see cref="BufferPool"/>: bytes between <see cref="Start"/> and <see cref="End"/> are
/// filled, those after <see cref="End"/> are free. Used on one loop only.
/// </summary>
public sealed unsafe class PooledBuffer
{
    private readonly byte[] _array;
    private readonly byte* _pointer;

    internal PooledBuffer(int capacity)
    {
        _array = GC.AllocateUninitializedArray<byte>(capacity, pinned: true);
        _pointer = (byte*)Unsafe.AsPointer(ref _array[0]);
    }

    /// <summary>Bytes it holds at most.</summary>
    public int Capacity => _array.Length;

    /// <summary>Offset of the first filled byte.</summary>
    public int Start { get; set; }

    /// <summary>Offset behind the last filled byte.</summary>
    public int End { get; set; }

    /// <summary>Number of filled bytes.</summary>
    public int Length => End - Start;

    /// <summary>The filled bytes.</summary>
    public Span<byte> Data => new(_pointer + Start, End - Start);

    /// <summary>The free bytes behind the filled ones.</summary>
    public Span<byte> Free => new(_pointer + End, _array.Length - End);

    /// <summary>The bytes at <paramref name="start"/>, whether filled or not.</summary>
    public Span<byte> Slice(int start, int length) => _array.AsSpan(start, length);

    /// <summary>Copies <paramref name="bytes"/> behind the filled ones; there must be room.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Free);
        End += bytes.Length;
    }

    /// <summary>Empties it.</summary>
    public void Clear() => Start = End = 0;

    /// <summary>Moves the filled bytes to the front.</summary>
    public void Compact()
    {
        if (Start > 0)
        {
            Data.CopyTo(_array);
            End -= Start;
            Start = 0;
        }
    }
}
