using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Ashlar.Edge.Gateways;

/// <summary>How far a <see cref="RecordDecoder"/> came.</summary>
internal enum RecordStatus : byte
{
    /// <summary>The request's answer goes on.</summary>
    More,

    /// <summary>END_REQUEST: <see cref="RecordDecoder.Ended"/> says how.</summary>
    Ended,

    /// <summary>These are no records of an answer to our request.</summary>
    Bad,
}

/// <summary>
/// Takes the answer out of a FastCGI server's records, in place: what is behind the headers of STDOUT records is moved together, so
/// that it can be read like the bytes of any other answer. Strict: one version, one request, known types.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal struct RecordDecoder
{
    private const int EndRequestLength = 8;

    private ulong _header;
    private int _headerBytes;
    private RecordType _type;
    private int _content;
    private int _padding;
    private ulong _body;
    private int _bodyBytes;

    /// <summary>How far it came.</summary>
    public RecordStatus Status { get; private set; }

    /// <summary>How the server ended the request.</summary>
    public ProtocolStatus Ended { get; private set; }

    /// <summary>What the application says of its end; its own affair, but where it is a host of ours.</summary>
    public uint AppStatus { get; private set; }

    /// <summary>True: nothing has come behind the end, so that the connection is at the beginning of another request.</summary>
    public bool IsClean { get; private set; }

    /// <summary>Bytes of the answer so far.</summary>
    public long Answered { get; private set; }

    /// <summary>Goes on with what was received; the answer's bytes stand at its beginning afterwards.</summary>
    /// <param name="received">Bytes as they came.</param>
    /// <param name="errors">Takes what STDERR records say.</param>
    /// <returns>Bytes of the answer.</returns>
    public int Decode(Span<byte> received, ErrorLines errors)
    {
        var written = 0;
        var at = 0;
        while (at < received.Length && Status == RecordStatus.More)
        {
            if (_headerBytes < FastCgi.HeaderLength)
            {
                _header = _header << 8 | received[at++];
                if (++_headerBytes == FastCgi.HeaderLength)
                {
                    ReadHeader();
                }
            }
            else if (_content > 0)
            {
                var take = Math.Min(_content, received.Length - at);
                Take(received.Slice(at, take), received, ref written, errors);
                _content -= take;
                at += take;
                EndRecord();
            }
            else
            {
                var skip = Math.Min(_padding, received.Length - at);
                _padding -= skip;
                at += skip;
                EndRecord();
            }
        }

        IsClean = Status == RecordStatus.Ended && at == received.Length;
        Answered += written;
        return written;
    }

    private void ReadHeader()
    {
        Span<byte> header = stackalloc byte[FastCgi.HeaderLength];
        BinaryPrimitives.WriteUInt64BigEndian(header, _header);
        _type = (RecordType)header[1];
        _content = BinaryPrimitives.ReadUInt16BigEndian(header[4..]);
        _padding = header[6];
        _bodyBytes = 0;
        _body = 0;
        var isOurs = BinaryPrimitives.ReadUInt16BigEndian(header[2..]) == FastCgi.RequestId;
        var isKnown = _type is RecordType.Stdout or RecordType.Stderr || (_type == RecordType.EndRequest && _content == EndRequestLength);
        Status = header[0] == FastCgi.Version && isOurs && isKnown ? RecordStatus.More : RecordStatus.Bad;
        EndRecord();
    }

    private void Take(ReadOnlySpan<byte> content, Span<byte> answer, ref int written, ErrorLines errors)
    {
        switch (_type)
        {
            case RecordType.Stdout:
                content.CopyTo(answer[written..]);
                written += content.Length;
                break;
            case RecordType.Stderr:
                errors.Add(content);
                break;
            default:
                foreach (var b in content)
                {
                    _body = _body << 8 | b;
                    _bodyBytes++;
                }

                break;
        }
    }

    private void EndRecord()
    {
        if (_content > 0 || _padding > 0 || _headerBytes < FastCgi.HeaderLength)
        {
            return;
        }

        _headerBytes = 0;
        _header = 0;
        if (_type == RecordType.EndRequest && _bodyBytes == EndRequestLength)
        {
            // appStatus in four bytes, protocolStatus in one, three reserved.
            Ended = (ProtocolStatus)(byte)(_body >> 24);
            AppStatus = (uint)(_body >> 32);
            Status = RecordStatus.Ended;
        }
    }
}
