using System.Runtime.CompilerServices;

namespace Ashlar.Http.Wire;

/// <summary>Writes pieces of a head one behind the other into a span that is known to be large enough.</summary>
internal ref struct HeadBuilder(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    /// <summary>How much has been written.</summary>
    public int Written { get; private set; }

    /// <summary>Appends bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_destination[Written..]);
        Written += bytes.Length;
    }

    /// <summary>Appends one byte.</summary>
    public void Add(byte value) => _destination[Written++] = value;

    /// <summary>Appends a whole number in decimal.</summary>
    public void Add(long value)
    {
        value.TryFormat(_destination[Written..], out var length);
        Written += length;
    }
}
