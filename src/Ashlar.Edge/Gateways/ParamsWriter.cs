using System.Buffers.Binary;

namespace Ashlar.Edge.Gateways;

/// <summary>Writes name-value pairs (FastCGI 1.0, section 3.4) one behind the other, as far as there is room.</summary>
internal ref struct ParamsWriter(Span<byte> destination)
{
    private const int MaxLengthBytes = 8;

    private readonly Span<byte> _destination = destination;

    // Where the lengths of the open pair and where its value begin.
    private int _pair;
    private int _value;

    /// <summary>Bytes written.</summary>
    public int Written { get; private set; }

    /// <summary>True: something did not fit, and what is written is of no use.</summary>
    public bool IsFull { get; private set; }

    /// <summary>Writes a pair.</summary>
    public void Add(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        Begin();
        Append(name);
        BeginValue();
        Append(value);
        End();
    }

    /// <summary>Begins a pair that is put together by <see cref="Append(ReadOnlySpan{byte})"/>, the name first.</summary>
    public void Begin()
    {
        _pair = Written;
        Written += MaxLengthBytes;
        IsFull |= Written > _destination.Length;
    }

    /// <summary>The name of the open pair is complete, its value follows.</summary>
    public void BeginValue() => _value = Written;

    /// <summary>Appends to the name or the value of the open pair.</summary>
    public void Append(scoped ReadOnlySpan<byte> bytes)
    {
        IsFull |= bytes.Length > _destination.Length - Written;
        if (!IsFull)
        {
            bytes.CopyTo(_destination[Written..]);
            Written += bytes.Length;
        }
    }

    /// <summary>Appends a number in decimal.</summary>
    public void Append(long number)
    {
        Span<byte> text = stackalloc byte[20];
        number.TryFormat(text, out var length);
        Append(text[..length]);
    }

    /// <summary>Appends the name of a header field as CGI writes it (RFC 3875 section 4.1.18): <c>X-Real-IP</c> is <c>HTTP_X_REAL_IP</c>.</summary>
    public void AppendFieldName(scoped ReadOnlySpan<byte> field)
    {
        Append("HTTP_"u8);
        IsFull |= field.Length > _destination.Length - Written;
        if (IsFull)
        {
            return;
        }

        foreach (var b in field)
        {
            _destination[Written++] = b == '-' ? (byte)'_' : b is >= (byte)'a' and <= (byte)'z' ? (byte)(b & ~0x20) : b;
        }
    }

    /// <summary>The pair is complete.</summary>
    public void End()
    {
        if (IsFull)
        {
            return;
        }

        // The lengths stand before the text and have one byte or four each: they were given room for the most.
        var text = _destination[(_pair + MaxLengthBytes)..Written];
        var at = _pair;
        WriteLength(_value - _pair - MaxLengthBytes, ref at);
        WriteLength(Written - _value, ref at);
        text.CopyTo(_destination[at..]);
        Written = at + text.Length;
    }

    private readonly void WriteLength(int length, ref int at)
    {
        if (length < 128)
        {
            _destination[at++] = (byte)length;
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(_destination[at..], (uint)length | 0x8000_0000);
            at += 4;
        }
    }
}
