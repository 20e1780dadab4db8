using System.Runtime.InteropServices;

namespace Ashlar.Edge.Gateways;

/// <summary>What a <see cref="RecordFrame"/> has taken.</summary>
internal enum RecordPart : byte
{
    /// <summary>Some of a header.</summary>
    None,

    /// <summary>The end of a header: the record is known.</summary>
    Header,

    /// <summary>Content.</summary>
    Content,

    /// <summary>Padding.</summary>
    Padding,
}

/// <summary>Tells header, content and padding of records apart (FastCGI 1.0, section 3.3), in whatever pieces they come.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct RecordFrame
{
    private ulong _header;
    private int _headerBytes;
    private int _content;
    private int _padding;

    /// <summary>The version that the record is of.</summary>
    public readonly byte Version => (byte)(_header >> 56);

    /// <summary>What it is.</summary>
    public readonly RecordType Type => (RecordType)(byte)(_header >> 48);

    /// <summary>The request that it is about.</summary>
    public readonly int RequestId => (ushort)(_header >> 32);

    /// <summary>Bytes of its content.</summary>
    public readonly int Length => (ushort)(_header >> 16);

    /// <summary>True: all of it has come.</summary>
    public readonly bool IsOver => _headerBytes == FastCgi.HeaderLength && _content == 0 && _padding == 0;

    /// <summary>True: some of it has come, and not all.</summary>
    public readonly bool IsOpen => _headerBytes > 0 && !IsOver;

    /// <summary>Takes the next part of what was received, of which there must be some.</summary>
    /// <param name="received">Bytes as they came.</param>
    /// <param name="used">How many of them it is.</param>
    public RecordPart Take(ReadOnlySpan<byte> received, out int used)
    {
        if (IsOver)
        {
            (_header, _headerBytes) = (0, 0);
        }

        used = 0;
        if (_headerBytes < FastCgi.HeaderLength)
        {
            while (used < received.Length && _headerBytes < FastCgi.HeaderLength)
            {
                _header = _header << 8 | received[used++];
                _headerBytes++;
            }

            if (_headerBytes < FastCgi.HeaderLength)
            {
                return RecordPart.None;
            }

            (_content, _padding) = (Length, (byte)(_header >> 8));
            return RecordPart.Header;
        }

        if (_content > 0)
        {
            used = Math.Min(_content, received.Length);
            _content -= used;
            return RecordPart.Content;
        }

        used = Math.Min(_padding, received.Length);
        _padding -= used;
        return RecordPart.Padding;
    }
}
